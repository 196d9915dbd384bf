"""Averages by volume as JSON: which candles a request needs, and the columns made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from api.panels import iso, iso_times
from api.schemas.period_levels import MOST_AVERAGE_CANDLES, VwapRequest
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import duration_ms, to_ms
from engines.errors import InvalidRequest
from engines.market.data import MarketData
from engines.volume_profile.vwap import compute_vwap
from engines.volume_profile.vwap_anchors import Anchor, Anchors


def vwap_json(market: MarketData, request: VwapRequest) -> dict[str, Any]:
    """The average a request asks for, as plain data whose undefined numbers are NaN.

    No look-ahead: only candles closed at `as_of`, the market's now where there is none. The candles before those shown
    are asked for as far back as the first one's period began.

    Raises:
        NotFound: unknown symbol.
        InvalidRequest: the settings contradict each other, or it would need too many candles.
        InsufficientData: there is no candle.
        VenueUnavailable: the market did not answer.
    """
    anchor = _anchor(request)
    anchors = Anchors(anchor, request.timezone, request.session_start)
    market.instrument(request.symbol)
    candles, start = _candles(market, request, anchors)
    found = compute_vwap(
        candles,
        anchor,
        request.timezone,
        tuple(request.bands),
        source=request.source,
        session_start=request.session_start,
    )
    shown = slice(max(0, len(candles) - request.limit), None)
    never = np.iinfo(np.int64).min
    periods = anchors.periods(candles.open_time[shown], none=never)
    return {
        "symbol": candles.symbol,
        "timeframe": candles.timeframe,
        "market": candles.market,
        "simulated": candles.simulated,
        "as_of": iso(candles.as_of),
        "anchor": request.anchor,
        "whole": bool(start is None or int(candles.open_time[0]) <= start),
        "open_time": iso_times(candles.open_time[shown]),
        "period_start": [None if each == never else iso_times(np.array([each]))[0] for each in periods.tolist()],
        "vwap": found.vwap[shown].tolist(),
        "sigma": found.sigma[shown].tolist(),
        "bands": [
            {"multiple": band, "upper": found.upper[row, shown].tolist(), "lower": found.lower[row, shown].tolist()}
            for row, band in enumerate(found.bands)
        ],
        "parameters": {
            "limit": request.limit,
            "anchor": iso(anchor) if isinstance(anchor, datetime) else anchor,
            "timezone": request.timezone,
            "session_start": request.session_start,
            "bands": list(found.bands),
            "source": request.source,
        },
    }


def _anchor(request: VwapRequest) -> Anchor:
    if (request.time is None) == (request.anchor == "time"):
        raise InvalidRequest(
            "An average since a time needs `time`."
            if request.time is None
            else f"An average since each {request.anchor} has no `time`.",
            remedy="Give `time`, such as 2026-03-10T14:00:00Z, with `anchor` time, and only with it.",
        )
    if request.anchor != "time":
        return request.anchor
    assert request.time is not None
    return request.time


def _candles(market: MarketData, request: VwapRequest, anchors: Anchors) -> tuple[CandleFrame, int | None]:
    """The candles shown with those before them that their average needs, and when its first period began.

    That is None where no period has begun by the first candle shown.
    """
    length = duration_ms(request.timeframe)
    candles = market.closed_candles(request.symbol, request.timeframe, count=request.limit, as_of=request.as_of)
    first = int(candles.open_time[0])
    if request.time is not None and request.time >= candles.as_of:
        raise InvalidRequest(
            f"The anchor {iso(request.time)} does not lie before {iso(candles.as_of)}, the last close.",
            remedy="Anchor at an earlier time, such as 2026-03-10T14:00:00Z.",
        )
    start = to_ms(request.time) if request.time is not None else int(anchors.periods(candles.open_time[:1], none=0)[0])
    if start >= first:
        return candles, None if start > first else start
    count = len(candles) + -(-(first - start) // length)
    if count > MOST_AVERAGE_CANDLES:
        raise InvalidRequest(
            f"From {iso_times(np.array([start]))[0]} on there are about {count:,} {request.timeframe} candles.",
            remedy=f"Use a longer timeframe or a later anchor: {MOST_AVERAGE_CANDLES:,} is the most.",
        )
    whole = market.closed_candles(request.symbol, request.timeframe, count=count, as_of=candles.as_of)
    # A candle that opens before the anchor holds trades from before it.
    return whole[int(np.searchsorted(whole.open_time, start)) :], start
