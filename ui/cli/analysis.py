"""`quantum-trader analyze`: one analysis, with the source of every figure, without a server."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console

from engines.domain.clock import SystemClock
from engines.domain.timeframe import parse_timeframe
from engines.errors import InsufficientData
from engines.market.factory import open_market
from ui.cli.rendering import receipts_table

if TYPE_CHECKING:
    from agents.settings import Settings
    from engines.market.data import MarketData
    from ui.cli.plotting import Plot


def run_analysis(symbol: str, timeframe: str, settings: Settings, *, plot: Plot | None = None) -> None:
    """Print one analysis and, where it is asked for, write the chart of the same candles.

    Raises:
        InvalidRequest: the symbol or timeframe does not exist there.
        InsufficientData: too few candles for an analysis; the chart of those there are is written all the same.
        VenueUnavailable: the market did not answer.
        ConfigurationError: the chart cannot be drawn or written.
    """
    market = open_market(settings.market, home=settings.home, clock=SystemClock(), database_url=settings.database_url)
    symbol = _listed(market, symbol, settings)
    as_of = None
    try:
        as_of = _print_analysis(market, symbol, timeframe)
    except InsufficientData:
        if plot is not None:
            _write(plot, market, symbol, timeframe, as_of)
        raise
    if plot is not None:
        _write(plot, market, symbol, timeframe, as_of)


def _listed(market: MarketData, symbol: str, settings: Settings) -> str:
    """The symbol that a bare asset or a joined pair means, as the chat reads it: BTC/USDT of `btc` and `btcusdt`."""
    from agents.reading.symbols import listing
    from agents.services import DEFAULT_QUOTE, quote_currency_of

    if "/" in symbol:
        return symbol
    quote = quote_currency_of(market, settings) or DEFAULT_QUOTE
    names = listing(tuple(each.symbol for each in market.instruments()), quote)
    return names.of_name(symbol.strip().lower()) or symbol


def _write(plot: Plot, market: MarketData, symbol: str, timeframe: str, as_of: datetime | None) -> None:
    plot.write(market, symbol, timeframe, as_of=as_of)
    Console(highlight=False).print(f"\nChart written to {plot.file}", markup=False, soft_wrap=True)


def _print_analysis(market: MarketData, symbol: str, timeframe: str) -> datetime:
    """The headline, the evidence for and against, and where each figure came from; returns what time it is of."""
    from agents.receipts import qualified, render
    from agents.state import record_evidence
    from tools.cipher import cipher_tools

    wanted = parse_timeframe(timeframe)
    analyze = cipher_tools(market)[0]
    call = {"name": analyze.name, "args": {"symbol": symbol, "timeframe": wanted}, "id": "analyze", "type": "tool_call"}
    evidence = record_evidence(analyze.invoke(call).artifact, number=1, tool_call_id="analyze", turn="")
    rendered = render(qualified(f"{evidence['headline']}\n\n{evidence['brief']}", evidence["id"]), [evidence])
    console = Console(highlight=False)
    console.print(rendered.text.replace("*", ""), markup=False, soft_wrap=True)
    console.print()
    console.print(receipts_table(list(rendered.receipts)))
    return datetime.fromisoformat(evidence["as_of"])
