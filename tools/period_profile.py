"""The volume profile of a stretch of time: which candles make it, the engine's profile of them, and its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.evidence import Evidence
from engines.domain.instruments import Instrument
from engines.domain.signals import moment
from engines.domain.timeframe import TIMEFRAMES, Timeframe, duration_ms, floor_ms, from_ms, to_ms
from engines.errors import InsufficientData
from engines.market.data import MarketData
from engines.volume_profile import DESK_LOOKBACK, DESK_PROFILE, VolumeProfile, composite_profile
from engines.volume_profile.desk import DeskProfile, desk_profile, desk_sessions
from engines.volume_profile.reading import profile_values
from engines.volume_profile.summary import session_letters, usual_row_height
from engines.volume_profile.tpo import TpoProfile
from tools.period_wording import Told, told_of
from tools.periods import Period, Span, read_period

# As many candles as a chart shows, so that its picture can be of the same profile.
_CHARTED: Final = range(20, 1001)
_MOST_CANDLES: Final = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """The profile of a stretch of time.

    Attributes:
        profile: its own candles are those whose volume was spread.
        letters: the market profile of a session; None of everything else.
        begins, ends: of the candles, milliseconds since the epoch.
        chart: what a chart of the same profile asks for, None where no chart shows the same.
    """

    profile: VolumeProfile
    begins: int
    ends: int
    letters: TpoProfile | None = None
    chart: dict[str, Any] | None = None


def period_evidence(market: MarketData, symbol: str, timeframe: Timeframe, period: Period) -> Evidence:
    """The profile of a period as evidence, its levels held against the last close of the timeframe.

    No look-ahead: closed candles only, and none that opens before the period or closes after it.

    Raises:
        NotFound: unknown symbol.
        InvalidRequest: the period cannot be read, or has not begun.
        InsufficientData: the market has no closed candle of it, or none with volume.
        VenueUnavailable: the market did not answer.
    """
    instrument = market.instrument(symbol)
    now = market.now(symbol)
    span = read_period(period, now=now, timeframe=timeframe)
    last = market.closed_candles(symbol, timeframe, count=DESK_LOOKBACK)
    found = (
        _session(market, symbol, timeframe, span, now, instrument)
        if period.kind == "session"
        else _stretch(market, symbol, timeframe, span, now)
    )
    read = replace(found.profile, candles=last)
    told = told_of(
        Told(
            desk=DeskProfile(read, last, found.profile.candles),
            instrument=instrument,
            span=span,
            begins=from_ms(found.begins),
            ends=from_ms(found.ends),
            over=period.kind != "anchored" and span.ends <= now,
            whole=found.begins <= to_ms(span.begins),
            letters=found.letters,
        )
    )
    return Evidence(
        kind="volume",
        tool="analyze_volume_profile",
        arguments={"symbol": symbol, "timeframe": timeframe, "period": period.to_plain()},
        symbol=symbol,
        timeframe=timeframe,
        as_of=last.as_of.isoformat(),
        market=last.market,
        simulated=last.simulated,
        headline=told.headline + (" *Simulated market.*" if last.simulated else ""),
        brief=told.brief,
        values={
            "as_of": moment(last.as_of, "close of the last candle"),
            **profile_values(read, instrument),
            **told.values,
        },
        parameters=_parameters(found, span),
        next_steps=(f"Volume profile {symbol} {timeframe}", f"Cipher {symbol} {timeframe}", f"Price of {symbol}"),
        chart=found.chart,
    )


def _parameters(found: _Found, span: Span) -> dict[str, Any]:
    given: dict[str, Any] = {
        **DESK_PROFILE.to_plain(),
        "built_from": found.profile.candles.timeframe,
        "from": from_ms(found.begins).isoformat(),
        "to": from_ms(found.ends).isoformat(),
        "timezone": span.timezone,
    }
    if found.letters is not None:
        given["letters"] = found.letters.params.to_plain()
    return given


def _session(
    market: MarketData, symbol: str, timeframe: Timeframe, span: Span, now: datetime, instrument: Instrument
) -> _Found:
    """One session, made as the desk makes yesterday's: of the candles that sessions are built from."""
    begins = to_ms(span.begins)
    known = min(to_ms(span.ends), to_ms(now))
    frames = (
        (base, begins, ends, max(DESK_LOOKBACK, (ends - begins) // duration_ms(base)))
        for base, ends in _bases(timeframe, begins, known, to_ms(span.ends))
    )
    chart, _, _ = _first_there(market, symbol, frames, span)
    desk = desk_profile(market, symbol, chart.timeframe, candles=chart)
    assert span.hours is not None
    sessions = desk_sessions(market, desk, timezone=span.timezone, session_start=span.hours.opens)
    newest = sessions.sessions[-1] if sessions.sessions else None
    if newest is None or newest.name != span.day or newest.profile is None:
        raise _nothing(symbol, span)
    made_of = newest.profile.candles
    letters = session_letters(sessions, newest, usual_row_height(sessions, instrument))
    drawn = _session_chart(market, symbol, timeframe, newest.profile)
    return _Found(newest.profile, int(made_of.open_time[0]), to_ms(made_of.as_of), letters, drawn)


def _session_chart(
    market: MarketData, symbol: str, timeframe: Timeframe, profile: VolumeProfile
) -> dict[str, Any] | None:
    """The coarsest chart of a session alone whose profile has the very same levels; None where none has."""
    made_of = profile.candles
    begins, ends = int(made_of.open_time[0]), to_ms(made_of.as_of)
    for each in reversed(TIMEFRAMES[: TIMEFRAMES.index(timeframe) + 1]):
        count, odd = divmod(ends - begins, duration_ms(each))
        if odd or count not in _CHARTED or begins % duration_ms(each):
            continue
        try:
            frame = market.closed_candles(symbol, each, count=count, as_of=made_of.as_of)
        except InsufficientData:
            continue
        if len(frame) != count or int(frame.open_time[0]) != begins:
            continue
        shown = desk_profile(market, symbol, each, candles=frame).profile
        if (shown.poc, shown.val, shown.vah) == (profile.poc, profile.val, profile.vah):
            return {"symbol": symbol, "timeframe": each, "as_of": frame.as_of.isoformat(), "limit": count}
    return None


def _first_there(
    market: MarketData, symbol: str, frames: Iterable[tuple[Timeframe, int, int, int]], span: Span
) -> tuple[CandleFrame, int, int]:
    """The first of the candles wanted that the market has: timeframe, begin, end and number of each."""
    for timeframe, begins, ends, count in frames:
        try:
            return market.closed_candles(symbol, timeframe, count=count, as_of=from_ms(ends)), begins, ends
        except InsufficientData:
            continue
    raise _nothing(symbol, span)


def _bases(timeframe: Timeframe, begins: int, known: int, ends: int) -> Iterator[tuple[Timeframe, int]]:
    """Candles that begin with a session and end with it, the chart's own first, and where the closed ones end."""
    for each in reversed(TIMEFRAMES[: TIMEFRAMES.index(timeframe) + 1]):
        length = duration_ms(each)
        if each == "1w" or begins % length or ends % length:
            continue
        if (closed := floor_ms(known, each)) > begins:
            yield each, closed


def _stretch(market: MarketData, symbol: str, timeframe: Timeframe, span: Span, now: datetime) -> _Found:
    """A range, an anchored profile or a composite, made as the desk makes a chart's."""
    known = to_ms(span.ends)
    if span.ends >= now:
        # As of the last close, as every other answer; of a stretch that began after it, of what there is.
        closed = floor_ms(to_ms(now), timeframe)
        known = closed if closed > to_ms(span.begins) else to_ms(now)
    frame, begins, ends = _first_there(market, symbol, _frames(timeframe, to_ms(span.begins), known), span)
    frame = frame[int(np.searchsorted(frame.open_time, begins)) :]
    if not len(frame):
        raise _nothing(symbol, span)
    desk = desk_profile(market, symbol, frame.timeframe, candles=frame)
    parts = [part for part in _parts(desk.lower, span) if len(part)]
    if not parts:
        raise _nothing(symbol, span)
    profile = composite_profile(parts, DESK_PROFILE)
    made_of = profile.candles
    count = (ends - begins) // duration_ms(frame.timeframe)
    same = count in _CHARTED and len(frame) == count and len(made_of) == len(desk.lower)
    chart = {"symbol": symbol, "timeframe": frame.timeframe, "as_of": frame.as_of.isoformat(), "limit": count}
    return _Found(profile, int(made_of.open_time[0]), to_ms(made_of.as_of), chart=chart if same else None)


def _parts(lower: CandleFrame, span: Span) -> list[CandleFrame]:
    """The candles of each session of a composite; of anything else all of them."""
    if not span.parts:
        return [lower]
    rows = [np.searchsorted(lower.open_time, [to_ms(opens), to_ms(closes)]) for opens, closes in span.parts]
    return [lower[int(first) : int(last)] for first, last in rows]


def _frames(timeframe: Timeframe, begins: int, known: int) -> list[tuple[Timeframe, int, int, int]]:
    """Which candles to read, the best first: timeframe, from when to when (milliseconds since the epoch), how many.

    First the chart's own, then shorter, then longer ones that begin and end with the stretch and are as many as a chart
    shows; then other ones that begin and end with it; then those that lie inside it, the finest first.
    """
    place = TIMEFRAMES.index(timeframe)
    fitting: list[tuple[int, int, tuple[Timeframe, int, int, int]]] = []
    for rank, each in enumerate([*reversed(TIMEFRAMES[: place + 1]), *TIMEFRAMES[place + 1 :]]):
        first, last = _ceiling(begins, each), floor_ms(known, each)
        count = (last - first) // duration_ms(each)
        if not 1 <= count <= _MOST_CANDLES:
            continue
        exact = (first, last) == (begins, known)
        group = 0 if exact and count in _CHARTED else 1 if exact else 2
        fitting.append((group, rank if exact else TIMEFRAMES.index(each), (each, first, last, count)))
    return [frame for _, _, frame in sorted(fitting)]


def _ceiling(time_ms: int, timeframe: Timeframe) -> int:
    floor = floor_ms(time_ms, timeframe)
    return floor if floor == time_ms else floor + duration_ms(timeframe)


def _nothing(symbol: str, span: Span) -> InsufficientData:
    return InsufficientData(
        f"{symbol} has no closed candle with volume {span.words}.",
        remedy="Ask for a time the market was open, or for a longer one.",
    )
