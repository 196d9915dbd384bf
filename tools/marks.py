"""Why a mark of the Cipher panel is or is not on a candle: which candle is meant, and what the engine says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.evidence import Evidence
from engines.domain.timeframe import Timeframe, duration_ms, from_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData
from tools.mark_wording import Place, explained_evidence
from tools.moments import Moment, means_now, read_moment
from tools.subjects import Subject

if TYPE_CHECKING:
    from engines.cipher import CipherPanel


@dataclass(frozen=True, slots=True)
class _Found:
    """The mark that is meant, the row of its candle, and what has to be said of the choice."""

    event: str
    row: int
    place: Place


def explain_mark(market: MarketData, subject: Subject, symbol: str, timeframe: Timeframe, at: str | None) -> Evidence:
    """Explain the mark on the candle that is meant.

    A time means the candle that holds it, up to and including its close; where that one has no such mark, and the one
    that opens at this very time has, that one: charts name candles by their open. Without a time it is the last
    closed candle, or for a mark that is said to be there, its newest one. Of a whole day it is the candle that has the
    mark, or came nearest. No look-ahead: nothing after that candle is used.

    Raises:
        NotFound: unknown symbol.
        InvalidRequest: the time cannot be read, is in the future, or there is no such mark.
        InsufficientData: there are too few candles.
        VenueUnavailable: the market did not answer.
    """
    from engines.cipher.explain import candles_to_explain, explain_event, explainable_events, panel_of
    from engines.cipher.params import VUMANCHU_A, VUMANCHU_B

    instrument = market.instrument(symbol)
    now = market.now(symbol)
    moment = None if at is None or means_now(at) else read_moment(at, now=now, timeframe=timeframe)
    params = VUMANCHU_A if subject.events[0] in explainable_events(VUMANCHU_A) else VUMANCHU_B
    count = candles_to_explain(subject.events[0], timeframe)
    candles = _candles(market, symbol, timeframe, moment, now, count)
    found = _find(panel_of(candles, params), subject, moment, now)
    if moment is not None and _may_be_open(candles, found, moment):
        later = _candles(market, symbol, timeframe, Moment(moment.at + _length(timeframe)), now, count)
        opened = _opened(panel_of(later, params), subject, moment)
        candles, found = (later, opened) if opened else (candles, found)
    kept = candles[: found.row + 1]
    explanation = explain_event(kept, found.event, at=kept.as_of, params=params)
    return explained_evidence(explanation, subject, instrument, kept, found.place, params=params.to_plain(), at=at)


def _candles(
    market: MarketData, symbol: str, timeframe: Timeframe, moment: Moment | None, now: datetime, count: int
) -> CandleFrame:
    """Closed candles whose last one is, where it has closed, the one that holds the moment."""
    if moment is None:
        return market.closed_candles(symbol, timeframe, count=count)
    # A candle that closes exactly then holds it; the one after it does not.
    end = moment.at + timedelta(milliseconds=duration_ms(timeframe) - 1)
    return market.closed_candles(symbol, timeframe, count=count, as_of=min(end, now))


def _find(panel: CipherPanel, subject: Subject, moment: Moment | None, now: datetime) -> _Found:
    candles, last = panel.candles, len(panel.candles) - 1
    unknown = [event for event in subject.events if event not in panel.event_names]
    if unknown:
        raise InvalidRequest(f"The panel has no mark {unknown[0]!r}.", remedy=f"It has {', '.join(panel.event_names)}.")
    if moment is not None and moment.since is not None:
        return _of_day(panel, subject, moment)
    if moment is not None:
        place: Place = "asked" if candles.as_of >= moment.at else _before(candles, moment.at, now)
        return _Found(_side(panel, subject.events, last), last, place)
    happened = [(int(rows[-1]), event) for event in subject.events if len(rows := np.flatnonzero(panel.flags(event)))]
    if subject.absent or subject.flips or not happened or max(happened)[0] == last:
        return _Found(_side(panel, subject.events, last), last, "last")
    row, event = max(happened)
    return _Found(event, row, "newest")


def _length(timeframe: Timeframe) -> timedelta:
    return timedelta(milliseconds=duration_ms(timeframe))


def _may_be_open(candles: CandleFrame, found: _Found, moment: Moment) -> bool:
    """True where a time is the close of a candle, so that it may be meant as the open of the next."""
    return found.place == "asked" and moment.since is None and candles.as_of == moment.at


def _opened(panel: CipherPanel, subject: Subject, moment: Moment) -> _Found | None:
    """The mark on the closed candle that opens at a time, where the one that closes then has none of that name."""
    last = len(panel.candles) - 1
    if last < 1 or int(panel.candles.open_time[last]) != to_ms(moment.at):
        return None
    if any(panel.flags(event)[last - 1] for event in subject.events):
        return None
    there = [event for event in subject.events if panel.flags(event)[last]]
    return _Found(there[0], last, "opened") if there else None


def _before(candles: CandleFrame, at: datetime, now: datetime) -> Place:
    """Why the candle that holds a moment is not there: it has not closed yet, or there is a hole in the data."""
    forming = at > now - timedelta(milliseconds=duration_ms(candles.timeframe))
    return "forming" if forming else "gap"


def _of_day(panel: CipherPanel, subject: Subject, moment: Moment) -> _Found:
    """The candle of a day that has the mark, else the one that came nearest: a cross at the outermost wave."""
    assert moment.since is not None
    candles = panel.candles
    closes = candles.open_time + duration_ms(candles.timeframe)
    rows = np.flatnonzero((closes > to_ms(moment.since)) & (closes <= to_ms(moment.at)))
    if not len(rows):
        raise InsufficientData(
            f"{candles.symbol} has no {candles.timeframe} candle that closed between {moment.since:%Y-%m-%d %H:%M} and "
            f"{moment.at:%Y-%m-%d %H:%M} UTC.",
            remedy=f"Its last one closed at {from_ms(int(closes[-1])):%Y-%m-%d %H:%M} UTC.",
        )
    hits = [(int(there[-1]), event) for event in subject.events if len(there := rows[panel.flags(event)[rows]])]
    if hits:
        row, event = max(hits)
        return _Found(event, row, "day")
    sign = -1.0 if len(subject.events) > 1 else _sign(subject.events[0])
    wave = np.nan_to_num(sign * panel.wt2[rows], nan=-np.inf)
    crossed = np.sign(np.diff(panel.wt1 - panel.wt2, prepend=np.nan)[rows]) == -sign
    row = int(rows[int(np.argmax(np.where(crossed, wave, wave - 1_000.0)))])
    return _Found(_side(panel, subject.events, row), row, "nearest")


def _side(panel: CipherPanel, events: tuple[str, ...], row: int) -> str:
    """Of a mark that has two sides, the one that is there, else the one that the wave's side of zero would give."""
    there = [event for event in events if panel.flags(event)[row]]
    if there or len(events) == 1:
        return (there or list(events))[0]
    bullish, bearish = events
    return bearish if panel.wt2[row] > 0 else bullish


def _sign(event: str) -> float:
    """-1 for a mark of bottoms, 1 for one of tops."""
    tops = ("bear", "red", "sell", "down", "short", "blood")
    return 1.0 if any(word in event for word in tops) else -1.0
