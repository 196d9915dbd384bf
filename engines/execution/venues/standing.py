"""Where an order stands, from what its venue says of it and the trades that it lists."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from engines.execution.broker import VenueOrderStatus
from engines.execution.venues.dialect import Execution, Sighting
from engines.execution.venues.documents import plain

_ZERO: Final = Decimal(0)


def standing_of(seen: Sighting, executions: tuple[Execution, ...], venue: str) -> tuple[VenueOrderStatus, str]:
    """Status and reason of an order; it is done only when the venue says so and every one of its trades is known.

    Trade lists may lag behind orders, and the other way round. An order whose status word nobody knows stays open.
    """
    known = sum((each.quantity for each in executions), _ZERO)
    still_open: VenueOrderStatus = "partially_filled" if known else "accepted"
    if seen.status is None:
        return still_open, f"{venue} calls it {seen.word!r}, which this desk does not know: it counts as open."
    if known != seen.executed:
        lag = f"{venue} says {plain(seen.executed)} are filled and lists trades over {plain(known)} so far."
        return still_open, lag
    if seen.status in {"accepted", "partially_filled"}:
        return still_open, ""
    if seen.status == "filled" and known != seen.quantity:
        return still_open, f"{venue} calls it filled with {plain(known)} of {plain(seen.quantity)}."
    return seen.status, f"{venue} says {seen.word}." if seen.status in {"cancelled", "rejected"} else ""
