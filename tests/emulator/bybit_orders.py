"""Reads Bybit's order parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from .amounts import parse_amount
from .instruments import Instrument
from .orders import NewOrder, Refusal, Side, Trigger

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
_KEPT = ("orderFilter", "marketUnit", "takeProfit", "stopLoss", "tpLimitPrice", "slLimitPrice", "tpslMode")


def amount(params: Mapping[str, str], name: str) -> Decimal | None:
    """An amount, or None where it was not sent."""
    if not params.get(name):
        return None
    value = parse_amount(params[name])
    if value is None or value <= 0:
        raise Refusal("missing", name)
    return value


def parse_order(params: Mapping[str, str], instrument: Instrument, last: Decimal) -> NewOrder:
    """The order of `POST /v5/order/create`."""
    for name in ("side", "orderType", "qty"):
        if not params.get(name):
            raise Refusal("missing", name)
    if params["side"] not in {"Buy", "Sell"}:
        raise Refusal("side", params["side"])
    if params["orderType"] not in {"Market", "Limit"}:
        raise Refusal("order type", params["orderType"])
    if params.get("orderLinkId") and not _CLIENT_ID.fullmatch(params["orderLinkId"]):
        raise Refusal("client id")
    side: Side = "buy" if params["side"] == "Buy" else "sell"
    is_market = params["orderType"] == "Market"
    if not is_market and not params.get("price"):
        raise Refusal("missing", "price")
    force = params.get("timeInForce", "IOC" if is_market else "GTC")
    if force not in {"GTC", "IOC", "FOK", "PostOnly"}:
        raise Refusal("time in force", force)
    in_quote = is_market and params.get("marketUnit", "quoteCoin" if side == "buy" else "baseCoin") == "quoteCoin"
    quantity, stop = amount(params, "qty"), amount(params, "triggerPrice")
    details = {name: params[name] for name in _KEPT if params.get(name)}
    if stop is not None:
        details["stopOrderType"] = "tpslOrder" if params.get("orderFilter") == "tpslOrder" else "Stop"
    return NewOrder(
        instrument=instrument,
        side=side,
        is_market=is_market,
        quantity=None if in_quote else quantity,
        price=None if is_market else amount(params, "price"),
        budget=quantity if in_quote else None,
        client_id=params.get("orderLinkId", ""),
        time_in_force="GTC" if force == "PostOnly" else force,
        post_only=force == "PostOnly",
        trigger=_trigger(params, stop, last) if stop else None,
        details=details,
    )


def _trigger(params: Mapping[str, str], stop: Decimal, last: Decimal) -> Trigger:
    # Where no direction is given, spot takes the side of the market on which the price lies.
    given = params.get("triggerDirection")
    upward = given == "1" if given else stop > last
    return Trigger(stop, "up" if upward else "down")


def exits_of(params: Mapping[str, str], entry: NewOrder) -> list[NewOrder]:
    """The take-profit and the stop-loss that an order carries; they sell what it bought, or buy back."""
    side: Side = "sell" if entry.side == "buy" else "buy"
    found = []
    for name, prefix, word in (("takeProfit", "tp", "TakeProfit"), ("stopLoss", "sl", "StopLoss")):
        stop = amount(params, name)
        if stop is None:
            continue
        limit = amount(params, f"{prefix}LimitPrice")
        upward = (entry.side == "buy") == (name == "takeProfit")
        found.append(
            NewOrder(
                instrument=entry.instrument,
                side=side,
                is_market=limit is None,
                quantity=entry.quantity,
                price=limit,
                trigger=Trigger(stop, "up" if upward else "down"),
                details={"orderFilter": "tpslOrder", "stopOrderType": word},
            )
        )
    if found and (entry.is_market or entry.quantity is None):
        raise Refusal("order type", "take-profit and stop-loss go with limit orders only")
    return found
