"""Lists of orders: one cancels the other, one triggers the other, and brackets of both."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from . import admission
from .amounts import ZERO, floored
from .matching import Engine
from .orders import Group, NewOrder, Order, Refusal


class GroupEngine(Engine):
    """The matching engine with order lists."""

    def place_group(self, first: NewOrder | None, rest: list[NewOrder], client_id: str = "") -> Group:
        """Book a list: `rest` is live at once, or waits until `first` has filled.

        Raises:
            Refusal: one of the orders breaks a rule. Nothing is booked then.
        """
        venue = self.venue
        self.expire_due()
        for new in [*([first] if first else []), *rest]:
            # What waits for `first` is judged against the market of that later moment.
            waits = first is not None and new is not first
            admission.admit(venue, replace(new, post_only=False, trigger=None) if waits else new)
        orders = [self.draft(new, venue.account) for new in ([first] if first else []) + rest]
        for order in orders[:1] if first else orders:
            self.check_funds(order)
        number = venue.number("group")
        now = venue.clock.now_ms()
        instrument = rest[0].instrument
        group = Group(number, str(number), client_id, venue.account, instrument, orders[0] if first else None)
        group.rest, group.created_ms = orders[1:] if first else orders, now
        venue.groups[group.id] = group
        for order in orders:
            order.group = group
            self.register(order)
        if group.first is not None:
            for waiting in group.rest:
                self.tell(waiting, "new")
            self.enter(group.first)
            self._drop_rest_of_dead(group)
        else:
            self._start(group)
        self.publish()
        return group

    def _drop_rest_of_dead(self, group: Group) -> None:
        first = group.first
        if first is not None and first.state in {"expired", "cancelled"}:
            for waiting in group.rest:
                if waiting.is_live:
                    self.close(waiting, "expired", reason="first order ended")

    def open_rest(self, first: Order) -> None:
        """Start the orders that waited for `first` to fill."""
        group = first.group
        if group is None:
            return
        if self.venue.rules.closes_net_of_fee:
            left = first.filled - sum((f.fee for f in first.fills if f.fee_currency == first.instrument.base), ZERO)
            for order in group.rest:
                order.quantity = min(order.quantity, floored(left, first.instrument.quantity_step))
        self._start(group)

    def _start(self, group: Group) -> None:
        waiting = [order for order in group.rest if order.state == "waiting"]
        if not waiting:
            return
        need: Decimal = max(admission.need_of(self.venue, order) for order in waiting)
        if not group.account.can_spend(admission.held_asset(waiting[0]), need):
            for order in waiting:
                self.close(order, "expired", reason="insufficient")
            return
        # The legs exclude each other, so the dearest one is held back once.
        self.hold_exactly(waiting[0], need)
        for order in waiting:
            self._start_leg(order)

    def _start_leg(self, order: Order) -> None:
        if not order.is_live:
            return
        if order.request.trigger is not None:
            self.sleep(order)
        elif self.takes(order) or order.price is None:
            self.close_others(order)
            self.hold_exactly(order, ZERO)
            self.work(order, "new")
        else:
            order.state = "open"
            self.venue.books[order.instrument.symbol].add(order)
            self.tell(order, "new")

    def cancel_group(self, group: Group) -> None:
        """Cancel all orders of a list.

        Raises:
            Refusal: none of them is live.
        """
        live = [order for order in group.orders if order.is_live]
        if not live:
            raise Refusal("not open", group.id)
        self.cancel(live[0])
