"""Whether a desk or an account may trade: freely, only to get out, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from engines.domain.orders import OrderIntent, OrderTicket

TradingState = Literal["active", "reducing", "halted"]

_STRICTNESS: Final[dict[TradingState, int]] = {"active": 0, "reducing": 1, "halted": 2}


@dataclass(frozen=True, slots=True)
class Standing:
    """A trading state, with who set it, why and when; all three are empty for one that nobody ever set.

    Attributes:
        account: what it holds for; empty for the whole desk.
    """

    state: TradingState = "active"
    reason: str = ""
    by: str = ""
    since: datetime | None = None
    account: str = ""

    def is_stricter_than(self, other: Standing) -> bool:
        """True when less may be done than in the other."""
        return _STRICTNESS[self.state] > _STRICTNESS[other.state]

    def refusal(self, asked: OrderIntent | OrderTicket) -> str:
        """Why this order may not be sent; empty when it may. Cancels always may.

        On a spot account a sell can only reduce: it never passes for more than is held.
        """
        if self.state == "active" or asked.kind == "cancel":
            return ""
        if self.state == "reducing" and (asked.side == "sell" or asked.reduce_only):
            return ""
        may = "only cancels pass" if self.state == "halted" else "only cancels and orders that reduce a holding pass"
        return f"{self.scope} is {self.state.upper()}, so {may}. Reason: {self.reason} (set by {self.by})."

    @property
    def scope(self) -> str:
        """What it holds for, in words."""
        return f"Account {self.account}" if self.account else "The desk"


def strictest(standings: Iterable[Standing]) -> Standing:
    """The one that allows least; the first of equals, an active one when there is none."""
    found = Standing()
    for standing in standings:
        if standing.is_stricter_than(found):
            found = standing
    return found
