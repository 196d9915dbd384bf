from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.reading import Reading, ReadingContext, read

Reader = Callable[..., Reading]
SYMBOLS = tuple(
    f"{b}/USDT" for b in ["ADA", "AVAX", "BCH", "BNB", "BTC", "DOGE", "DOT", "ETH", "LINK", "LTC", "SOL", "XRP"]
)
TODAY = frozenset(
    [
        "get_quote",
        "get_portfolio",
        "list_orders",
        "analyze_cipher",
        "analyze_volume_profile",
        "propose_order",
        "propose_close",
        "propose_cancel",
        "propose_replace",
    ]
)


@pytest.fixture(scope="session")
def context() -> ReadingContext:
    """A fresh thread on a market of twelve symbols, with the tools there are today."""
    return ReadingContext(symbols=SYMBOLS, quote_currency="USDT", tools=TODAY)


@pytest.fixture(scope="session")
def say(context: ReadingContext) -> Reader:
    """Read a message in a fresh thread."""
    return lambda text: read(text, context)
