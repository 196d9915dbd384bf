"""Volume profiles as JSON: which candles a request means, the profile made of them, and what became of past levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from api.panels import iso, iso_times
from api.schemas.engines import MOST_DEVELOPING_CANDLES, MOST_PROFILE_CANDLES, VolumeProfileRequest
from engines.domain.candles import CandleFrame
from engines.domain.instruments import Instrument
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData
from engines.volume_profile import (
    DESK_PROFILE,
    NakedPoc,
    Node,
    ProfileParams,
    RowProfile,
    Session,
    SessionProfile,
    anchored_profile,
    composite_profile,
    compute_volume_profile,
    developing_profile,
    naked_pocs,
)
from engines.volume_profile.lower import RANGE_TIMEFRAMES, lower_candles, session_candles, session_timeframe
from engines.volume_profile.sessions import each_session_profile

_DAY_MS: Final = 24 * 3_600_000
# What one answer may cost: candles it is built from, and rows of all its sessions together (some 15 MB of JSON).
MOST_LOWER_CANDLES: Final = 500_000
MOST_SESSION_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class _Candles:
    """The chart's candles that a request means, and the shorter ones that the profile is built from."""

    chart: CandleFrame
    lower: CandleFrame


@dataclass(frozen=True, slots=True)
class _SessionLevel(Session):
    """A session without the rows of its profile."""

    poc: float | None


def profile_json(market: MarketData, request: VolumeProfileRequest) -> dict[str, Any]:
    """The profile a request asks for, as plain data whose undefined numbers are NaN.

    No look-ahead: only candles closed at `as_of`, the market's now where there is none.

    Raises:
        NotFound: unknown symbol.
        InvalidRequest: the settings contradict each other.
        InsufficientData: there is no candle, none with volume, or none of the timeframe it is to be built from.
        VenueUnavailable: the market did not answer.
    """
    params = _params(request, market.instrument(request.symbol))
    found = _candles(market, request)
    lower = found.lower
    whole = tuple(_session_profiles(lower, params, request)) if request.kind == "session" else ()
    past = lower if whole else _sessions_behind(market, found, request)
    sessions = whole or _session_levels(past, params, request)
    profile = _newest(whole) or _profile(lower, params, request)
    return {
        "symbol": lower.symbol,
        "timeframe": request.timeframe,
        "market": lower.market,
        "simulated": lower.simulated,
        "as_of": iso(found.chart.as_of),
        "kind": request.kind,
        "built_from": lower.timeframe,
        "candles": len(found.chart),
        "from_time": iso_times(lower.open_time[:1])[0],
        "parameters": {**params.to_plain(), "limit": request.limit, "timezone": request.timezone},
        **_levels(profile),
        "sessions": [_session(each) for each in whole],
        **_past_levels(naked_pocs(past, sessions, "strict")),
        "developing": _developing(lower, params) if request.kind == "developing" else None,
    }


def _params(request: VolumeProfileRequest, instrument: Instrument) -> ProfileParams:
    given = request.rows is not None or request.row_height is not None or request.ticks_per_row is not None
    needs_ticks = request.ticks_per_row is not None or request.spread == "ticks"
    return ProfileParams(
        rows=request.rows if given else DESK_PROFILE.rows,
        row_height=request.row_height,
        ticks_per_row=request.ticks_per_row,
        tick_size=float(instrument.tick_size) if needs_ticks else None,
        value_area_fraction=request.value_area_fraction,
        spread=request.spread,
        smoothing=DESK_PROFILE.smoothing if request.smoothing is None and not given else request.smoothing or 0.0,
    )


def _candles(market: MarketData, request: VolumeProfileRequest) -> _Candles:
    count = _count(market, request)
    chart = market.closed_candles(request.symbol, request.timeframe, count=count, as_of=request.as_of)
    lower = _lower(market, chart, request)
    return _Candles(chart, lower) if request.anchor is None else _from_anchor(chart, lower, request.anchor)


def _lower(market: MarketData, chart: CandleFrame, request: VolumeProfileRequest) -> CandleFrame:
    """The candles whose volume is spread: those asked for, those that sessions need, else the finest that fit."""
    wanted = request.lower_timeframe
    if wanted is not None:
        _afford(chart, wanted, request)
        return _from_lower(market, chart, wanted)
    if request.kind == "session":
        finer = session_timeframe(request.timeframe)
        if duration_ms(finer) >= duration_ms(request.timeframe):
            return chart
        _afford(chart, finer, request)
        return session_candles(market, chart, most=MOST_LOWER_CANDLES)
    return lower_candles(market, chart)


def _sessions_behind(market: MarketData, found: _Candles, request: VolumeProfileRequest) -> CandleFrame:
    """The candles that past sessions' levels are told from: the desk's, unless the request names others."""
    if request.lower_timeframe is not None or found.lower.timeframe == session_timeframe(request.timeframe):
        return found.lower
    if duration_ms(request.timeframe) > _DAY_MS:
        return found.chart
    return session_candles(market, found.chart)


def _afford(chart: CandleFrame, timeframe: Timeframe, request: VolumeProfileRequest) -> None:
    """Refuse what would keep the desk busy for minutes."""
    count = (to_ms(chart.as_of) - int(chart.open_time[0])) // duration_ms(timeframe)
    most = MOST_PROFILE_CANDLES if request.kind == "developing" else MOST_LOWER_CANDLES
    if count > most:
        raise InvalidRequest(
            f"These {len(chart):,} {request.timeframe} candles hold about {count:,} {timeframe} candles; a "
            f"{request.kind} profile is built from {most:,} at most.",
            remedy="Ask for fewer candles, or for a longer `lower_timeframe`.",
        )


def _from_anchor(chart: CandleFrame, lower: CandleFrame, anchor: datetime) -> _Candles:
    """What lies after the anchor: of the chart from the candle that holds it on, of the shorter ones those since.

    Raises:
        InsufficientData: none has closed since.
    """
    since = to_ms(anchor)
    after = lower[int(np.searchsorted(lower.open_time, since)) :]
    if not len(after):
        raise InsufficientData(
            f"No {lower.timeframe} candle of {lower.symbol} has opened and closed since {iso(anchor)}.",
            remedy="Anchor at an earlier time, or use a shorter timeframe.",
        )
    opened = int(np.searchsorted(chart.open_time + duration_ms(chart.timeframe), since, side="right"))
    return _Candles(chart[opened:], after)


def _count(market: MarketData, request: VolumeProfileRequest) -> int:
    if (request.anchor is None) == (request.kind == "anchored"):
        raise InvalidRequest(
            "An anchored profile needs an anchor." if request.anchor is None else f"A {request.kind} profile has none.",
            remedy="Give `anchor` with `kind` anchored, and only with it.",
        )
    if request.kind == "developing" and request.limit > MOST_DEVELOPING_CANDLES:
        raise InvalidRequest(
            f"A developing profile of {request.limit:,} candles is too long.",
            remedy=f"Ask for {MOST_DEVELOPING_CANDLES:,} at most.",
        )
    if request.anchor is None:
        return request.limit
    end = request.as_of or market.now(request.symbol)
    if request.anchor >= end:
        raise InvalidRequest(
            f"The anchor {iso(request.anchor)} does not lie before {iso(end)}.", remedy="Anchor at an earlier time."
        )
    # One more: the candle that holds the anchor opens before it, and shorter ones begin at the anchor itself.
    count = -(-(to_ms(end) - to_ms(request.anchor)) // duration_ms(request.timeframe)) + 1
    if count > MOST_PROFILE_CANDLES:
        raise InvalidRequest(
            f"From {iso(request.anchor)} on there are about {count:,} {request.timeframe} candles.",
            remedy=f"Use a longer timeframe or a later anchor: {MOST_PROFILE_CANDLES:,} is the most.",
        )
    return count


def _from_lower(market: MarketData, chart: CandleFrame, wanted: Timeframe) -> CandleFrame:
    """Exactly the shorter candles that were asked for."""
    if wanted == chart.timeframe:
        return chart
    whole = duration_ms(chart.timeframe)
    fitting = [each for each in RANGE_TIMEFRAMES if duration_ms(each) < whole and whole % duration_ms(each) == 0]
    if wanted not in fitting:
        raise InvalidRequest(
            f"A {chart.timeframe} profile cannot be built from {wanted} candles.",
            remedy=f"Use one of {', '.join([*fitting, chart.timeframe])}.",
        )
    found = lower_candles(market, chart, wanted=wanted)
    if found.timeframe != wanted:
        raise InsufficientData(
            f"{market.name} does not have {wanted} candles of {chart.symbol} for all of this range.",
            remedy="Leave `lower_timeframe` out: the finest there are is then used.",
        )
    return found


def _session_profiles(
    lower: CandleFrame, params: ProfileParams, request: VolumeProfileRequest
) -> Iterator[SessionProfile]:
    """Every session with its rows, as long as one answer can hold them.

    Raises:
        InvalidRequest: there are more.
    """
    rows = 0
    for each in each_session_profile(lower, params, timezone=request.timezone):
        rows += 0 if each.profile is None else len(each.profile.volume_by_row)
        if rows > MOST_SESSION_ROWS:
            raise InvalidRequest(
                f"The sessions of these candles have more than {MOST_SESSION_ROWS:,} rows together.",
                remedy="Ask for fewer candles or for coarser rows.",
            )
        yield each


def _session_levels(
    lower: CandleFrame, params: ProfileParams, request: VolumeProfileRequest
) -> tuple[_SessionLevel, ...]:
    """Every session's point of control; the rows of years of sessions would fill the memory."""
    if duration_ms(lower.timeframe) > _DAY_MS:
        return ()  # candles longer than a day belong to no day
    return tuple(
        _SessionLevel(each.name, each.first_row, each.last_row, each.opens, each.closes, each.complete, each.poc)
        for each in each_session_profile(lower, params, timezone=request.timezone)
    )


def _newest(sessions: Sequence[SessionProfile]) -> RowProfile | None:
    return next((each.profile for each in reversed(sessions) if each.profile is not None), None)


def _profile(lower: CandleFrame, params: ProfileParams, request: VolumeProfileRequest) -> RowProfile:
    match request.kind:
        case "anchored":
            assert request.anchor is not None
            return anchored_profile(lower, request.anchor, params)
        case "composite":
            return composite_profile([lower], params)
        case _:
            return compute_volume_profile(lower, params)


def _levels(profile: RowProfile) -> dict[str, Any]:
    edges = profile.edges.tolist()
    columns = (profile.volume_by_row, profile.up_by_row, profile.down_by_row, profile.delta_by_row)
    rows = zip(edges[:-1], edges[1:], *(column.tolist() for column in columns), strict=True)
    names = ("from", "to", "volume", "up", "down", "delta")
    return {
        "rows": [dict(zip(names, row, strict=True)) for row in rows],
        "poc": profile.poc,
        "vah": profile.vah,
        "val": profile.val,
        "poc_row": profile.poc_row,
        "vah_row": profile.vah_row,
        "val_row": profile.val_row,
        "hvn": [_node(node) for node in profile.hvn],
        "lvn": [_node(node) for node in profile.lvn],
        "base": profile.base,
        "row_height": profile.row_height,
        "total_volume": profile.total_volume,
    }


def _node(node: Node) -> dict[str, float]:
    return {"row": node.row, "price": node.price, "volume": node.volume, "prominence": node.prominence}


def _session(session: SessionProfile) -> dict[str, Any]:
    levels = None if session.profile is None else _levels(session.profile)
    return {
        "session": session.name,
        "opens": iso(session.opens),
        "closes": iso(session.closes),
        "complete": session.complete,
        "profile": levels,
    }


def _past_levels(found: Sequence[NakedPoc]) -> dict[str, Any]:
    every = [
        {
            "session": each.session,
            "price": each.price,
            "born": iso(each.born),
            "naked": each.naked,
            "tagged_at": _iso_or_none(each.tagged_at),
            "age_sessions": each.age_sessions,
        }
        for each in found
    ]
    return {"naked_pocs": [each for each in every if each["naked"]], "session_pocs": every}


def _iso_or_none(time: datetime | None) -> str | None:
    return None if time is None else iso(time)


def _developing(lower: CandleFrame, params: ProfileParams) -> dict[str, list[Any]]:
    found = developing_profile(lower, params)
    columns = {name: np.asarray(getattr(found, name)).tolist() for name in ("poc", "vah", "val")}
    return {"open_time": iso_times(lower.open_time), **columns}
