"""Turning what somebody wants into numbers the market takes, or saying what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from engines.confirmation.risk import order_price, require_minimum
from engines.confirmation.sizing import RISK_UNITS, quantity_at_risk
from engines.confirmation.wording import plain, price
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import OrderIntent, Side
from engines.errors import InvalidRequest

# Nothing traded has this many units; more is a slip that arithmetic should not be asked to carry.
_ABSURD: Final = Decimal(10**15)
_ALLOWED: Final = f"it must be a number above 0 and at most {_ABSURD:,f}"
_PRICES: Final = ("limit_price", "stop_price", "stop_loss", "take_profit")


def normalised(intent: OrderIntent, instrument: Instrument, quote: Quote, equity: Decimal) -> OrderIntent:
    """The same intent with its quantity in base units on the lot and its prices on the tick.

    Quantities round down and prices toward safety, so nothing becomes larger or dearer than asked.

    Args:
        equity: of the account, quote units; what a percentage is taken of.

    Raises:
        InvalidRequest: a number makes no sense, the order contradicts itself, or it is below the minimum.
    """
    _require_numbers(intent, instrument)
    _require_prices_of_type(intent)
    intent = _on_tick(intent, instrument)
    _require_sides(intent, instrument, quote)
    value = order_price(intent, quote)
    quantity = intent.quantity
    if intent.unit == "quote":
        quantity = intent.quantity / value
    elif intent.unit == "percent":
        quantity = intent.quantity / 100 * equity / value
    elif intent.unit in RISK_UNITS:
        quantity = quantity_at_risk(intent, instrument, quote, equity)
    require_minimum(quantity, instrument, value)
    return replace(intent, quantity=instrument.round_quantity(quantity), unit="base")


def _require_numbers(intent: OrderIntent, instrument: Instrument) -> None:
    value: object = intent.quantity
    if not _is_amount(value):
        raise InvalidRequest(
            f"{_told(value)} is no quantity to {intent.side}: {_ALLOWED}.",
            remedy=f"Say how much, for example 0.05 {instrument.base}, 500 {instrument.quote} or 2 % of the account.",
        )
    for name in _PRICES:
        value = getattr(intent, name)
        if value is not None and not _is_amount(value):
            raise InvalidRequest(
                f"{_told(value)} is no {_spoken(name)}: {_ALLOWED}.",
                remedy=f"Give a price in {instrument.quote}.",
            )


def _require_prices_of_type(intent: OrderIntent) -> None:
    kind = intent.order_type
    if kind == "limit" and intent.limit_price is None:
        raise InvalidRequest("A limit order needs a limit price.", remedy="Give the price, or order at market.")
    if kind == "stop" and intent.stop_price is None:
        raise InvalidRequest("A stop order needs a stop price.", remedy="Give the price that triggers it.")
    if kind != "limit" and intent.limit_price is not None:
        raise InvalidRequest(
            f"A {kind} order takes no limit price, and {plain(intent.limit_price)} was given.",
            remedy="Make it a limit order, or leave the limit price out.",
        )
    if kind != "stop" and intent.stop_price is not None:
        raise InvalidRequest(
            f"A {kind} order takes no stop price, and {plain(intent.stop_price)} was given.",
            remedy="Make it a stop order, or give a stop-loss to protect the position.",
        )


def _on_tick(intent: OrderIntent, instrument: Instrument) -> OrderIntent:
    closing: Side = "sell" if intent.side == "buy" else "buy"
    sides: dict[str, Side] = {"limit_price": intent.side, "stop_price": intent.side}
    rounded: dict[str, Any] = {}
    for name in _PRICES:
        value = getattr(intent, name)
        if value is not None:
            rounded[name] = instrument.round_price(value, sides.get(name, closing))
            if rounded[name] <= 0:
                raise InvalidRequest(
                    f"{plain(value)} is below the price step of {intent.symbol}, {plain(instrument.tick_size)}.",
                    remedy="Give a higher price.",
                )
    return replace(intent, **rounded)


def _require_sides(intent: OrderIntent, instrument: Instrument, quote: Quote) -> None:
    """Stop prices beyond the market, stop-loss below the entry and take-profit above it."""
    protected = intent.stop_loss is not None or intent.take_profit is not None
    if intent.side == "sell" and protected:
        raise InvalidRequest(
            "A sell on a spot account ends a holding, so it takes no stop-loss or take-profit.",
            remedy="To protect a holding, propose a sell with a stop price or a limit price.",
        )
    trigger = intent.stop_price
    if trigger is not None and (trigger <= quote.ask if intent.side == "buy" else trigger >= quote.bid):
        side = "above" if intent.side == "buy" else "below"
        raise InvalidRequest(
            f"A {intent.side} stop must lie {side} the price, {price(quote.taking(intent.side), instrument)}; "
            f"{price(trigger, instrument)} would trigger at once.",
            remedy="Move the stop price, or order at market.",
        )
    own = intent.limit_price or intent.stop_price
    below, above = own or quote.bid, own or quote.ask
    if intent.stop_loss is not None and intent.stop_loss >= below:
        raise InvalidRequest(
            f"The stop-loss {price(intent.stop_loss, instrument)} is not below the entry of this buy, "
            f"{price(below, instrument)}.",
            remedy="Give a lower stop-loss.",
        )
    if intent.take_profit is not None and intent.take_profit <= above:
        raise InvalidRequest(
            f"The take-profit {price(intent.take_profit, instrument)} is not above the entry of this buy, "
            f"{price(above, instrument)}.",
            remedy="Give a higher take-profit.",
        )


def _is_amount(value: object) -> bool:
    """True for a decimal that somebody can have meant; a truth value or a text is none, whatever the types say."""
    return isinstance(value, Decimal) and value.is_finite() and 0 < value <= _ABSURD


def _told(value: object) -> str:
    if isinstance(value, Decimal) and value.is_finite() and abs(value) <= _ABSURD:
        return plain(value)
    return str(value)


def _spoken(name: str) -> str:
    return name.replace("stop_loss", "stop-loss").replace("take_profit", "take-profit").replace("_", " ")
