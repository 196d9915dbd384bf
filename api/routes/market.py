"""Prices and charts, without the chat."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Reader
from api.dependencies import DeskDep
from api.problems import problems
from api.schemas.chart import ChartData
from api.schemas.fields import GivenTime
from api.schemas.market import Candle, CandlePage, Instrument, Markets
from engines.domain.timeframe import TIMEFRAMES, Timeframe, from_ms

router = APIRouter(prefix="/v1", tags=["market"])

Symbol = Annotated[str, Query(min_length=1, max_length=40, examples=["BTC/USDT"])]
TimeframeQuery = Annotated[Timeframe, Query(examples=["1h"])]
AsOf = Annotated[GivenTime | None, Query(description="Know only what had closed by this time; it needs a time zone.")]


@router.get("/markets", operation_id="list_markets", summary="What can be traded", responses=problems(503))
def markets(_: Reader, desk: DeskDep) -> Markets:
    """Every symbol with its trading rules."""
    instruments = desk.market.instruments()
    return Markets(
        market=desk.market.name,
        simulated=desk.market.simulated,
        timeframes=list(TIMEFRAMES),
        symbols=[instrument.symbol for instrument in instruments],
        instruments=[
            Instrument(
                symbol=each.symbol,
                base=each.base,
                quote=each.quote,
                tick_size=format(each.tick_size, "f"),
                lot_size=format(each.lot_size, "f"),
                min_quantity=format(each.min_quantity, "f"),
                min_notional=format(each.min_notional, "f"),
                maker_fee=format(each.maker_fee, "f"),
                taker_fee=format(each.taker_fee, "f"),
            )
            for each in instruments
        ],
    )


@router.get("/candles", operation_id="list_candles", summary="Closed candles", responses=problems(404, 503))
def candles(
    _: Reader,
    desk: DeskDep,
    symbol: Symbol,
    timeframe: TimeframeQuery,
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
    end: AsOf = None,
) -> CandlePage:
    """The last `limit` candles closed at `end` (now without it), oldest first."""
    frame = desk.market.closed_candles(symbol, timeframe, count=limit, as_of=end)
    rows = zip(frame.open_time, frame.open, frame.high, frame.low, frame.close, frame.volume, strict=True)
    return CandlePage(
        symbol=frame.symbol,
        timeframe=frame.timeframe,
        market=frame.market,
        simulated=frame.simulated,
        as_of=frame.as_of.isoformat(),
        candles=[
            Candle(
                open_time=_iso(int(open_time)),
                open=float(first),
                high=float(high),
                low=float(low),
                close=float(last),
                volume=float(volume),
            )
            for open_time, first, high, low, last, volume in rows
        ],
        next_end=_iso(int(frame.open_time[0])) if len(frame) == limit else None,
    )


@router.get(
    "/chart",
    operation_id="get_chart",
    summary="Everything a chart shows",
    responses=problems(404, 503),
    response_model_exclude_unset=True,
)
def chart(
    _: Reader,
    desk: DeskDep,
    symbol: Symbol,
    timeframe: TimeframeQuery,
    as_of: AsOf = None,
    limit: Annotated[int, Query(ge=20, le=1000)] = 200,
) -> ChartData:
    """Candles, the Cipher panel with events and divergences, the volume profile with its levels, and the VWAP."""
    from engines.chart import chart_data  # numba comes with it

    return ChartData.model_validate(chart_data(desk.market, symbol, timeframe, as_of=as_of, count=limit))


def _iso(time_ms: int) -> str:
    return from_ms(time_ms).isoformat()
