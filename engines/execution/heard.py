"""What a venue's stream says of an order: it is looked up, never believed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Heard:
    """Something happened to an order, so a stream says.

    Attributes:
        client_order_id: our id where the stream tells one and it is ours; else whatever its placer gave it, or empty.
        venue_order_id: the venue's id; empty where the stream does not tell it. Without both, any order may be meant.
        filled: base units that should be filled by now at least; None where it does not tell.
        ended: the order should not be open any more.
    """

    client_order_id: str = ""
    venue_order_id: str = ""
    filled: Decimal | None = None
    ended: bool = False

    @property
    def key(self) -> str:
        """What tells two of them apart: later news of the same order takes the place of earlier."""
        return self.venue_order_id or self.client_order_id
