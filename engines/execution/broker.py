"""The seam between the desk and any place that fills orders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, Protocol

from engines.domain.orders import Fill, Order, OrderTicket, OrderType, Side

VenueOrderStatus = Literal["accepted", "partially_filled", "filled", "cancelled", "rejected"]


@dataclass(frozen=True, slots=True)
class ApprovedTicket:
    """A ticket that a person approved and that passed the re-check; only `submit` makes one."""

    ticket: OrderTicket


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as its venue tells it, with every fill so far.

    Attributes:
        by_request: it was cancelled because somebody asked the venue to, here or on its web page; False where the
            venue ended it by its own rules, or does not say.
    """

    client_order_id: str
    venue_order_id: str
    status: VenueOrderStatus
    quantity: Decimal
    filled: Decimal
    fills: tuple[Fill, ...]
    reason: str = ""
    by_request: bool = False


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that is open at the venue, whoever placed it.

    Attributes:
        client_order_id: our id where the order is ours; else the id its placer gave it, empty where it has none.
        stop_price: the price that triggers it, for one that waits for a price.
        list_id: of the list whose orders end one another, such as a stop-loss and a take-profit; empty for none.
    """

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    filled: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    list_id: str = ""


# Two digits: the longest ids then still fit what every venue takes.
_SUCCESSORS: Final = 99


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has of a currency; `free` is what no order or withdrawal holds back."""

    total: Decimal
    free: Decimal


def protective_ids(client_order_id: str) -> tuple[str, str]:
    """Client order ids of an entry's stop-loss and take-profit."""
    return f"{client_order_id}-sl", f"{client_order_id}-tp"


def guarded_ids(client_order_id: str) -> tuple[str, str]:
    """Client order ids of the stop-loss and take-profit that the desk guards itself and sends when they are due."""
    return f"{client_order_id}-gs", f"{client_order_id}-gt"


def successor_id(exit_id: str) -> str | None:
    """Client order id of what takes the place of a guarded exit that ended too early; None after the 99th."""
    base = exit_id.rstrip("0123456789")
    number = int(exit_id.removeprefix(base) or 0) + 1
    return f"{base}{number}" if number <= _SUCCESSORS else None


class Broker(Protocol):
    """A place that fills orders. Paper and every venue pass the same contract tests.

    Where a venue can hold stop-loss and take-profit itself, they become orders of their own once the
    entry has filled, findable under the ids of `protective_ids`.
    """

    @property
    def name(self) -> str:
        """`paper` or a ccxt id: trade ids are unique under it."""
        ...

    @property
    def settling(self) -> timedelta:
        """How long after sending an order may still turn up that `find` does not see yet."""
        ...

    @property
    def model(self) -> str:
        """How it fills, in one sentence a person reads."""
        ...

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        """Send the ticket's order once, under its `client_order_id`.

        Raises:
            OrderRejected: the venue proved that it did not take the order.
            OutcomeUnknown: everything else, a cut reply or one without our id included.
        """
        ...

    def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
        """The order with this id, in any state; None only when the venue's full history lacks it.

        Args:
            client_order_id: the id it was, or would have been, placed under.
            symbol: its market.
            since: when it was journalled; what is older cannot be it and need not be read.

        Raises:
            VenueUnavailable: the look-up itself failed.
        """
        ...

    def cancel(self, client_order_id: str, symbol: str) -> VenueOrder:
        """Cancel what is still open of it and return where it stands; one that is done stays as it is.

        Raises:
            NotFound: the venue has no such order.
            VenueUnavailable: it is not known whether it was cancelled; look it up.
        """
        ...

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Every open order of the account, ours or not, in no order.

        Exits that wait at the venue for their entry to fill need not be among them.

        Raises:
            VenueUnavailable: they could not all be read; an outage is never an empty answer.
        """
        ...

    def balances(self) -> dict[str, Balance]:
        """What the account has, by currency; those it has nothing of may be left out.

        Raises:
            VenueUnavailable: they could not be read.
        """
        ...

    def fills_since(self, symbol: str, after_ms: int) -> tuple[Fill, ...]:
        """Every fill of the account on a symbol dated `after_ms` or later, oldest first, ours or not.

        A fill's `order_id` is the client order id as in `OpenOrder`, or the venue's id of an order that has none.

        Args:
            after_ms: the venue's time in milliseconds since 1970 UTC; fills of that very millisecond are told again.

        Raises:
            VenueUnavailable: they could not all be read.
        """
        ...

    def fills_on(self, symbols: Collection[str], after_ms: int) -> dict[str, tuple[Fill, ...]]:
        """`fills_since` of several symbols, with as few requests as the venue allows.

        Returns:
            By symbol; those that the venue does not list are left out.

        Raises:
            VenueUnavailable: they could not all be read.
        """
        ...

    def holds_protection(self, ticket: OrderTicket) -> bool:
        """True when the venue itself will hold the ticket's stop-loss and take-profit once the entry has filled.

        Otherwise the desk has to guard them, which works only while it runs.
        """
        ...

    def carries_exits(self, ticket: OrderTicket) -> bool:
        """True when the exits go there together with the entry: the venue may then come to show them by itself."""
        ...

    def protects_parts(self, ticket: OrderTicket) -> bool:
        """True when the venue's exits protect each part of an entry that fills, while the rest of it is still open.

        Otherwise they begin with the entry's end, and the desk guards what is filled until then.
        """
        ...

    def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
        """See to it that the venue holds the stop-loss and take-profit of an entry that has filled.

        They go by the ids of `protective_ids`. Repeating it sends nothing that was sent before.

        Returns:
            Those the venue knows, in any state; empty where it cannot hold them.

        Raises:
            VenueUnavailable: it is not known whether they are there; ask again.
        """
        ...

    def ready(self) -> None:
        """Make sure that the venue answers and that orders could be sent now.

        Raises:
            VenueUnavailable: they could not.
        """
        ...
