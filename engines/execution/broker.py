"""The seam between the desk and any place that fills orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal, Protocol

from engines.domain.orders import Fill, OrderTicket

VenueOrderStatus = Literal["accepted", "partially_filled", "filled", "cancelled", "rejected"]


@dataclass(frozen=True, slots=True)
class ApprovedTicket:
    """A ticket that a person approved and that passed the re-check; only `submit` makes one."""

    ticket: OrderTicket


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as its venue tells it, with every fill so far."""

    client_order_id: str
    venue_order_id: str
    status: VenueOrderStatus
    quantity: Decimal
    filled: Decimal
    fills: tuple[Fill, ...]
    reason: str = ""


def protective_ids(client_order_id: str) -> tuple[str, str]:
    """Client order ids of an entry's stop-loss and take-profit."""
    return f"{client_order_id}-sl", f"{client_order_id}-tp"


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

    def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order with this id, in any state; None only when the venue's full history lacks it.

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
