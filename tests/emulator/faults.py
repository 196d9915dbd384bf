"""What goes wrong on purpose: which route, how often, when, and at random with a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BEFORE = frozenset(
    {"unavailable_before", "timeout_before", "drop_before", "rate_limited", "banned", "error", "not_found"}
)
"""Faults of a request that the venue never sees."""
AFTER = frozenset(
    {
        *("unavailable_after", "timeout_after", "drop_after", "truncated", "html", "empty", "no_id", "other_id"),
        *("status_unknown", "timeout_code", "error_after", "late_ack", "unknown_status", "hidden", "slow", "stale"),
    }
)
"""Faults of a reply: the venue has done what it was asked. A `slow` venue does it `seconds` after it was asked, whether
the client still waits or not; a `stale` answer does not know the last `seconds`."""
STREAM = frozenset({"cut", "silent", "drop", "duplicate", "reorder", "late", "unknown_status"})
"""Faults of a message on a WebSocket; their routes begin with `stream:`."""


@dataclass(slots=True)
class Fault:
    """One instruction. `count` is how many requests it still spoils, negative for all; the first `skip` pass."""

    number: int
    kind: str
    routes: frozenset[str]
    count: int = 1
    skip: int = 0
    seconds: float = 30.0
    match: Mapping[str, str] = field(default_factory=dict)
    """Only requests with these parameters."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Code, message, status, word or retry_after, where the kind takes one."""
    taken: int = 0

    def applies(self, route: str, params: Mapping[str, str]) -> bool:
        """Whether the fault is meant for such a request and not used up."""
        if self.count == 0 or not self.routes & {route, route.split(":", maxsplit=1)[0], "*"}:
            return False
        return all(params.get(name) == value for name, value in self.match.items())


@dataclass(slots=True)
class Chaos:
    """Faults by chance: `rate` of the requests on these routes get one of `kinds`, drawn with a seed."""

    dice: random.Random
    rate: float
    routes: frozenset[str]
    kinds: tuple[str, ...]
    seconds: float


class Faults:
    """The faults in force, oldest first; of several that fit a request the oldest is taken."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.chaos: dict[bool, Chaos] = {}
        """What happens by chance to requests (False) and to messages on streams (True)."""
        self._number = 0

    def add(self, order: Mapping[str, Any]) -> Fault:
        """Put a fault in force.

        Raises:
            ValueError: nobody knows the kind, or it does not fit the route.
        """
        kind, routes = order["kind"], frozenset(order.get("routes") or [order["route"]])
        streams = {route.startswith("stream") for route in routes}
        known = STREAM if streams == {True} else BEFORE | AFTER
        if kind not in known or len(streams) != 1:
            message = f"no fault {kind!r} on {sorted(routes)}; there are {sorted(known)}"
            raise ValueError(message)
        self._number += 1
        fault = Fault(
            number=self._number,
            kind=kind,
            routes=routes,
            count=int(order.get("count", 1)),
            skip=int(order.get("skip", 0)),
            seconds=float(order.get("seconds", 30.0)),
            match=order.get("match", {}),
            details=order,
        )
        self.waiting.append(fault)
        return fault

    def roll(self, order: Mapping[str, Any]) -> None:
        """Start faults by chance, on requests or on streams; a rate of 0 ends them.

        Raises:
            ValueError: nobody knows one of the kinds, or it does not fit the routes.
        """
        routes = frozenset(order.get("routes") or ["create"])
        streams = any(route.startswith("stream") for route in routes)
        known = STREAM if streams else BEFORE | AFTER
        usual = known - {"error", "error_after", "banned", "not_found", "cut", "silent"}
        kinds = tuple(order.get("kinds") or sorted(usual))
        if not known.issuperset(kinds):
            message = f"no faults {sorted(set(kinds) - known)}; there are {sorted(known)}"
            raise ValueError(message)
        rate = float(order.get("rate", 0.3))
        self.chaos.pop(streams, None)
        if rate:
            dice = random.Random(order.get("seed", 0))
            self.chaos[streams] = Chaos(dice, rate, routes, kinds, float(order.get("seconds", 30.0)))

    def clear(self) -> None:
        """Stop everything."""
        self.waiting.clear()
        self.chaos.clear()

    def take(self, route: str, params: Mapping[str, str]) -> Fault | None:
        """The fault that spoils this request or message, counted as used."""
        for fault in self.waiting:
            if not fault.applies(route, params):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.taken += 1
            fault.count -= 1
            return fault
        chaos = self.chaos.get(route.startswith("stream"))
        if chaos is None or route not in chaos.routes or chaos.dice.random() >= chaos.rate:
            return None
        kind = chaos.dice.choice(chaos.kinds)
        return Fault(0, kind, chaos.routes, seconds=chaos.seconds, taken=1)
