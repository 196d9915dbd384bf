"""The three venues as they start: rules, fees, keys and money."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .accounts import Account
from .binance import Binance
from .bybit import Bybit
from .clock import VenueClock
from .dialect import Dialect
from .fees import FeeSchedule
from .instruments import INSTRUMENTS
from .kraken import Kraken
from .venue import Rules, Venue


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes one venue differ from the others."""

    dialect: Callable[[Venue], Dialect]
    rules: Rules
    fees: FeeSchedule
    key: str
    secret: str
    money: Mapping[str, str]


_SECRET = base64.b64encode(b"a secret that only the emulator and its tests know, 64 bytes ...").decode()
_DOLLARS = {"USDT": "1000000", "BTC": "10", "ETH": "100"}

KINDS: dict[str, Kind] = {
    "binance": Kind(
        Binance,
        Rules(str, str, unique_client_id="open", post_only="refuse"),
        FeeSchedule(Decimal("0.001"), Decimal("0.001"), "received"),
        "binance-key",
        _SECRET,
        _DOLLARS | {"BNB": "0"},
    ),
    "bybit": Kind(
        Bybit,
        Rules(
            lambda number: str(1_523_347_543_000_000_000 + number),
            lambda number: str(2_100_000_000_000_000_000 + number),
            unique_client_id="ever",
            post_only="cancel",
            closes_net_of_fee=True,
        ),
        FeeSchedule(Decimal("0.001"), Decimal("0.001"), "received"),
        "bybit-key",
        _SECRET,
        _DOLLARS,
    ),
    "kraken": Kind(
        Kraken,
        Rules(
            lambda number: f"OEMULA-{number // 1_000_000:05d}-{number % 1_000_000:06d}",
            lambda number: f"TEMULA-{number // 1_000_000:05d}-{number % 1_000_000:06d}",
            unique_client_id="open",
            post_only="refuse",
        ),
        FeeSchedule(Decimal("0.0025"), Decimal("0.004"), "quote"),
        "kraken-key",
        _SECRET,
        {"USD": "1000000", "USDT": "100000", "BTC": "10", "ETH": "100"},
    ),
}


def open_venue(name: str, money: Mapping[str, str] | None = None) -> Dialect:
    """A venue without orders, whose books hold a ladder of other people's orders around each start price."""
    kind = KINDS[name]
    venue = Venue(name, kind.rules, kind.fees, Account("desk", kind.key, kind.secret), clock=VenueClock())
    for instrument in INSTRUMENTS[name]:
        venue.list_instrument(instrument)
    dialect = kind.dialect(venue)
    for asset, amount in (money or kind.money).items():
        venue.deposit(asset, Decimal(amount))
    for instrument in INSTRUMENTS[name]:
        dialect.crowd.set_price(instrument.symbol, instrument.start_price, depth=10, quantity=Decimal(5), gap=None)
    return dialect
