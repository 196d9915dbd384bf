"""Accepts, executes, cancels and amends orders in price-time priority."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from . import admission
from .accounts import Account
from .amounts import ZERO
from .book import crosses
from .events import BalanceChanged, BookChanged, Execution, OrderChanged, Traded
from .orders import Fill, NewOrder, Order, Refusal, State
from .settlement import settle
from .venue import Venue


class Engine:
    """The only writer of a venue's orders. Every public method leaves the venue settled and published."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self._moved: set[str] = set()
        self._spent: set[str] = set()
        self._closing: list[NewOrder] = []
        self._timed: dict[str, Order] = {}
        self._dormant: dict[str, Order] = {}
        self.is_held = False
        """While true nothing is published and no stop fires: the market is being rebuilt."""

    def place(self, new: NewOrder, account: Account | None = None) -> Order:
        """Book an order of the client, or of somebody else if an account is given.

        Raises:
            Refusal: a filter, the balance, or the kind of order forbids it. Nothing is booked then.
        """
        owner = account or self.venue.account
        self.expire_due()
        if not owner.unlimited:
            admission.admit(self.venue, new)
        order = self.draft(new, owner)
        if new.time_in_force == "FOK" and not new.trigger and admission.reachable(self.venue, new) < order.quantity:
            order.request = replace(new, time_in_force="FOK-MISS")
        self.check_funds(order)
        self.register(order)
        self.enter(order)
        self.publish()
        return order

    def draft(self, new: NewOrder, owner: Account) -> Order:
        """Make an order that nobody knows yet."""
        venue = self.venue
        number, now = venue.number("order"), venue.clock.now_ms()
        quantity = new.quantity if new.quantity is not None else admission.affordable(venue, new, new.budget or ZERO)
        return Order(
            number=number,
            id=venue.rules.order_id(number),
            account=owner,
            request=new,
            created_ms=now,
            quantity=quantity,
            price=None if new.is_market else new.price,
            client_id=new.client_id,
            state="waiting",
            updated_ms=now,
            visible_ms=now + venue.hide_for_ms if venue.hide_for_ms else 0,
        )

    def check_funds(self, order: Order) -> None:
        """Refuse what the account cannot pay."""
        need = admission.need_of(self.venue, order)
        if not order.account.can_spend(admission.held_asset(order), need):
            raise Refusal("insufficient", f"{need} {admission.held_asset(order)}")

    def register(self, order: Order) -> None:
        """Make the order known, unless it is somebody else's."""
        if not order.account.unlimited:
            self.venue.register(order)
            if order.request.expires_ms is not None:
                self._timed[order.id] = order

    def enter(self, order: Order) -> None:
        """Put an accepted order to sleep until its trigger, or to work."""
        if order.request.trigger is not None:
            self.hold(order)
            self.sleep(order)
        else:
            self.work(order, "new")

    def sleep(self, order: Order) -> None:
        """Let an order wait for its trigger, which may have been reached meanwhile."""
        order.state = "untriggered"
        self._dormant[order.id] = order
        self._moved.add(order.instrument.symbol)
        self.tell(order, "new")

    def work(self, order: Order, word: Execution) -> None:
        """Execute against the book and rest what may rest."""
        new = order.request
        order.state = "open"
        self.tell(order, word)
        if new.time_in_force == "FOK-MISS" or (new.post_only and self.takes(order)):
            self.close(
                order, "cancelled" if new.post_only else "expired", reason="post only" if new.post_only else "FOK"
            )
            return
        self._match(order)
        if not order.is_live:
            return
        if order.price is None or new.time_in_force in {"IOC", "FOK"}:
            self.close(order, "expired", reason="no liquidity" if order.price is None else new.time_in_force)
            return
        self.hold(order)
        self.venue.books[order.instrument.symbol].add(order)

    def takes(self, order: Order) -> bool:
        """Whether the order would execute at once."""
        return admission.would_take(self.venue, replace(order.request, price=order.price))

    def _match(self, order: Order) -> None:
        book = self.venue.books[order.instrument.symbol]
        while order.is_live and order.remaining > 0:
            maker = book.against(order.side).best()
            if maker is None or maker.price is None or not crosses(order.side, order.price, maker.price):
                return
            self.trade(order, maker, maker.price, min(order.remaining, maker.remaining))

    def trade(self, taker: Order, maker: Order, price: Decimal, quantity: Decimal) -> None:
        """Execute two orders against each other; the maker rests on the book."""
        venue, symbol = self.venue, taker.instrument.symbol
        number, now = venue.number("trade"), venue.clock.now_ms()
        book = venue.books[symbol]
        if maker.remaining == quantity:
            book.remove(maker)
        else:
            book.shrink(maker, quantity)
        fills = [(maker, settle(venue, maker, price, quantity, maker=True, number=number))]
        fills += [(taker, settle(venue, taker, price, quantity, maker=False, number=number))]
        venue.last[symbol] = price
        self._moved.add(symbol)
        buyer, seller = (taker, maker) if taker.side == "buy" else (maker, taker)
        public = Traded(taker.instrument, number, price, quantity, taker.side, now, buyer, seller)
        venue.trades[symbol].append(public)
        venue.emit(public)
        for order, fill in fills:
            self._after_fill(order, fill)

    def _after_fill(self, order: Order, fill: Fill) -> None:
        venue, group = self.venue, order.group
        order.updated_ms = fill.at_ms
        if order.remaining == 0:
            order.state = "filled"
            venue.live.pop(order.id, None)
        if not order.account.unlimited:
            venue.fills.append((order, fill))
        if group is not None and order is not group.first:
            self.close_others(order)
        if fill.maker:
            self.hold(order)
        self.tell(order, "trade", fill)
        template = order.request.on_fill
        if template is not None:
            self._closing.append(replace(template, quantity=fill.quantity))
        if group is not None and order is group.first and order.state == "filled":
            self.open_rest(order)

    def open_rest(self, first: Order) -> None:
        """Start the orders that waited for `first`; the group engine knows how."""
        raise NotImplementedError

    def close_others(self, order: Order) -> None:
        """End the other orders of a list once one of them executes."""
        if order.group is not None:
            for other in order.group.rest:
                if other is not order and other.is_live:
                    self.close(other, "expired", reason="other leg")

    def hold(self, order: Order) -> None:
        """Reserve what the rest of the order may spend, and free what it no longer needs."""
        need = admission.need_of(self.venue, order) if order.is_live else ZERO
        self.hold_exactly(order, need)

    def hold_exactly(self, order: Order, need: Decimal) -> None:
        """Reserve an amount for an order."""
        if not order.account.unlimited:
            order.account.reserved[admission.held_asset(order)] += need - order.reserved
            order.reserved = need

    def close(self, order: Order, state: State, *, reason: str = "") -> None:
        """End a live order and free its reserve."""
        if order.resting:
            self.venue.books[order.instrument.symbol].remove(order)
        order.state, order.reason, order.updated_ms = state, reason, self.venue.clock.now_ms()
        self.venue.live.pop(order.id, None)
        self.hold(order)
        self.tell(order, "cancelled" if state == "cancelled" else "expired")

    def cancel(self, order: Order, *, by_venue: bool = False) -> None:
        """Cancel an order, and with it the list it belongs to; `by_venue` for reasons of the venue's own.

        Raises:
            Refusal: the order is no longer live.
        """
        self.expire_due()
        if not order.is_live:
            raise Refusal("not open", order.id)
        for each in order.group.orders if order.group else [order]:
            if each.is_live:
                self.close(each, "expired" if by_venue else "cancelled")
        self.publish()

    def amend(self, order: Order, *, quantity: Decimal | None, price: Decimal | None) -> None:
        """Change quantity or price; only a smaller quantity at the same price keeps its place in the queue.

        Raises:
            Refusal: the order is not on the book, or the new values break a filter or the balance.
        """
        new = replace(order.request, quantity=quantity or order.quantity, price=price or order.price, client_id="")
        if order.state != "open" or order.price is None:
            raise Refusal("not open", order.id)
        size = new.quantity or order.quantity
        if size <= order.filled:
            raise Refusal("quantity", str(size))
        admission.check_quantity(new, size)
        admission.check_notional(self.venue, new, size, new.price)
        if new.price is not None:
            admission.check_price(self.venue, new, new.price)
        trial = replace(order, request=new, quantity=size, price=new.price)
        more = admission.need_of(self.venue, trial) - order.reserved
        if not order.account.can_spend(admission.held_asset(order), more):
            raise Refusal("insufficient", str(more))
        book = self.venue.books[order.instrument.symbol]
        if new.price == order.price and size <= order.quantity:
            book.shrink(order, order.quantity - size)
            order.quantity = size
            self.hold(order)
            self.tell(order, "amended")
        else:
            book.remove(order)
            order.quantity, order.price, order.request = size, new.price, replace(new, client_id=order.client_id)
            self.hold_exactly(order, ZERO)
            self.work(order, "amended")
        self.publish()

    def expire_due(self) -> None:
        """End the orders whose time is over."""
        now = self.venue.clock.now_ms()
        for order in list(self._timed.values()):
            due = order.request.expires_ms is not None and order.request.expires_ms <= now
            if due or not order.is_live:
                del self._timed[order.id]
            if due and order.is_live:
                self.close(order, "expired", reason="time")

    def tell(self, order: Order, word: Execution, fill: Fill | None = None) -> None:
        """Announce one step of a client's order; the balances follow when all is settled."""
        if order.account.unlimited:
            return
        self._spent |= {order.instrument.base, order.instrument.quote, *([fill.fee_currency] if fill else [])}
        self.venue.emit(OrderChanged(order, word, fill))

    def publish(self) -> None:
        """Fire the stops that trades reached, place the closing orders, and publish changed levels."""
        if self.is_held:
            return
        while self._moved or self._closing:
            self._fire_reached()
            closing, self._closing = self._closing, []
            for new in closing:
                self._place_closing(self.draft(new, self.venue.account))
        if self._spent:
            spent, self._spent = tuple(sorted(self._spent)), set()
            self.venue.emit(BalanceChanged(self.venue.account, spent, self.venue.clock.now_ms()))
        for symbol, book in self.venue.books.items():
            if book.touched:
                self._publish_book(symbol)

    def _place_closing(self, order: Order) -> None:
        try:
            self.check_funds(order)
        except Refusal:
            # What the execution left after its fee may be less than what was executed.
            return
        self.register(order)
        self.enter(order)

    def _fire_reached(self) -> None:
        moved, self._moved = self._moved, set()
        for order in list(self._dormant.values()):
            trigger = order.request.trigger
            if order.state != "untriggered" or trigger is None:
                self._dormant.pop(order.id, None)
            elif order.instrument.symbol in moved and trigger.reached(self.venue.last[order.instrument.symbol]):
                del self._dormant[order.id]
                self._fire(order)

    def _fire(self, order: Order) -> None:
        order.triggered_ms = order.updated_ms = self.venue.clock.now_ms()
        self.close_others(order)
        self.hold_exactly(order, ZERO)
        try:
            self.check_funds(order)
        except Refusal:
            self.close(order, "expired", reason="insufficient at trigger")
        else:
            self.work(order, "triggered")

    def _publish_book(self, symbol: str) -> None:
        book = self.venue.books[symbol]
        changes = book.changes()
        first, book.sequence = book.sequence + 1, book.sequence + len(changes)
        now = self.venue.clock.now_ms()
        self.venue.emit(BookChanged(self.venue.instruments[symbol], first, book.sequence, tuple(changes), now))
