"""Why a mark of the panel is there or not, why a ticket or an order is as it is, as a tool."""

from __future__ import annotations

from typing import Annotated, Final

from langchain_core.tools import BaseTool, tool
from pydantic import Field

from engines.domain.evidence import Evidence
from engines.domain.timeframe import parse_timeframe
from engines.errors import InvalidRequest
from engines.market.data import MarketData
from tools.analysis import TimeframeName, content
from tools.decisions import DecisionReader, explain_decision_of
from tools.marks import explain_mark
from tools.subjects import DOTS, read_subject

Subject = Annotated[
    str,
    Field(
        description="What to explain, in the person's words: a mark of the panel (`green dot`, `why no gold dot`, "
        "`hidden bullish RSI divergence`, `blood diamond`), a ticket (`T-3`), an order id, or `my denied order`.",
        min_length=1,
        max_length=500,
    ),
]
SymbolOrNone = Annotated[
    str | None, Field(description="The market of a mark, such as BTC/USDT; leave it out for tickets and orders.")
]
At = Annotated[
    str | None,
    Field(
        description="When, as the person said it or in ISO 8601, in UTC: `14:00`, `yesterday 14:00`, "
        "`2026-03-10T14:00Z`, `3 candles ago`. Leave it out for the last closed candle.",
        max_length=100,
    ),
]
_EXAMPLES: Final = "Name a mark of the panel such as `green dot`, a ticket such as `T-3`, or `my denied order`."


def explaining_tools(market: MarketData, journal: DecisionReader) -> list[BaseTool]:
    """The tool that says why, over `market` and what one owner's `journal` has on record."""

    @tool(response_format="content_and_artifact")
    def explain_decision(
        subject: Subject, symbol: SymbolOrNone = None, timeframe: TimeframeName = "1h", at: At = None
    ) -> tuple[str, Evidence]:
        """Explain why a mark of the Cipher panel is or is not on a candle, or why a ticket or order is as it is.

        Use it for "why no green dot on BTC 4h at 14:00", "why did the gold dot fire", "what would have flipped it",
        "why was my order denied", "why is T-3 at that size". It lists every condition with its value and threshold, and
        the smallest change of one price that would have turned it. Not for how a market looks (`analyze_cipher`).
        """
        asked = read_subject(subject)
        name = symbol.strip().upper() if symbol else None
        if asked.kind in {"ticket", "order"}:
            evidence = explain_decision_of(market, journal, asked, name)
        elif asked.missing:
            raise InvalidRequest(f"There is no {asked.missing} on this panel.", remedy=f"It has {DOTS}.")
        elif asked.kind == "event" and name:
            evidence = explain_mark(market, asked, name, parse_timeframe(timeframe.strip()), at)
        elif asked.kind == "event":
            raise InvalidRequest("A mark of the panel needs a market.", remedy="Name one, such as BTC/USDT.")
        else:
            raise InvalidRequest(f"{subject!r} names nothing that can be explained.", remedy=_EXAMPLES)
        return content(evidence), evidence

    return [explain_decision]
