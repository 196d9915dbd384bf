"""What differs between venues, in types: the words of a dialect and the values it reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from engines.domain.orders import Order, OrderTicket, Side
from engines.errors import OrderRejected
from engines.execution.broker import Balance, OpenOrder, VenueOrderStatus, protective_ids
from engines.execution.venues.failures import FailureTable


@dataclass(frozen=True, slots=True)
class Market:
    """One spot market as the venue lists it.

    Attributes:
        id, alias: the venue's own names, `XXBTZUSD` and `XBTUSD`; the same at most venues.
        is_trading: False while it is halted or takes cancels only.
        lot_size: step of the quantity, base units.
        taker_fee: fraction of the notional; the dearer of maker and taker.
        order_types: the venue's words, empty where it lists none.
    """

    symbol: str
    id: str
    alias: str
    base: str
    quote: str
    is_trading: bool
    lot_size: Decimal
    taker_fee: Decimal
    order_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Request:
    """One request that creates an order: ccxt's method, its parameters and their weight."""

    method: str
    params: dict[str, Any]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Execution:
    """One trade of an order; `id` is unique at the venue, a negative fee is a rebate."""

    id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """An order as the venue tells it.

    Attributes:
        status: None for a word that this desk does not know.
        executed: base units that the venue says are filled, whether their trades are listed yet or not.
        executions: trades that came along; None when they are to be asked for.
        trade_ids: where the venue lists the trades of an order by id.
        fee_currency: where the order says it and its trades do not.
        by_request: the venue says that somebody asked for its cancellation.
    """

    client_order_id: str
    venue_order_id: str
    word: str
    status: VenueOrderStatus | None
    side: Side
    quantity: Decimal
    executed: Decimal
    executions: tuple[Execution, ...] | None = None
    trade_ids: tuple[str, ...] = field(default=())
    fee_currency: str = ""
    by_request: bool = False


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution of the account, ours or not; `order_id` as in `Broker.fills_since`."""

    order_id: str
    side: Side
    execution: Execution


@dataclass(frozen=True, slots=True)
class Exits:
    """Where an entry is to be left again: below it the stop-loss, above it the take-profit."""

    client_order_id: str
    stop_loss: Decimal | None
    take_profit: Decimal | None

    @classmethod
    def of(cls, entry: OrderTicket | Order) -> Exits:
        """Those of a buy; a sale has none."""
        order_id = entry.client_order_id if isinstance(entry, OrderTicket) else entry.id
        if entry.side != "buy":
            return cls(order_id, None, None)
        return cls(order_id, entry.stop_loss, entry.take_profit)

    @property
    def ids(self) -> tuple[str, ...]:
        """Client order ids of the exits that there are."""
        stop_id, target_id = protective_ids(self.client_order_id)
        wanted = ((stop_id, self.stop_loss), (target_id, self.take_profit))
        return tuple(order_id for order_id, price in wanted if price is not None)


def force_at_venue(ticket: OrderTicket) -> str:
    """How long a venue is told to leave an order open: those of a day or till a date are taken back by the desk."""
    return ticket.time_in_force if ticket.time_in_force in {"IOC", "FOK"} else "GTC"


class AccountReader(Protocol):
    """What a venue tells about the account as a whole. Every method sends requests.

    All raise NoAnswer where an answer is not complete, and VenueUnavailable when the request limit is used up.
    """

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Every open order of the account."""
        ...

    def balances(self) -> dict[str, Balance]:
        """What the account has, by currency in ccxt's form."""
        ...

    def trades(self, markets: Iterable[Market], after_ms: int) -> dict[str, tuple[Trade, ...]]:
        """Every execution on these markets at or after a venue time, by symbol and in no order."""
        ...


class TradesByMarket:
    """The part of a reader whose venue tells trades market by market."""

    def trades(self, markets: Iterable[Market], after_ms: int) -> dict[str, tuple[Trade, ...]]:
        """One list after the other."""
        return {market.symbol: self._trades_on(market, after_ms) for market in markets}

    def _trades_on(self, market: Market, after_ms: int) -> tuple[Trade, ...]:
        raise NotImplementedError


class Dialect(Protocol):
    """A venue's words. Every method but the pure ones sends requests through the client it was made with."""

    @property
    def name(self) -> str:
        """The venue's id in ccxt."""
        ...

    @property
    def settling(self) -> timedelta:
        """How long after sending an order may still turn up."""
        ...

    @property
    def model(self) -> str:
        """How it fills, in sentences for a person."""
        ...

    @property
    def account(self) -> AccountReader:
        """What it tells about the account as a whole."""
        ...

    @property
    def failures(self) -> FailureTable:
        """What its errors prove."""
        ...

    def venue_id(self, client_order_id: str) -> str:
        """The id the venue knows our order by.

        Raises:
            InvalidRequest: the venue cannot take such an id.
        """
        ...

    def entry(self, ticket: OrderTicket, market: Market) -> Request:
        """The request that places a ticket's order, with its protection where the venue takes both at once.

        Raises:
            OrderRejected: the venue has no such order; nothing was sent.
        """
        ...

    def carries_exits(self, entry: OrderTicket | Order) -> bool:
        """True when `entry` sends an order's stop-loss and take-profit along with it."""
        ...

    def follows_with_exits(self, entry: OrderTicket | Order) -> bool:
        """True when the venue can take an order's exits once it has filled."""
        ...

    def protection(self, exits: Exits, market: Market, held: Decimal) -> Request:
        """The request that protects `held` base units with the exits of an entry that has filled.

        Asked only where `follows_with_exits` says so.

        Raises:
            OrderRejected: the venue has no such order; nothing was sent.
        """
        ...

    def acknowledged(self, ticket: OrderTicket, market: Market, reply: Any) -> Sighting:
        """The order as the reply to `entry` tells it.

        Raises:
            Unproven: the reply does not name our order; it may be live or not.
        """
        ...

    def look_up(self, client_order_id: str, market: Market, since: datetime | None = None) -> Sighting | None:
        """The order in any state; None only when the venue's full history lacks it.

        Args:
            client_order_id: our id of it.
            market: where it was placed.
            since: when it was journalled; a venue that lists orders by time need not be asked about older ones.

        Raises:
            NoAnswer: the look-up gave no usable answer.
        """
        ...

    def executions(self, order: Sighting, market: Market) -> tuple[Execution, ...]:
        """Every trade of an order that the venue lists, oldest first.

        Raises:
            NoAnswer: the look-up gave no usable answer.
        """
        ...

    def cancels_by_venue_id(self, client_order_id: str) -> bool:
        """True for an order that the venue does not know by our id: it is looked up before it is cancelled."""
        ...

    def cancel(self, client_order_id: str, order: Sighting | None, market: Market) -> None:
        """Ask for the cancellation of an order; `order` is there where `cancels_by_venue_id` says so.

        Raises:
            CallFailed: it was refused, or the answer is unclear.
        """
        ...

    def venue_time_ms(self) -> tuple[int, int]:
        """The venue's time and the step it is told in, milliseconds."""
        ...


class WithoutExits:
    """The part of a dialect whose venue holds no stop-loss and no take-profit for this desk, which guards them."""

    def carries_exits(self, entry: OrderTicket | Order) -> bool:
        """No."""
        del entry
        return False

    def follows_with_exits(self, entry: OrderTicket | Order) -> bool:
        """No."""
        del entry
        return False

    def protection(self, exits: Exits, market: Market, held: Decimal) -> Request:
        """Never asked for."""
        del market, held
        raise OrderRejected(f"The venue does not hold the exits of {exits.client_order_id}. Nothing was sent.")
