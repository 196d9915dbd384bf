"""Reads Binance's order parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from .amounts import parse_amount, places_of
from .instruments import Instrument
from .orders import NewOrder, Refusal, Side, Trigger

_CLIENT_ID = re.compile(r"^[a-zA-Z0-9\-_.:/]{1,36}$")
_NEEDS = {
    "LIMIT": ("timeInForce", "quantity", "price"),
    "LIMIT_MAKER": ("quantity", "price"),
    "MARKET": (),
    "STOP_LOSS": ("quantity", "stopPrice"),
    "TAKE_PROFIT": ("quantity", "stopPrice"),
    "STOP_LOSS_LIMIT": ("timeInForce", "quantity", "price", "stopPrice"),
    "TAKE_PROFIT_LIMIT": ("timeInForce", "quantity", "price", "stopPrice"),
}


def amount(params: Mapping[str, str], name: str) -> Decimal | None:
    """An amount with at most eight decimals, or None where it was not sent."""
    if name not in params:
        return None
    value = parse_amount(params[name])
    if value is None or value < 0:
        raise Refusal("missing", name)
    if value and places_of(value) > 8:
        raise Refusal("precision", name)
    return value


def client_id(params: Mapping[str, str], name: str, fallback: str) -> str:
    """The client's id for an order, or the venue's own."""
    given = params.get(name, "")
    if given and not _CLIENT_ID.match(given):
        raise Refusal("client id", given)
    return given or fallback


def side_of(params: Mapping[str, str], name: str = "side") -> Side:
    """Buy or sell."""
    if name not in params:
        raise Refusal("missing", name)
    word = params[name]
    if word not in {"BUY", "SELL"}:
        raise Refusal("side", word)
    return "buy" if word == "BUY" else "sell"


def parse_order(params: Mapping[str, str], instrument: Instrument, fallback_id: str) -> NewOrder:
    """An order from the parameters of one order route."""
    kind = params.get("type", "")
    if not kind:
        raise Refusal("missing", "type")
    if kind not in _NEEDS:
        raise Refusal("order type", kind)
    for name in _NEEDS[kind]:
        if not params.get(name):
            raise Refusal("missing", name)
    if kind == "MARKET" and "price" in params:
        raise Refusal("surplus", "price")
    if kind == "MARKET" and ("quantity" in params) == ("quoteOrderQty" in params):
        raise Refusal("missing", "quantity")
    side, force = side_of(params), params.get("timeInForce", "GTC")
    if force not in {"GTC", "IOC", "FOK"}:
        raise Refusal("time in force", force)
    return NewOrder(
        instrument=instrument,
        side=side,
        is_market=kind in {"MARKET", "STOP_LOSS", "TAKE_PROFIT"},
        quantity=amount(params, "quantity"),
        price=amount(params, "price"),
        budget=amount(params, "quoteOrderQty"),
        client_id=client_id(params, "newClientOrderId", fallback_id),
        time_in_force=force,
        post_only=kind == "LIMIT_MAKER",
        trigger=trigger_of(kind, side, amount(params, "stopPrice")),
        details={"type": kind},
    )


def trigger_of(kind: str, side: Side, price: Decimal | None) -> Trigger | None:
    """Stops fire when the price moves against the position, take-profits when it moves with it."""
    if not kind.startswith(("STOP_LOSS", "TAKE_PROFIT")):
        return None
    if price is None:
        raise Refusal("missing", "stopPrice")
    upward = (side == "buy") == kind.startswith("STOP_LOSS")
    return Trigger(price, "up" if upward else "down")


def parse_leg(params: Mapping[str, str], prefix: str, common: Mapping[str, str], at: Instrument, name: str) -> NewOrder:
    """One order of a list, whose parameters carry a prefix such as `above` or `pendingBelow`."""
    wanted = {"Type": "type", "Price": "price", "StopPrice": "stopPrice", "TimeInForce": "timeInForce"}
    wanted |= {"ClientOrderId": "newClientOrderId", "Side": "side", "Quantity": "quantity"}
    own = {wanted[field]: params[prefix + field] for field in wanted if prefix + field in params}
    if own.get("type") in {"STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"} and "timeInForce" not in own:
        raise Refusal("missing", f"{prefix}TimeInForce")
    return parse_order({**common, **own}, at, name)


def check_legs(above: NewOrder, below: NewOrder, last: Decimal | None) -> None:
    """The two legs of an OCO must lie above and below the market, and be two different kinds of exit."""
    tops, bottoms = _level(above), _level(below)
    maker = {"LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"}
    same = (above.details["type"] in maker) == (below.details["type"] in maker)
    if same or tops <= bottoms or (last is not None and not bottoms < last < tops):
        raise Refusal("list prices")


def _level(new: NewOrder) -> Decimal:
    level = new.trigger.price if new.trigger else new.price
    if level is None:
        raise Refusal("list prices")
    return level
