"""The Cipher panel of one market on several timeframes at one instant, as one table."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from langchain_core.tools import BaseTool, tool
from pydantic import Field

from engines.cipher import VUMANCHU_B, CipherPanel
from engines.cipher.reading import last_dot_values, panel_values, read_panel
from engines.cipher.timeframes import SHOWN, panels
from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.signals import moment
from engines.domain.timeframe import TIMEFRAMES, Timeframe, parse_timeframe
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData
from tools.analysis import content, lean
from tools.arguments import Symbol
from tools.last_marks import last_mark_values

MOST: Final = 8
USUAL: Final[tuple[Timeframe, ...]] = ("1d", "4h", "1h", "15m")
Timeframes = Annotated[
    list[str],
    Field(
        description=f"Two to {MOST} of {', '.join(TIMEFRAMES)}, in the order asked for; {', '.join(USUAL)} for "
        '"top down" or "all timeframes".',
        min_length=1,
        max_length=MOST,
    ),
]
_COLUMNS: Final = ("", "close", "price", "waves", "momentum", "money flow", "RSI", "last dot", "last divergence")
_LEGEND: Final = "\nMomentum is the panel's weighted reasons alone; volume is not in it."
_SHOWN_VALUES: Final = ("wt1", "wt2", "money_flow", "rsi", "stoch_k", "stoch_d")
_MARKS: Final = ("last_dot", "last_dot_age", "last_dot_time", "last_divergence", "last_divergence_time")


def timeframe_tools(market: MarketData) -> list[BaseTool]:
    """The tool that reads the panel on several timeframes of `market` at once."""

    @tool(response_format="content_and_artifact")
    def compare_timeframes(symbol: Symbol, timeframes: Timeframes) -> tuple[str, Evidence]:
        """Read the Quantum Cipher panel of one market on several timeframes at one instant, in one table.

        Use it for "top down view", "multi-timeframe", "do the timeframes agree", and where three timeframes or more of
        one market are named. Closed candles only; each row tells the close it rests on. For one or two timeframes
        `analyze_cipher` says more.
        """
        wanted = tuple(dict.fromkeys(parse_timeframe(each.strip()) for each in timeframes))
        if not 1 <= len(wanted) <= MOST:
            raise InvalidRequest(f"{len(wanted)} timeframes are too many.", remedy=f"Name {MOST} at most.")
        evidence = _compared(market, symbol.strip().upper(), wanted)
        return content(evidence), evidence

    return [compare_timeframes]


def _compared(market: MarketData, symbol: str, wanted: tuple[Timeframe, ...]) -> Evidence:
    instrument = market.instrument(symbol)
    as_of = market.now(symbol)
    found: dict[Timeframe, CipherPanel] = {}
    missing: list[Timeframe] = []
    for each in wanted:
        try:
            found |= panels(market, symbol, [each], as_of=as_of)
        except InsufficientData:
            missing.append(each)
            if len(missing) == len(wanted):
                raise
    values = {"as_of": moment(as_of, "the instant up to which candles had closed")}
    for each, panel in found.items():
        values |= _values(each, panel, instrument)
    first = next(iter(found.values())).candles
    return Evidence(
        kind="timeframes",
        tool="compare_timeframes",
        arguments={"symbol": symbol, "timeframes": list(wanted)},
        symbol=symbol,
        timeframe=None,
        as_of=as_of.isoformat(),
        market=first.market,
        simulated=first.simulated,
        headline=_headline(symbol, found) + (" *Simulated market.*" if first.simulated else ""),
        brief="\n".join([_table(found, values), _LEGEND, *_missing(missing)]),
        values=values,
        parameters={**VUMANCHU_B.to_plain(), "timeframes": list(wanted), "candles": SHOWN},
        next_steps=(*(f"Cipher {symbol} {each}" for each in list(found)[:2]), f"Volume profile {symbol} {wanted[0]}"),
        chart=_chart(symbol, next(iter(found)), first.as_of),
    )


def _chart(symbol: str, timeframe: Timeframe, as_of: datetime) -> dict[str, str]:
    return {"symbol": symbol, "timeframe": timeframe, "as_of": as_of.isoformat()}


def _values(timeframe: Timeframe, panel: CipherPanel, instrument: Instrument) -> dict[str, EvidenceValue]:
    """What one row of the table shows, each name with its timeframe: `t4h_wt1`."""
    close = float(panel.candles.close[-1])
    columns = panel_values(panel)
    marks = {**last_dot_values(panel), **last_mark_values(panel)}
    found: dict[str, EvidenceValue] = {
        "as_of": moment(panel.candles.as_of, "close of the last candle"),
        "close": EvidenceValue(close, "price", instrument.price_text(close), "last close"),
        "momentum": lean(read_panel(panel).reasons).value,
        **{name: columns[name] for name in _SHOWN_VALUES},
        **{name: marks[name] for name in _MARKS if name in marks},
    }
    return {
        f"t{timeframe}_{name}": EvidenceValue(each.value, each.unit, each.text, f"{each.label}, {timeframe}")
        for name, each in found.items()
    }


def _way(panel: CipherPanel) -> int:
    """1 where the fast wave is over the slow one, -1 under it, 0 where neither or flat."""
    difference = panel.latest()["vwap"]
    return 0 if panel.flat[-1] else (difference > 0) - (difference < 0)


def _headline(symbol: str, found: dict[Timeframe, CipherPanel]) -> str:
    """Whether the timeframes agree; where they do not, that is the news."""
    sides = {sign: [each for each, panel in found.items() if _way(panel) == sign] for sign in (1, -1)}
    when = "at their last closes before {as_of}"
    if sides[1] and sides[-1]:
        return f"The timeframes of {symbol} disagree: waves up on {_and(sides[1])}, down on {_and(sides[-1])}, {when}."
    for sign, words in ((1, "up"), (-1, "down")):
        if len(sides[sign]) == len(found):
            every = "both" if len(found) == 2 else "all"
            among = f"{every} of {_and(sides[sign])}" if len(found) > 1 else _and(sides[sign])
            return f"The waves of {symbol} point {words} on {among}, {when}."
        if sides[sign]:
            return f"The waves of {symbol} point {words} on {_and(sides[sign])} and nowhere on the others, {when}."
    return f"The waves of {symbol} point nowhere on {_and(list(found))}, {when}."


def _and(names: list[Timeframe]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _table(found: dict[Timeframe, CipherPanel], values: dict[str, EvidenceValue]) -> str:
    """One row a timeframe, as a table in Markdown."""
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *(_row(each, panel, values) for each, panel in found.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(timeframe: Timeframe, panel: CipherPanel, values: dict[str, EvidenceValue]) -> tuple[str, ...]:
    def at(name: str) -> str:
        return f"{{t{timeframe}_{name}}}"

    words = {1: ("up", "over"), -1: ("down", "under"), 0: ("flat", "at")}[_way(panel)]
    dot, divergence = "none", "none"
    if f"t{timeframe}_last_dot" in values:
        dot = f"{at('last_dot')} {at('last_dot_age')} ({at('last_dot_time')})"
    if f"t{timeframe}_last_divergence" in values:
        divergence = f"{at('last_divergence')} ({at('last_divergence_time')})"
    waves = f"{words[0]}: {at('wt1')} {words[1]} {at('wt2')}"
    shown = (at("as_of"), at("close"), waves, at("momentum"), at("money_flow"), at("rsi"), dot, divergence)
    return (f"**{timeframe}**", *shown)


def _missing(missing: list[Timeframe]) -> list[str]:
    return [f"Too few closed candles for the panel on {_and(missing)}."] if missing else []
