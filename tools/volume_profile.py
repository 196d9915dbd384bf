"""The volume profile as a tool."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final

from langchain_core.tools import BaseTool, tool
from pydantic import Field

from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.signals import moment
from engines.domain.timeframe import Timeframe, parse_timeframe
from engines.errors import InvalidRequest
from engines.market.data import MarketData
from engines.volume_profile import DESK_LOOKBACK, DESK_PROFILE, VolumeProfile
from engines.volume_profile.desk import desk_profile
from engines.volume_profile.reading import LEVELS, level_values, nearest_levels, profile_values, read_levels
from engines.volume_profile.summary import Levels, desk_levels
from engines.volume_profile.telling import tell_levels
from tools.analysis import TimeframeName, content
from tools.arguments import Symbol
from tools.period_profile import period_evidence
from tools.periods import Period

LEAST_LOOKBACK: Final = 10
MOST_LOOKBACK: Final = 5_000

Lookback = Annotated[
    int | None,
    Field(
        description=f"How many closed candles to spread, {LEAST_LOOKBACK} to {MOST_LOOKBACK}; "
        f"leave it out for {DESK_LOOKBACK}."
    ),
]
PeriodOrNone = Annotated[
    Period | None,
    Field(description="A stretch of time that was asked for by name, instead of the last candles; else leave it out."),
]


def volume_profile_tools(market: MarketData) -> list[BaseTool]:
    """The tools that read the volume profile of `market`."""

    @tool(response_format="content_and_artifact")
    def analyze_volume_profile(
        symbol: Symbol, timeframe: TimeframeName = "1h", lookback: Lookback = None, period: PeriodOrNone = None
    ) -> tuple[str, Evidence]:
        """Read where volume was traded in one market: point of control (POC), value area high and low (VAH, VAL).

        It also tells high and low volume nodes, naked POCs, the session's and yesterday's levels, VWAP, initial
        balance, single prints, poor highs and lows. Use it for "where is the POC", value area, volume levels, support
        and resistance by volume, "yesterday's POC", "naked POCs", "VWAP". Leave `lookback` out unless a number of
        candles was asked for, and `period` unless a time was: "last week's POC", "value area of Tuesday", "yesterday's
        London session", "profile since monday", "composite of the last 5 days", "TPO of today" (a session's letters).
        Not for trend or momentum (`analyze_cipher`) or the current price (`get_quote`).
        """
        name, span = symbol.strip().upper(), parse_timeframe(timeframe.strip())
        if period is not None:
            if lookback is not None:
                raise InvalidRequest("A profile has a lookback or a period, not both.", remedy="Leave one of them out.")
            evidence = period_evidence(market, name, span, period)
            return content(evidence), evidence
        count = DESK_LOOKBACK if lookback is None else lookback
        if not LEAST_LOOKBACK <= count <= MOST_LOOKBACK:
            raise InvalidRequest(
                f"A lookback of {count!r} candles is not possible.",
                remedy=f"Use {LEAST_LOOKBACK} to {MOST_LOOKBACK:,}.",
            )
        evidence = _analysis(market, name, span, count)
        return content(evidence), evidence

    return [analyze_volume_profile]


def _analysis(market: MarketData, symbol: str, timeframe: Timeframe, count: int) -> Evidence:
    instrument = market.instrument(symbol)
    desk = desk_profile(market, symbol, timeframe, count=count)
    levels = desk_levels(market, desk, instrument)
    candles, profile = desk.candles, desk.profile
    weighed, told = read_levels(levels).reasons, tell_levels(levels)
    values = {
        "as_of": moment(candles.as_of, "close of the last candle"),
        **profile_values(profile, instrument),
        "lookback": EvidenceValue(len(candles), "count", f"{len(candles):,}", "candles in the profile"),
        "up_share": _up_share(profile),
        "value_share": _value_share(profile),
        **_session_values(levels, market.now(symbol)),
        **_naked_values(levels),
        **{name: value for reason in (*weighed, *told) for name, value in reason.values.items()},
    }
    close_words = _closes(profile, timeframe)
    built = f" (built from {desk.built_from} candles)" if desk.built_from != timeframe else ""
    lines = [
        *(_sentence(reason.text) for reason in weighed),
        f"Levels: {LEVELS}.",
        "Value holds {value_share} of the volume; {up_share} of all volume came in rising candles" + f"{built}.",
        *(_sentence(reason.text + (", as of {as_of}" if reason.name == "extremes" else "")) for reason in told),
        f"What to watch: {close_words}." if close_words else "",
    ]
    return Evidence(
        kind="volume",
        tool="analyze_volume_profile",
        arguments={"symbol": symbol, "timeframe": timeframe, "lookback": count},
        symbol=symbol,
        timeframe=timeframe,
        as_of=candles.as_of.isoformat(),
        market=candles.market,
        simulated=candles.simulated,
        headline=_headline(profile) + (" *Simulated market.*" if candles.simulated else ""),
        brief="\n".join(line for line in lines if line),
        values=values,
        parameters={**DESK_PROFILE.to_plain(), "lookback": count, "built_from": desk.built_from},
        next_steps=(f"Cipher {symbol} {timeframe}", f"Price of {symbol}"),
        chart={"symbol": symbol, "timeframe": timeframe, "as_of": candles.as_of.isoformat(), **_shown(count)},
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _session_values(levels: Levels, now: datetime) -> dict[str, EvidenceValue]:
    """Levels of yesterday, of the market's own day, and of the day that the last candle belongs to."""
    sessions = levels.sessions.sessions if levels.sessions else ()
    days = {each.name: each.profile for each in sessions if each.complete}
    yesterday = f"{(now - timedelta(days=1)).date()}"
    found = {"yesterday": days.get(yesterday), "session": sessions[-1].profile if sessions else None}
    names = {"yesterday": yesterday, "session": sessions[-1].name if sessions else ""}
    values: dict[str, EvidenceValue] = {}
    for when, profile in found.items():
        if profile is None:
            continue
        values[f"{when}_day"] = EvidenceValue(names[when], "time", names[when], f"{when}'s day, UTC")
        for name, label in (("poc", "point of control"), ("vah", "value area high"), ("val", "value area low")):
            level = float(getattr(profile, name))
            values |= level_values(f"{when}_{name}", level, levels.close, levels.instrument, f"{when}'s {label}")
    return values


def _naked_values(levels: Levels) -> dict[str, EvidenceValue]:
    """Every naked point of control, the nearest first, as `naked_1` and on; not of the session just ended."""
    known = levels.desk.candles.as_of
    alive = sorted(
        (each for each in levels.naked if each.born < known), key=lambda each: abs(each.price - levels.close)
    )
    values: dict[str, EvidenceValue] = {}
    for number, each in enumerate(alive, 1):
        name, label = f"naked_{number}", f"naked point of control of {each.session}"
        values |= level_values(name, each.price, levels.close, levels.instrument, label)
        values[f"{name}_session"] = EvidenceValue(each.session, "time", each.session, f"session of the {label}")
    return values


def _shown(count: int) -> dict[str, int]:
    """How many candles the chart shows, where it is not the usual number; a chart takes 20 to 1,000."""
    return {} if count == DESK_LOOKBACK else {"limit": min(max(count, 20), 1000)}


def _headline(profile: VolumeProfile) -> str:
    candles = profile.candles
    close = float(candles.close[-1])
    place = "above" if close > profile.vah else "below" if close < profile.val else "inside"
    return (
        f"The point of control of {candles.symbol} {candles.timeframe} is {{poc}} ({{poc_distance}}) over the last "
        f"{{lookback}} candles to the {{as_of}} close; price {{close}} is {place} value, {{val}} to {{vah}}."
    )


def _closes(profile: VolumeProfile, timeframe: Timeframe) -> str:
    """The nearest levels on both sides, as closes to wait for."""
    under, over = nearest_levels(profile)
    words = [
        f"a {timeframe} close {side} {{{name}}} ({{{name}_distance}})"
        for side, name in (("over", over), ("under", under))
        if name
    ]
    return ", or ".join(words)


def _up_share(profile: VolumeProfile) -> EvidenceValue:
    return _percent(
        profile.up_by_row.sum() / profile.total_volume * 100, "volume of candles that closed at or above their open"
    )


def _value_share(profile: VolumeProfile) -> EvidenceValue:
    inside = profile.volume_by_row[profile.val_row : profile.vah_row + 1].sum()
    return _percent(inside / profile.total_volume * 100, "volume inside the value area")


def _percent(percent: float, label: str) -> EvidenceValue:
    return EvidenceValue(float(percent), "percent", f"{percent:.1f} %", label)
