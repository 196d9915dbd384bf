"""The two market engines, without the chat. Answers are made outside the event loop and written whole."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic_core import to_json

from api.auth import Reader
from api.dependencies import DeskDep
from api.problems import problems
from api.schemas.engines import (
    CipherColumns,
    CipherRequest,
    CipherTimeframesRequest,
    CipherTimeframesView,
    ExplainRequest,
    ExplanationView,
    VolumeProfileRequest,
    VolumeProfileView,
)
from api.schemas.period_levels import TpoRequest, TpoView, VwapRequest, VwapView
from engines.cipher import VUMANCHU_A, VUMANCHU_B, WARM_UP, CipherParams
from engines.cipher.presets import closed_preset
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData
from engines.volume_profile.lower import PagedMarket

# An answer takes up to 50 MB while it is made, most of it under the interpreter's lock: more at once gain nothing.
_AT_ONCE: Final = BoundedSemaphore(4)

_ALSO_AN_OPEN: Final = (
    "`at` is the close of this candle; for the candle that opens then, as a chart names it, ask for a time after it."
)

router = APIRouter(prefix="/v1", tags=["engines"])

# Where history costs nothing it is all used: a longer timeframe's waves and a divergence's earlier pivot reach far
# back. A market that answers in pages is asked for what warms the panel up.
_HISTORY: Final = 25_000


@router.post(
    "/cipher",
    operation_id="compute_cipher",
    summary="The Cipher panel, every column and event",
    response_model=CipherColumns,
    responses=problems(404, 503),
)
def cipher(_: Reader, desk: DeskDep, request: CipherRequest) -> Response:
    """The last `limit` candles closed at `as_of`, computed with as much history before them as there is."""
    from api.panels import panel_json
    from engines.cipher.explain import panel_of

    params = closed_preset(request.preset)
    with _AT_ONCE:
        candles = _with_history(desk.market, request.symbol, request.timeframe, request.limit, request.as_of)
        return _json(panel_json(panel_of(candles, params), max(0, len(candles) - request.limit)))


@router.post(
    "/cipher/timeframes",
    operation_id="compute_cipher_timeframes",
    summary="The Cipher panel on several timeframes at one instant",
    response_model=CipherTimeframesView,
    responses=problems(404, 503),
)
def cipher_timeframes(_: Reader, desk: DeskDep, request: CipherTimeframesRequest) -> Response:
    """The latest values and events of each timeframe, and the close that each rests on; nothing after `as_of`."""
    from api.panels import timeframes_json
    from engines.cipher.timeframes import SHOWN, panels

    params = closed_preset(request.preset)
    desk.market.instrument(request.symbol)
    as_of = request.as_of or desk.market.now(request.symbol)
    with _AT_ONCE:
        count = SHOWN + _before(desk.market)
        found = panels(desk.market, request.symbol, request.timeframes, as_of=as_of, params=params, count=count)
        return _json(timeframes_json(found, as_of))


@router.post(
    "/volume-profile",
    operation_id="compute_volume_profile",
    summary="Volume by price: rows, point of control, value area, nodes, naked levels",
    response_model=VolumeProfileView,
    responses=problems(404, 503),
)
def volume_profile(_: Reader, desk: DeskDep, request: VolumeProfileRequest) -> Response:
    """The volume of the last `limit` candles closed at `as_of`, built from the shorter candles behind them."""
    from api.profiles import profile_json

    with _AT_ONCE:
        return _json(profile_json(desk.market, request))


@router.post(
    "/tpo",
    operation_id="compute_tpo",
    summary="A session's market profile: letters by row, initial balance, single prints, tails, poor ends",
    response_model=TpoView,
    responses=problems(404, 503),
)
def tpo(_: Reader, desk: DeskDep, request: TpoRequest) -> Response:
    """Time by price of one session of any time zone, as far as it was known at `as_of`."""
    from api.market_profiles import tpo_json

    with _AT_ONCE:
        return _json(tpo_json(desk.market, request))


@router.post(
    "/vwap",
    operation_id="compute_vwap",
    summary="The average price by volume since a session, week, month or time, with bands",
    response_model=VwapView,
    responses=problems(404, 503),
)
def vwap(_: Reader, desk: DeskDep, request: VwapRequest) -> Response:
    """The last `limit` candles closed at `as_of`, each with the average since its period began."""
    from api.averages import vwap_json

    with _AT_ONCE:
        return _json(vwap_json(desk.market, request))


@router.post(
    "/explain",
    operation_id="explain_event",
    summary="Why a mark of the panel is, or is not, on a candle",
    response_model=ExplanationView,
    responses=problems(404, 503),
)
def explain(_: Reader, desk: DeskDep, request: ExplainRequest) -> Response:
    """Every condition with its value and threshold, and the smallest change of one input that would have turned it."""
    from engines.cipher.explain import candles_to_explain, explain_event, explainable_events

    params = closed_preset(request.preset or VUMANCHU_B.name)
    if request.preset is None and request.event in explainable_events(VUMANCHU_A):
        params = VUMANCHU_A
    elif isinstance(params, CipherParams) and request.event in explainable_events(VUMANCHU_A):
        raise InvalidRequest(
            f"{request.event!r} is a mark of Cipher A, and the preset {params.name!r} is Cipher B.",
            remedy="Leave `preset` out, or use vumanchu_a.",
        )
    as_of, now = None, desk.market.now(request.symbol)
    if request.at is not None:
        # The candle that holds `at` closes by then; a time in the future is the market's to refuse.
        end = request.at + timedelta(milliseconds=duration_ms(request.timeframe) - 1)
        as_of = min(end, max(request.at, now))
    least = candles_to_explain(request.event, request.timeframe)
    candles = _with_history(desk.market, request.symbol, request.timeframe, least, as_of)
    if request.at is not None and as_of != now and candles.as_of < request.at:
        raise InsufficientData(
            f"{request.symbol} has no {request.timeframe} candle that holds {request.at:%Y-%m-%d %H:%M} UTC.",
            remedy=f"The last one before it closed at {candles.as_of:%Y-%m-%d %H:%M} UTC.",
        )
    found = explain_event(candles, request.event, at=request.at, params=params)
    if request.at == found.close_time and not found.happened:
        # Charts name a candle by its open, which is the close of the one before.
        found = replace(found, note=" ".join(part for part in (found.note, _ALSO_AN_OPEN) if part))
    source = {"market": candles.market, "simulated": candles.simulated, "parameters": params.to_plain()}
    return _json({**asdict(found), **source})


def _with_history(
    market: MarketData, symbol: str, timeframe: Timeframe, limit: int, as_of: datetime | None
) -> CandleFrame:
    market.instrument(symbol)
    return market.closed_candles(symbol, timeframe, count=limit + _before(market), as_of=as_of)


def _before(market: MarketData) -> int:
    """How many candles before those shown are asked for."""
    return WARM_UP if isinstance(market, PagedMarket) else _HISTORY


def _json(data: dict[str, Any]) -> Response:
    """Numbers to full precision, undefined ones as null, in one go."""
    return Response(to_json(data, inf_nan_mode="null"), media_type="application/json")
