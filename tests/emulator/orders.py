"""Orders, their fills, and the lists that bind orders together."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from .accounts import Account
from .amounts import ZERO
from .instruments import Instrument

Side = Literal["buy", "sell"]
State = Literal["waiting", "untriggered", "open", "filled", "cancelled", "expired"]
"""`waiting`: part of a list whose first order has not filled; `untriggered`: a stop that was not reached."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Price at which a dormant order becomes live, and from which side it is reached."""

    price: Decimal
    direction: Literal["up", "down"]

    def reached(self, last: Decimal) -> bool:
        """Whether a trade at `last` sets the order off."""
        return last >= self.price if self.direction == "up" else last <= self.price


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of an order. A negative fee is a rebate."""

    number: int
    id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    at_ms: int

    @property
    def notional(self) -> Decimal:
        """Price times quantity, in quote units."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a client asks for, checked for form but not yet against book and balance."""

    instrument: Instrument
    side: Side
    is_market: bool
    quantity: Decimal | None
    price: Decimal | None = None
    budget: Decimal | None = None
    """Quote units a market order may spend, instead of a quantity."""
    client_id: str = ""
    time_in_force: str = "GTC"
    post_only: bool = False
    trigger: Trigger | None = None
    expires_ms: int | None = None
    external: bool = False
    on_fill: NewOrder | None = None
    """Order that follows each execution, for the executed quantity."""
    fee_in: Literal["base", "quote"] | None = None
    """Where the client chose the currency of the fee."""
    details: dict[str, str] = field(default_factory=dict)
    """Words only the venue's dialect reads back, such as its own order type."""


@dataclass(slots=True, eq=False)
class Order:
    """An accepted order."""

    number: int
    id: str
    account: Account
    request: NewOrder
    created_ms: int
    quantity: Decimal
    price: Decimal | None
    client_id: str
    state: State = "open"
    updated_ms: int = 0
    filled: Decimal = ZERO
    notional: Decimal = ZERO
    fills: list[Fill] = field(default_factory=list)
    reserved: Decimal = ZERO
    visible_ms: int = 0
    """Look-ups do not show the order before this venue time."""
    triggered_ms: int | None = None
    reason: str = ""
    group: Group | None = None
    resting: bool = False
    """Whether it waits on the book."""

    @property
    def instrument(self) -> Instrument:
        """The market it trades on."""
        return self.request.instrument

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return self.request.side

    @property
    def remaining(self) -> Decimal:
        """Base units not yet executed."""
        return self.quantity - self.filled

    @property
    def is_live(self) -> bool:
        """Whether it may still execute."""
        return self.state in {"waiting", "untriggered", "open"}

    @property
    def average(self) -> Decimal:
        """Mean execution price, zero before the first fill."""
        return self.notional / self.filled if self.filled else ZERO

    def fees(self) -> dict[str, Decimal]:
        """Fees so far by currency."""
        paid: dict[str, Decimal] = {}
        for fill in self.fills:
            paid[fill.fee_currency] = paid.get(fill.fee_currency, ZERO) + fill.fee
        return paid


@dataclass(slots=True, eq=False)
class Group:
    """Orders of one list: `first` must fill before `rest` become live; of `rest` only one may execute."""

    number: int
    id: str
    client_id: str
    account: Account
    instrument: Instrument
    first: Order | None
    rest: list[Order] = field(default_factory=list)
    created_ms: int = 0
    done: bool = False

    @property
    def orders(self) -> list[Order]:
        """Every order of the list, the first one first."""
        return [*([self.first] if self.first else []), *self.rest]


class Refusal(Exception):
    """The venue does not do what was asked; each dialect has its own code for each reason."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail
