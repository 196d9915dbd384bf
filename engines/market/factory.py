"""From a market's name to the market."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engines.domain.clock import Clock
from engines.market.data import MarketData


def open_market(
    name: str,
    *,
    home: Path,
    clock: Clock,
    database_url: str = "",
    configure: Callable[[Any], None] | None = None,
    streams: bool = False,
) -> MarketData:
    """Open `demo`, `files` or a ccxt id; nothing is asked of the network until candles or quotes are.

    Args:
        home: folder of the SQLite files, used by `files` without `database_url`.
        configure: receives the ccxt exchange before its first use, to point it at another address.
        streams: an exchange's candles and prices are streamed, in a thread that begins with the first of them; whoever
            opened it has to close it then.

    Raises:
        ConfigurationError: there is no such market, or its database cannot be opened.
    """
    if name == "demo":
        from engines.market.demo import DemoMarket

        return DemoMarket(clock)
    if name == "files":
        from engines.market.files import FileMarket
        from engines.market.store import CandleStore
        from engines.storage.database import open_database

        engine = open_database("candles", home=home, url=database_url)
        market = FileMarket(CandleStore(engine))
        # A market has no end of its own to be told about: its connections close when nobody holds it any more.
        weakref.finalize(market, engine.dispose)
        return market
    from engines.market.ccxt_market import CcxtMarket

    over_rest = CcxtMarket(name, clock, configure=configure)
    if not streams:
        return over_rest
    from engines.market.streaming.market import StreamedMarket

    return StreamedMarket(over_rest, clock, configure=configure)
