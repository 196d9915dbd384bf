"""What a venue tells the outside as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from .accounts import Account
from .instruments import Instrument
from .orders import Fill, Order, Side

Execution = Literal["new", "trade", "cancelled", "expired", "amended", "triggered"]


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order of a client moved one step."""

    order: Order
    execution: Execution
    fill: Fill | None = None


@dataclass(frozen=True, slots=True)
class BalanceChanged:
    """A client's balances after a step."""

    account: Account
    assets: tuple[str, ...]
    at_ms: int


@dataclass(frozen=True, slots=True)
class Traded:
    """A public trade. `side` is the taker's."""

    instrument: Instrument
    number: int
    price: Decimal
    quantity: Decimal
    side: Side
    at_ms: int
    buyer: Order
    seller: Order


@dataclass(frozen=True, slots=True)
class BookChanged:
    """Levels that changed together, numbered `first` to `last` without a gap to the previous change."""

    instrument: Instrument
    first: int
    last: int
    levels: tuple[tuple[Side, Decimal, Decimal], ...]
    at_ms: int


Event = OrderChanged | BalanceChanged | Traded | BookChanged
