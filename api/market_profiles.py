"""A session's market profile as JSON: which session a request means, and the letters printed in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from api.panels import iso, iso_times
from api.schemas.period_levels import TpoRequest
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import TIMEFRAMES, Timeframe, duration_ms, from_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData
from engines.volume_profile.local_time import opening_ms, time_of_day, zone
from engines.volume_profile.summary import MOST_TPO_ROWS, TPO_ROWS
from engines.volume_profile.tpo import TpoProfile, compute_tpo
from engines.volume_profile.tpo_params import TpoParams

_MINUTE_MS: Final = 60_000
# Finer candles print the same letters; coarser ones are tried where the market has none of these.
_FINEST: Final[Timeframe] = "5m"


@dataclass(frozen=True, slots=True)
class _Hours:
    """One session: its local day, when it opens and closes, milliseconds since the epoch."""

    day: str
    opens: int
    closes: int


def tpo_json(market: MarketData, request: TpoRequest) -> dict[str, Any]:
    """The market profile a request asks for, as plain data.

    No look-ahead: only candles closed at `as_of`, the market's now where there is none.

    Raises:
        NotFound: unknown symbol.
        InvalidRequest: the settings contradict each other, or `as_of` lies in the future.
        InsufficientData: no candle of the session has closed, or none divides the block.
        VenueUnavailable: the market did not answer.
    """
    instrument = market.instrument(request.symbol)
    if request.rows is not None and request.row_height is not None:
        raise InvalidRequest(
            f"rows is {request.rows!r} and row_height {request.row_height!r}.", remedy="Give one of them, or neither."
        )
    now = market.now(request.symbol)
    as_of = now if request.as_of is None else request.as_of
    if as_of > now:
        raise InvalidRequest(
            f"{iso(as_of)} is in the future: this market's time is {iso(now)}.",
            remedy="Ask for a time that has passed.",
        )
    hours = _newest_session(request, as_of)
    candles = _session_candles(market, request, hours, as_of)
    found = compute_tpo(candles, _params(request, candles, float(instrument.tick_size)), opens=from_ms(hours.opens))
    return _plain(found, hours, candles)


def _newest_session(request: TpoRequest, as_of: datetime) -> _Hours:
    """The newest session that has begun."""
    where, start = zone(request.timezone), time_of_day(request.session_start)
    end = None if request.session_end is None else time_of_day(request.session_end)
    day = as_of.astimezone(where).date() + timedelta(days=1)
    while opening_ms(day, start, where) >= to_ms(as_of):
        day -= timedelta(days=1)
    later = end is None or end <= start
    closes = opening_ms(day + timedelta(days=1) if later else day, start if end is None else end, where)
    return _Hours(day.isoformat(), opening_ms(day, start, where), closes)


def _timeframes(request: TpoRequest, hours: _Hours) -> Iterator[Timeframe]:
    """Candles that fill blocks beginning at the opening: those asked for, else the finest first."""
    block = request.block_minutes * _MINUTE_MS
    for each in TIMEFRAMES:
        length = duration_ms(each)
        chosen = each == request.timeframe if request.timeframe is not None else length >= duration_ms(_FINEST)
        if chosen and block % length == 0 and hours.opens % length == 0:
            yield each


def _session_candles(market: MarketData, request: TpoRequest, hours: _Hours, as_of: datetime) -> CandleFrame:
    """Every closed candle of the session."""
    end = min(hours.closes, to_ms(as_of))
    tried = list(_timeframes(request, hours))
    if not tried:
        raise InvalidRequest(
            f"No {request.timeframe or 'usual'} candles fill blocks of {request.block_minutes} minutes from "
            f"{iso(from_ms(hours.opens))} on.",
            remedy="Use candles that divide the block and a session that begins with one, such as 5m, or leave "
            "`timeframe` out.",
        )
    for each in tried:
        try:
            found = market.closed_candles(
                request.symbol, each, count=-(-(end - hours.opens) // duration_ms(each)), as_of=from_ms(end)
            )
        except InsufficientData:
            continue
        found = found[int(np.searchsorted(found.open_time, hours.opens)) :]
        if len(found):
            return found
    raise InsufficientData(
        f"{request.symbol} has no closed candle of the session that opened at {iso(from_ms(hours.opens))}.",
        remedy="Ask again once one has closed, or for an earlier `as_of`.",
    )


def _params(request: TpoRequest, candles: CandleFrame, tick: float) -> TpoParams:
    height = request.row_height
    if request.rows is None and height is None:
        span = float(candles.high.max() - candles.low.min())
        height = max(1, round(span / TPO_ROWS / tick)) * tick
    if height is not None and float(candles.high.max() - candles.low.min()) / height > MOST_TPO_ROWS:
        raise InvalidRequest(
            f"Rows of {height!r} would be more than {MOST_TPO_ROWS:,}.", remedy="Use a larger `row_height`."
        )
    return TpoParams(
        rows=request.rows,
        row_height=height,
        block_minutes=request.block_minutes,
        initial_balance_blocks=request.initial_balance_blocks,
        value_area_fraction=request.value_area_fraction,
    )


def _plain(found: TpoProfile, hours: _Hours, candles: CandleFrame) -> dict[str, Any]:
    known = to_ms(candles.as_of)
    balance_ends = hours.opens + found.params.initial_balance_blocks * found.params.block_minutes * _MINUTE_MS
    low, high = found.initial_balance
    letters = found.letters
    return {
        "symbol": candles.symbol,
        "market": candles.market,
        "simulated": candles.simulated,
        "as_of": iso(candles.as_of),
        "built_from": candles.timeframe,
        "session": hours.day,
        "opens": iso(from_ms(hours.opens)),
        "closes": iso(from_ms(hours.closes)),
        "complete": known >= hours.closes,
        "rows": [
            {**_rows(found, row, row), "letters": letters[row], "count": int(found.counts[row])}
            for row in range(len(letters))
        ],
        "blocks": [
            {
                "letter": each.letter,
                "opens": iso_times(np.array([to_ms(each.opens)]))[0],
                "low": each.low,
                "high": each.high,
            }
            for each in found.blocks
        ],
        "row_height": found.row_height,
        **{name: getattr(found, name) for name in ("poc", "vah", "val", "high", "low")},
        "initial_balance": {"low": low, "high": high, "complete": known >= balance_ends},
        "single_prints": [{"from": first, "to": last} for first, last in found.single_prints],
        "tail_low": _rows(found, 0, found.tail_low_rows - 1) if found.tail_low_rows else None,
        "tail_high": _tail_high(found),
        **{name: getattr(found, name) for name in ("poor_low", "poor_high", "balanced_target", "rotation_factor")},
        "parameters": found.params.to_plain(),
    }


def _tail_high(found: TpoProfile) -> dict[str, float] | None:
    rows = len(found.counts)
    return _rows(found, rows - found.tail_high_rows, rows - 1) if found.tail_high_rows else None


def _rows(found: TpoProfile, first: int, last: int) -> dict[str, float]:
    """Prices from the lower edge of a row to the upper edge of another."""
    return {"from": found.base + first * found.row_height, "to": found.base + (last + 1) * found.row_height}
