"""Kraken's names, and its documents for orders, trades and markets."""

from __future__ import annotations

from .amounts import ZERO, fixed, places_of
from .exchanges import Json
from .fees import FeeSchedule
from .instruments import Instrument
from .orders import Fill, Order

_LONG = {"BTC": "XXBT", "ETH": "XETH", "USD": "ZUSD"}
_SHORT = {"BTC": "XBT"}
_REASONS = {"cancelled": "User requested"}
_STATES = {"waiting": "pending", "untriggered": "open", "filled": "closed", "cancelled": "canceled"}


def asset_id(asset: str) -> str:
    """`XXBT` for `BTC`."""
    return _LONG.get(asset, asset)


def alt_name(instrument: Instrument) -> str:
    """`XBTUSD` for `BTC/USD`."""
    return short_name(instrument.base) + short_name(instrument.quote)


def short_name(asset: str) -> str:
    """`XBT` for `BTC`."""
    return _SHORT.get(asset, asset)


def market_id(instrument: Instrument) -> str:
    """`XXBTZUSD` for `BTC/USD`; pairs with an asset that never had a long name use the short ones."""
    if {instrument.base, instrument.quote} <= set(_LONG):
        return asset_id(instrument.base) + asset_id(instrument.quote)
    return alt_name(instrument)


def names_of(instrument: Instrument) -> set[str]:
    """Every name a request may use for a market."""
    return {
        market_id(instrument),
        alt_name(instrument),
        f"{short_name(instrument.base)}/{short_name(instrument.quote)}",
    }


def status_of(order: Order) -> str:
    """The venue's word for the order's state; what a market order could not fill is cancelled."""
    if order.state == "expired":
        return "expired" if order.reason == "time" else "canceled"
    return _STATES.get(order.state, "open")


def price_text(order: Order, value: object) -> str:
    """A price with as many decimals as its market has."""
    places = places_of(order.instrument.price_tick)
    return f"{value:.{places}f}" if value else "0"


def description(order: Order) -> str:
    """The sentence that describes an order, as `AddOrder` answers it."""
    words = order.request.details["ordertype"].removesuffix("-limit") if order.request.trigger else ""
    amount = order.request.budget if order.request.budget is not None else order.quantity
    head = f"{order.side} {fixed(amount, 8)} {alt_name(order.instrument)} @"
    limit = f"limit {price_text(order, order.price)}"
    if order.request.trigger is None:
        return f"{head} {limit if order.price is not None else 'market'}"
    stop = f"{head} {words.replace('-', ' ')} {price_text(order, order.request.trigger.price)}"
    return f"{stop} -> {limit}" if order.price is not None else stop


def order_document(order: Order, fees: FeeSchedule) -> Json:
    """An order as the look-ups show it."""
    request, trigger = order.request, order.request.trigger
    first = trigger.price if trigger else order.price
    second = order.price if trigger else None
    document = {
        "refid": None,
        "userref": int(request.details["userref"]) if "userref" in request.details else None,
        "status": status_of(order),
        "opentm": order.created_ms / 1000,
        "starttm": 0,
        "expiretm": (request.expires_ms or 0) // 1000,
        "descr": {
            "pair": alt_name(order.instrument),
            "type": order.side,
            "ordertype": request.details["ordertype"],
            "price": price_text(order, first),
            "price2": price_text(order, second),
            "leverage": "none",
            "order": description(order),
            "close": request.details.get("close", ""),
        },
        "vol": fixed(order.quantity, 8),
        "vol_exec": fixed(order.filled, 8),
        "cost": fixed(order.notional, 5),
        "fee": fixed(sum((fill.fee for fill in order.fills), ZERO), 8),
        "price": price_text(order, order.average),
        "stopprice": price_text(order, trigger.price if trigger and order.triggered_ms else None),
        "limitprice": "0.00000",
        "misc": "",
        "oflags": _flags(order, fees),
        "trades": [fill.id for fill in order.fills],
    }
    if order.client_id:
        document["cl_ord_id"] = order.client_id
    if not order.is_live:
        document |= {"closetm": order.updated_ms / 1000, "reason": order.reason or _REASONS.get(order.state)}
    return document


def _flags(order: Order, fees: FeeSchedule) -> str:
    flags = [flag for flag in order.request.details.get("oflags", "").split(",") if flag]
    if not {"fcib", "fciq"} & set(flags):
        flags.append("fcib" if fees.in_base(order.side) else "fciq")
    return ",".join(flags)


def trade_document(order: Order, fill: Fill) -> Json:
    """One execution as `TradesHistory` shows it."""
    return {
        "ordertxid": order.id,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": market_id(order.instrument),
        "aclass": "forex",
        "time": fill.at_ms / 1000,
        "type": order.side,
        "ordertype": order.request.details["ordertype"],
        "price": price_text(order, fill.price),
        "cost": fixed(fill.notional, 5),
        "fee": fixed(fill.fee, 8),
        "vol": fixed(fill.quantity, 8),
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": fill.number,
        "maker": fill.maker,
    }


def market_document(instrument: Instrument, fees: FeeSchedule) -> Json:
    """One entry of `AssetPairs`."""
    return {
        "altname": alt_name(instrument),
        "wsname": f"{short_name(instrument.base)}/{short_name(instrument.quote)}",
        "aclass_base": "currency",
        "base": asset_id(instrument.base),
        "aclass_quote": "currency",
        "quote": asset_id(instrument.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": places_of(instrument.price_tick),
        "lot_decimals": places_of(instrument.quantity_step),
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, float(fees.taker * 100)]],
        "fees_maker": [[0, float(fees.maker * 100)]],
        "fee_volume_currency": "ZUSD",
        "ordermin": str(instrument.min_quantity),
        "costmin": str(instrument.min_notional),
        "tick_size": str(instrument.price_tick),
        "status": "online" if instrument.trading else "cancel_only",
    }
