"""The checks an order passes before the venue books it."""

from __future__ import annotations

from decimal import Decimal

from .amounts import ZERO, floored, on_grid
from .book import crosses
from .orders import NewOrder, Order, Refusal, Side
from .venue import Venue


def admit(venue: Venue, new: NewOrder) -> None:
    """Refuse what breaks a filter of the instrument or reuses a client id."""
    if not new.instrument.trading:
        raise Refusal("not trading", new.instrument.symbol)
    _check_client_id(venue, new.client_id)
    for price in (new.price, new.trigger.price if new.trigger else None):
        if price is not None:
            check_price(venue, new, price)
    if new.quantity is not None:
        check_quantity(new, new.quantity)
        check_notional(venue, new, new.quantity, new.price)
    elif new.budget is None or new.budget <= 0:
        raise Refusal("quantity", str(new.budget))
    elif new.budget < new.instrument.min_notional:
        raise Refusal("min notional", str(new.budget))
    if new.trigger and new.trigger.reached(venue.last[new.instrument.symbol]):
        raise Refusal("would trigger", str(new.trigger.price))
    if new.post_only and venue.rules.post_only == "refuse" and not new.trigger and would_take(venue, new):
        raise Refusal("would take", str(new.price))


def _check_client_id(venue: Venue, client_id: str) -> None:
    known = venue.by_client_id.get(client_id, ()) if client_id else ()
    if any(order.is_live or venue.rules.unique_client_id == "ever" for order in known):
        raise Refusal("duplicate client id", client_id)


def check_price(venue: Venue, new: NewOrder, price: Decimal) -> None:
    """Refuse a price off the tick or far from the market."""
    last, instrument = venue.last[new.instrument.symbol], new.instrument
    if price <= 0 or not on_grid(price, instrument.price_tick):
        raise Refusal("price tick", str(price))
    if not last / instrument.band <= price <= last * instrument.band:
        raise Refusal("price band", str(price))


def check_quantity(new: NewOrder, quantity: Decimal) -> None:
    """Refuse a quantity off the step or outside the limits."""
    instrument = new.instrument
    if quantity <= 0 or quantity < instrument.min_quantity:
        raise Refusal("min quantity", str(quantity))
    if quantity > instrument.max_quantity:
        raise Refusal("max quantity", str(quantity))
    if not on_grid(quantity, instrument.quantity_step):
        raise Refusal("quantity step", str(quantity))


def check_notional(venue: Venue, new: NewOrder, quantity: Decimal, price: Decimal | None) -> None:
    """Refuse an order that is worth too little or too much."""
    at = price or (new.trigger.price if new.trigger else venue.last[new.instrument.symbol])
    if at * quantity < new.instrument.min_notional:
        raise Refusal("min notional", str(at * quantity))
    if at * quantity > new.instrument.max_notional:
        raise Refusal("max notional", str(at * quantity))


def would_take(venue: Venue, new: NewOrder) -> bool:
    """Whether the order would execute at once."""
    best = venue.books[new.instrument.symbol].against(new.side).best()
    return best is not None and best.price is not None and crosses(new.side, new.price, best.price)


def reachable(venue: Venue, new: NewOrder) -> Decimal:
    """Base units the book offers within the order's limit."""
    side = venue.books[new.instrument.symbol].against(new.side)
    return sum((o.remaining for o in side if o.price is not None and crosses(new.side, new.price, o.price)), ZERO)


def affordable(venue: Venue, new: NewOrder, budget: Decimal) -> Decimal:
    """Base units that `budget` quote units buy (or, selling, that bring them in), on the grid."""
    bought, left = ZERO, budget
    for resting in venue.books[new.instrument.symbol].against(new.side):
        if resting.price is None or left <= 0:
            break
        taken = min(resting.remaining, floored(left / resting.price, new.instrument.quantity_step))
        bought, left = bought + taken, left - taken * resting.price
        if taken < resting.remaining:
            break
    return bought


def cost_of(venue: Venue, symbol: str, side: Side, quantity: Decimal) -> Decimal:
    """Quote units that a market order of that quantity moves now; what the book lacks is priced at the last trade."""
    cost, left = ZERO, quantity
    for resting in venue.books[symbol].against(side):
        if resting.price is None or left <= 0:
            break
        taken = min(left, resting.remaining)
        cost, left = cost + taken * resting.price, left - taken
    return cost + left * venue.last[symbol]


def held_asset(order: Order) -> str:
    """The currency an order holds back while it is live."""
    return order.instrument.base if order.side == "sell" else order.instrument.quote


def need_of(venue: Venue, order: Order) -> Decimal:
    """What the rest of an order may still spend, with a fee charged on top."""
    on_top = 1 + venue.fees_of(order).on_top(order.side)
    if order.side == "sell":
        return order.remaining * on_top
    trigger = order.request.trigger
    if order.price is not None:
        return order.price * order.remaining * on_top
    if trigger is not None and order.triggered_ms is None:
        return trigger.price * order.remaining * on_top
    return cost_of(venue, order.instrument.symbol, "buy", order.remaining) * on_top
