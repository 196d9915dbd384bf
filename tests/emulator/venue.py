"""The state of one venue: accounts, books, orders and trades, and who listens to it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from .accounts import Account
from .amounts import ZERO
from .book import Book
from .clock import VenueClock
from .events import Event, Traded
from .fees import FeeSchedule
from .instruments import Instrument
from .orders import Fill, Group, Order, Refusal


@dataclass(frozen=True, slots=True)
class Rules:
    """How this venue numbers things and treats the cases in which venues differ."""

    order_id: Callable[[int], str]
    fill_id: Callable[[int], str]
    unique_client_id: Literal["open", "ever"]
    post_only: Literal["refuse", "cancel"]
    closes_net_of_fee: bool = False
    """Exits that follow an entry sell what the entry left after a fee in base units."""


class Venue:
    """Everything the venue knows; the matching engine changes it, the dialects read it."""

    def __init__(self, name: str, rules: Rules, fees: FeeSchedule, account: Account, *, clock: VenueClock) -> None:
        self.name = name
        self.rules = rules
        self.fees = fees
        self.account = account
        self.clock = clock
        self.crowd = Account("everybody else", unlimited=True)
        self.pool = Account("fees", unlimited=True)
        self.deposits: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.instruments: dict[str, Instrument] = {}
        self.books: dict[str, Book] = {}
        self.last: dict[str, Decimal] = {}
        self.trades: dict[str, deque[Traded]] = {}
        self.orders: dict[str, Order] = {}
        self.live: dict[str, Order] = {}
        self.by_client_id: defaultdict[str, list[Order]] = defaultdict(list)
        self.groups: dict[str, Group] = {}
        self.fills: list[tuple[Order, Fill]] = []
        self.accepts: Counter[str] = Counter()
        self.listeners: list[Callable[[Event], None]] = []
        self.hide_for_ms = 0
        """How long the next accepted orders stay out of look-ups."""
        self.behind_ms = 0
        """How far the look-up being answered lags behind what has happened."""
        self._numbers: Counter[str] = Counter()

    def list_instrument(self, instrument: Instrument) -> None:
        """Start (or change) trading in an instrument."""
        symbol = instrument.symbol
        self.instruments[symbol] = instrument
        self.books.setdefault(symbol, Book())
        self.last.setdefault(symbol, instrument.start_price)
        self.trades.setdefault(symbol, deque(maxlen=2000))

    def deposit(self, asset: str, amount: Decimal) -> None:
        """Move money in (or out) from outside, as a transfer does."""
        if self.account.free(asset) + amount < 0:
            raise Refusal("insufficient", f"cannot take {-amount} {asset}: {self.account.free(asset)} is free")
        self.account.total[asset] += amount
        self.deposits[asset] += amount

    def fees_of(self, order: Order) -> FeeSchedule:
        """What an order pays, in the currency its client chose if the venue offers that."""
        return replace(self.fees, pay_in=order.request.fee_in) if order.request.fee_in else self.fees

    def number(self, what: str) -> int:
        """Count up one of the venue's sequences."""
        self._numbers[what] += 1
        return self._numbers[what]

    def instrument(self, symbol: str) -> Instrument:
        """Find an instrument by its unified name."""
        if symbol not in self.instruments:
            raise Refusal("unknown symbol", symbol)
        return self.instruments[symbol]

    def register(self, order: Order) -> None:
        """File an accepted order where look-ups find it."""
        self.orders[order.id] = order
        self.live[order.id] = order
        if order.client_id:
            self.by_client_id[order.client_id].append(order)
        if not order.request.external:
            self.accepts[order.client_id or order.id] += 1

    def is_visible(self, order: Order) -> bool:
        """Whether look-ups show the order yet."""
        now = self.clock.now_ms()
        return order.visible_ms <= now and (not self.behind_ms or order.created_ms <= now - self.behind_ms)

    def find(self, *, order_id: str | None = None, client_id: str | None = None) -> Order:
        """Look one order up as a client does: the newest with that client id wins."""
        found = self.orders.get(order_id) if order_id else None
        if not order_id and client_id:
            known = [order for order in self.by_client_id.get(client_id, ()) if self.is_visible(order)]
            found = known[-1] if known else None
        if found is None or not self.is_visible(found):
            raise Refusal("order not found", order_id or client_id or "")
        return found

    def live_orders(self, symbol: str | None = None) -> list[Order]:
        """Orders that may still execute, oldest first."""
        return [
            order
            for order in self.live.values()
            if self.is_visible(order) and symbol in {None, order.instrument.symbol}
        ]

    def all_orders(self, symbol: str | None = None) -> list[Order]:
        """Every order of the account, oldest first."""
        return [
            order
            for order in self.orders.values()
            if self.is_visible(order) and symbol in {None, order.instrument.symbol}
        ]

    def all_fills(self, symbol: str | None = None) -> list[tuple[Order, Fill]]:
        """Every execution of the account, oldest first."""
        latest = self.clock.now_ms() - self.behind_ms if self.behind_ms else math.inf
        return [
            (order, fill)
            for order, fill in self.fills
            if self.is_visible(order) and fill.at_ms <= latest and symbol in {None, order.instrument.symbol}
        ]

    def emit(self, event: Event) -> None:
        """Tell every listener, in the order things happen."""
        for listener in self.listeners:
            listener(event)

    def imbalance(self) -> dict[str, Decimal]:
        """Assets of which there is more or less than was paid in; empty as long as money is conserved."""
        assets = {*self.account.total, *self.crowd.total, *self.pool.total, *self.deposits}
        held = {asset: self.account.total[asset] + self.crowd.total[asset] + self.pool.total[asset] for asset in assets}
        return {asset: total - self.deposits[asset] for asset, total in held.items() if total != self.deposits[asset]}

    def overdrawn(self) -> dict[str, Decimal]:
        """Assets of which the account has reserved or spent more than it has."""
        account = self.account
        reserved: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order in self.live.values():
            reserved[order.instrument.base if order.side == "sell" else order.instrument.quote] += order.reserved
        wrong = {
            asset: reserved[asset]
            for asset in {*reserved, *account.reserved}
            if reserved[asset] != account.reserved[asset]
        }
        return wrong | {asset: account.free(asset) for asset in list(account.total) if account.free(asset) < ZERO}
