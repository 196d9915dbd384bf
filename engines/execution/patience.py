"""How often is asked for what stays unclear: in every round at first, and now and then once that has not helped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

# A look-up is several requests at some venues: one order that nobody can tell about must not use up what all others
# are allowed.
_AT_FIRST: Final = 20
_LATER: Final = timedelta(minutes=1)


@dataclass(slots=True)
class Patience:
    """Remembers how often each ticket was asked for, as long as it stays unclear. For one thread."""

    _asked: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def due(self, unclear: Iterable[str], now: datetime) -> tuple[str, ...]:
        """The tickets among all that are unclear that are to be asked for in the round at `now`, in their order."""
        asked, chosen = dict[str, tuple[int, datetime]](), []
        for ticket_id in unclear:
            times, last = self._asked.get(ticket_id, (0, now))
            if times < _AT_FIRST or abs(now - last) >= _LATER:
                chosen.append(ticket_id)
                times, last = times + 1, now
            asked[ticket_id] = times, last
        self._asked = asked
        return tuple(chosen)
