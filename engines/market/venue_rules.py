"""What this desk can order at each venue: types, sides and times in force, as its documents and our requests have it.

Sources: the spot order documents of Binance, Bybit (v5), Kraken (REST `AddOrder`), OKX (v5) and Coinbase (Advanced
Trade), read 2026-11. ccxt's own table of features names what a venue has somewhere; this one what is sent as asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from engines.domain.instruments import Instrument
from engines.domain.orders import OrderType, Side

_EVERY_TYPE: Final[frozenset[OrderType]] = frozenset({"market", "limit", "stop"})
_NO_STOPS: Final[frozenset[OrderType]] = frozenset({"market", "limit"})
_BOTH_SIDES: Final[frozenset[Side]] = frozenset({"buy", "sell"})


@dataclass(frozen=True, slots=True)
class VenueRules:
    """What a venue takes from this desk; a market order is filled at once there, in part where the book is thin."""

    order_types: frozenset[OrderType] = _EVERY_TYPE
    times_in_force: frozenset[str] = frozenset({"GTC", "IOC", "FOK"})
    market_sides: frozenset[Side] = _BOTH_SIDES


VENUE_RULES: Final[Mapping[str, VenueRules]] = {
    "binance": VenueRules(),
    "bybit": VenueRules(),
    # Kraken's REST takes no fill-or-kill.
    "kraken": VenueRules(times_in_force=frozenset({"GTC", "IOC"})),
    # Stops are orders of another kind there, without the id that this desk looks its orders up by.
    "okx": VenueRules(order_types=_NO_STOPS),
    # Its stops need a limit, and market orders buy by their cost.
    "coinbase": VenueRules(order_types=_NO_STOPS, market_sides=frozenset({"sell"})),
}


def narrowed(instrument: Instrument, venue: str, listed: Mapping[str, Any]) -> Instrument:
    """An instrument that takes what its venue takes; one of a venue without rules stays as it is.

    Args:
        venue: its ccxt id.
        listed: the venue's own entry of the symbol, which may take less than the venue does elsewhere.
    """
    rules = VENUE_RULES.get(venue)
    if rules is None:
        return instrument
    types = rules.order_types
    if venue == "binance" and isinstance(named := listed.get("orderTypes"), list):
        known: tuple[tuple[OrderType, str], ...] = (("market", "MARKET"), ("limit", "LIMIT"), ("stop", "STOP_LOSS"))
        types = frozenset(ours for ours, theirs in known if theirs in named)
    return replace(
        instrument,
        order_types=types,
        times_in_force=rules.times_in_force,
        market_sides=rules.market_sides,
        market_times_in_force=frozenset({"IOC"}),
    )
