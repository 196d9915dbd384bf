"""Sizes from what may be lost: the distance to the stop, the account, and how far the market moves."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

import numpy as np

from engines.confirmation.risk_situation import order_price
from engines.confirmation.wording import plain, price
from engines.domain.candles import CandleFrame
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import OrderIntent, Stake
from engines.domain.timeframe import Timeframe
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData

ATR_LENGTH: Final = 14
ATR_TIMEFRAME: Final[Timeframe] = "1h"
# Wilder's mean forgets its first value slowly: after so many candles it no longer shows.
_ATR_HISTORY: Final = 200
_FARTHEST: Final = Decimal(20)
RISK_UNITS: Final = frozenset({"risk", "risk_quote"})


def average_true_range(candles: CandleFrame, length: int = ATR_LENGTH) -> float:
    """Wilder's mean of the true range at the last candle, quote units.

    The true range of a candle is the largest of high - low, |high - previous close| and |low - previous close|; the
    mean starts as that of the first `length` ranges. No look-ahead.

    Raises:
        InsufficientData: fewer than `length + 1` candles.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978).
    """
    if len(candles) <= length:
        raise InsufficientData(
            f"{candles.symbol} has {len(candles)} closed {candles.timeframe} candles, and an average true range of "
            f"{length} needs {length + 1}."
        )
    before = candles.close[:-1]
    ranges = np.maximum(candles.high[1:], before) - np.minimum(candles.low[1:], before)
    mean = float(ranges[:length].mean())
    for value in ranges[length:]:
        mean += (float(value) - mean) / length
    return mean


def with_measured_stop(
    intent: OrderIntent, instrument: Instrument, quote: Quote, market: MarketData
) -> tuple[OrderIntent, str]:
    """The intent with the stop that it gives in average true ranges as a price, and how that price came about.

    Raises:
        InvalidRequest: the distance makes no sense, or a stop-loss is given as a price too.
        InsufficientData: the market has too few candles.
    """
    distance = intent.stop_atr
    if distance is None:
        return intent, ""
    if intent.stop_loss is not None:
        raise InvalidRequest("The stop-loss is given twice, as a price and in ATR.", remedy="Give one of them.")
    if not distance.is_finite() or not 0 < distance <= _FARTHEST:
        raise InvalidRequest(
            f"A stop {plain(distance) if distance.is_finite() else distance} ATR away makes no sense.",
            remedy=f"Give a distance above 0 and at most {_FARTHEST} ATR, for example 2.",
        )
    entry = order_price(intent, quote)
    if not entry.is_finite() or entry <= 0:
        raise InvalidRequest(
            f"{entry} is no price to measure a stop from.", remedy=f"Give a price in {instrument.quote}."
        )
    candles = market.closed_candles(intent.symbol, ATR_TIMEFRAME, count=_ATR_HISTORY)
    range_ = Decimal(repr(average_true_range(candles)))
    stop = entry - distance * range_
    if range_ <= 0 or stop <= 0:
        raise InvalidRequest(
            f"{plain(distance)} ATR below {price(entry, instrument)} is no stop: the ATR({ATR_LENGTH}) of the "
            f"{ATR_TIMEFRAME} is {price(range_, instrument)}.",
            remedy="Give the stop-loss as a price.",
        )
    note = (
        f"{plain(distance)} ATR below the entry: ATR({ATR_LENGTH}) of the {ATR_TIMEFRAME} is "
        f"{price(range_, instrument)} at the candle closed {candles.as_of:%Y-%m-%d %H:%M} UTC"
    )
    return replace(intent, stop_loss=stop, stop_atr=None), note


def quantity_at_risk(intent: OrderIntent, instrument: Instrument, quote: Quote, equity: Decimal) -> Decimal:
    """Base units, not on the lot yet, that lose at the stop-loss what the intent may lose, both fees included.

    Slippage and gaps beyond the stop are not in it.

    Args:
        intent: `unit` is `risk` (percent of equity) or `risk_quote` (quote units).
        equity: of the account, quote units.

    Raises:
        InvalidRequest: there is no stop-loss to measure by, more than the account is at stake, or it is a sell.
    """
    if intent.side == "sell":
        raise InvalidRequest(
            "A sell on a spot account ends a holding and puts nothing at risk.",
            remedy="Give the quantity to sell.",
        )
    if intent.stop_loss is None:
        raise InvalidRequest(
            "A size from a risk needs a stop: the size is the risk divided by the distance to it.",
            remedy="Give the stop as a price, or in average true ranges: `stop 2 atr`.",
        )
    if intent.unit == "risk" and intent.quantity > 100:
        raise InvalidRequest(
            f"{plain(intent.quantity)} % is more than the account.", remedy="Risk less, for example 1 %."
        )
    allowed = intent.quantity if intent.unit == "risk_quote" else intent.quantity / 100 * equity
    each = _loss_of_one(order_price(intent, quote), intent.stop_loss, instrument)
    if each <= 0:
        raise InvalidRequest("The stop-loss lies above the entry of this buy.", remedy="Give a lower stop-loss.")
    return allowed / each


def stake_of(intent: OrderIntent, instrument: Instrument, quote: Quote, equity: Decimal) -> Stake | None:
    """What the order loses at its stop-loss and gains at its take-profit, fees included; None without a stop-loss."""
    if intent.stop_loss is None or intent.side == "sell":
        return None
    entry = order_price(intent, quote)
    gain = None
    if intent.take_profit is not None:
        fees = instrument.taker_fee * (entry + intent.take_profit)
        gain = intent.quantity * (intent.take_profit - entry - fees)
    return Stake(intent.quantity * _loss_of_one(entry, intent.stop_loss, instrument), equity, gain)


def _loss_of_one(entry: Decimal, stop: Decimal, instrument: Instrument) -> Decimal:
    return entry - stop + instrument.taker_fee * (entry + stop)
