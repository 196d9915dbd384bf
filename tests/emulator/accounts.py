"""Who holds what: totals, and the part of them that open orders hold back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal


def _amounts() -> defaultdict[str, Decimal]:
    return defaultdict(Decimal)


@dataclass(slots=True, eq=False)
class Account:
    """A client of the venue. `unlimited` ones (everybody else, the fee pool) may go below zero."""

    name: str
    key: str = ""
    secret: str = ""
    unlimited: bool = False
    total: defaultdict[str, Decimal] = field(default_factory=_amounts)
    reserved: defaultdict[str, Decimal] = field(default_factory=_amounts)
    last_nonce: int = 0

    def free(self, asset: str) -> Decimal:
        """What may be spent now."""
        return self.total[asset] - self.reserved[asset]

    def can_spend(self, asset: str, amount: Decimal) -> bool:
        """Whether the free balance covers the amount."""
        return self.unlimited or self.free(asset) >= amount
