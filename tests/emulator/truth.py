"""What really happened at a venue, for a test to compare with what a client believes."""

from __future__ import annotations

from .amounts import plain
from .exchanges import Json
from .orders import Fill, Order
from .venue import Venue


def truth_of(venue: Venue) -> Json:
    """Accepts, orders, fills and balances, whether look-ups show them or not."""
    assets = sorted({*venue.account.total, *venue.deposits})
    return {
        "accepts": dict(venue.accepts),
        "orders": [order_truth(order) for order in venue.orders.values()],
        "fills": [fill_truth(order, fill) for order, fill in venue.fills],
        "balances": {
            asset: {
                "total": plain(venue.account.total[asset]),
                "reserved": plain(venue.account.reserved[asset]),
                "free": plain(venue.account.free(asset)),
                "deposited": plain(venue.deposits[asset]),
                "paid_in_fees": plain(venue.pool.total[asset]),
            }
            for asset in assets
        },
        "last": {symbol: plain(price) for symbol, price in venue.last.items()},
        "now_ms": venue.clock.now_ms(),
        "imbalance": {asset: plain(amount) for asset, amount in venue.imbalance().items()},
        "overdrawn": {asset: plain(amount) for asset, amount in venue.overdrawn().items()},
    }


def order_truth(order: Order) -> Json:
    """One order."""
    trigger = order.request.trigger
    return {
        "id": order.id,
        "client_id": order.client_id,
        "symbol": order.instrument.symbol,
        "side": order.side,
        "state": order.state,
        "reason": order.reason,
        "quantity": plain(order.quantity),
        "price": plain(order.price) if order.price is not None else None,
        "trigger": plain(trigger.price) if trigger else None,
        "filled": plain(order.filled),
        "notional": plain(order.notional),
        "fees": {currency: plain(fee) for currency, fee in order.fees().items()},
        "external": order.request.external,
        "group": order.group.id if order.group else None,
        "created_ms": order.created_ms,
        "visible_ms": order.visible_ms,
    }


def fill_truth(order: Order, fill: Fill) -> Json:
    """One execution."""
    return {
        "id": fill.id,
        "order_id": order.id,
        "client_id": order.client_id,
        "symbol": order.instrument.symbol,
        "side": order.side,
        "price": plain(fill.price),
        "quantity": plain(fill.quantity),
        "fee": plain(fill.fee),
        "fee_currency": fill.fee_currency,
        "maker": fill.maker,
        "at_ms": fill.at_ms,
    }
