"""`quantum-trader analyze`: one analysis, with the source of every figure, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from engines.domain.clock import SystemClock
from engines.domain.timeframe import parse_timeframe
from engines.market.factory import open_market
from ui.cli.rendering import receipts_table

if TYPE_CHECKING:
    from agents.settings import Settings


def print_analysis(symbol: str, timeframe: str, settings: Settings) -> None:
    """Print the headline, the evidence for and against, and where each figure came from.

    Raises:
        InvalidRequest: the symbol or timeframe does not exist there.
        InsufficientData: too few candles.
        VenueUnavailable: the market did not answer.
    """
    from agents.receipts import qualified, render
    from agents.state import record_evidence
    from tools.cipher import cipher_tools

    wanted = parse_timeframe(timeframe)
    market = open_market(settings.market, home=settings.home, clock=SystemClock(), database_url=settings.database_url)
    analyze = cipher_tools(market)[0]
    call = {"name": analyze.name, "args": {"symbol": symbol, "timeframe": wanted}, "id": "analyze", "type": "tool_call"}
    evidence = record_evidence(analyze.invoke(call).artifact, number=1, tool_call_id="analyze", turn="")
    rendered = render(qualified(f"{evidence['headline']}\n\n{evidence['brief']}", evidence["id"]), [evidence])
    console = Console(highlight=False)
    console.print(rendered.text.replace("**", ""), markup=False, soft_wrap=True)
    console.print()
    console.print(receipts_table(list(rendered.receipts)))
