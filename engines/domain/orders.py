"""An order's life in types: intent, risk verdict, sealed ticket, order, fill."""

from __future__ import annotations

import hashlib
import json
from dataclasses import Field, dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

Side = Literal["buy", "sell"]
Unit = Literal["base", "quote", "percent", "risk", "risk_quote"]
OrderType = Literal["market", "limit", "stop"]
Mode = Literal["paper", "live"]
TicketKind = Literal["order", "cancel"]
Holder = Literal["venue", "desk"]
# Until cancelled, at once or not at all, whole and at once or not at all, until the day ends in UTC, until a date.
TimeInForce = Literal["GTC", "IOC", "FOK", "DAY", "GTD"]

TicketStatus = Literal[
    "pending",
    "approved",
    "submitting",
    "accepted",
    "partially_filled",
    "filled",
    "cancelled",
    "rejected",
    "expired",
    "superseded",
    "denied",
    "rejected_by_venue",
    "unknown",
    "not_accepted",
    "needs_operator",
]
OrderStatus = Literal[
    "submitting",
    "accepted",
    "partially_filled",
    "filled",
    "cancelled",
    "rejected_by_venue",
    "unknown",
    "not_accepted",
    "needs_operator",
]
OPEN_ORDER_STATUSES: Final[frozenset[OrderStatus]] = frozenset(
    {"submitting", "accepted", "partially_filled", "unknown", "needs_operator"}
)


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """What somebody wants, unchecked.

    Attributes:
        quantity: in `unit`: base units, quote units, percent of equity, or what may be lost at the stop-loss, in
            percent of equity (`risk`) or quote units (`risk_quote`).
        reduce_only: it may close a position and never open one.
        cancels: for `kind="cancel"`, the orders to cancel; the order fields are then unused.
        user_words: the person's own message it was read from.
        differences: where the second reader's reading differs, one sentence each.
        time_in_force: how long it may stay open; empty for what its type does by itself.
        good_till: for `GTD`, until when.
        stop_atr: the stop-loss as a distance from the entry, in average true ranges, instead of a price.
        replaces_order: the open order whose place it takes; empty for an order of its own.
    """

    account: str
    thread_id: str
    symbol: str
    side: Side
    quantity: Decimal
    unit: Unit = "base"
    order_type: OrderType = "market"
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    reduce_only: bool = False
    kind: TicketKind = "order"
    cancels: tuple[str, ...] = ()
    user_words: str = ""
    differences: tuple[str, ...] = ()
    time_in_force: TimeInForce | Literal[""] = ""
    good_till: datetime | None = None
    stop_atr: Decimal | None = None
    replaces_order: str = ""


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """One limit and what it did: quantity before and after, the limit and the value it was held against.

    Attributes:
        used: how much of the limit the value takes, in percent; None where the limit is no amount.
    """

    name: str
    limit: str
    value: str
    before: Decimal
    after: Decimal
    message: str = ""
    used: Decimal | None = None

    @property
    def passed(self) -> bool:
        """True when it took nothing away."""
        return self.after == self.before


@dataclass(frozen=True, slots=True)
class RiskVerdict:
    """`approved`, `reduced` or `denied`, with every check that ran, in order."""

    outcome: Literal["approved", "reduced", "denied"]
    quantity: Decimal
    checks: tuple[LimitCheck, ...]

    @property
    def denial(self) -> LimitCheck | None:
        """The check that said no."""
        return self.checks[-1] if self.outcome == "denied" else None


@dataclass(frozen=True, slots=True)
class Argument:
    """One piece of evidence for or against, in words, weighted in [-1, 1] for the ticket's side."""

    text: str
    weight: float
    source: str


@dataclass(frozen=True, slots=True)
class Confluence:
    """What the engines say about the ticket's symbol; informs, never blocks.

    Attributes:
        score: in [-1, 1], positive in favour of the ticket's side; None without data.
        missing: what could not be read or is too old to count, one sentence each.
        turns: what would end the arguments for the ticket's side, strongest first, one sentence each.
    """

    score: float | None
    arguments: tuple[Argument, ...] = ()
    missing: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stake:
    """What an order puts at risk; amounts in quote units, both fees included.

    Attributes:
        loss: at the stop-loss, 1R; slippage and gaps beyond it are not in it.
        equity: of the account when the ticket was made.
        gain: at the take-profit; None without one.
    """

    loss: Decimal
    equity: Decimal
    gain: Decimal | None = None

    @property
    def share(self) -> Decimal | None:
        """The loss in percent of equity; None without equity."""
        return self.loss / self.equity * 100 if self.equity > 0 else None

    @property
    def reward(self) -> Decimal | None:
        """The gain in R."""
        return None if self.gain is None or self.loss <= 0 else self.gain / self.loss


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """An intent that passed risk, frozen and sealed for a person.

    `hash` covers everything a person sees; `status`, `decided_by` and `superseded_by` are what happens to it
    afterwards and stay outside the seal.

    Attributes:
        label: short name for people, unique in the account: `T-7`.
        price_band: lowest and highest reference price at which it may still be executed.
        notional, estimated_fee: quote units.
        cancels, cancelled_words: for `kind="cancel"`, the orders by id, and each in words.
        differences: where the two readers disagree; a ticket with any needs the person to resolve it.
        reason: why it was denied, rejected by the venue or left unclear; empty otherwise.
        exits_held_by: who will hold its stop-loss and take-profit; empty where there are none, or on older tickets.
            The desk does so only while it runs.
        good_till: when the desk cancels what is still open of it; None for never.
        look_alikes: orders like it that were sent just before, one sentence each; a ticket with any needs the person
            to mean the repetition.
        stake: what it puts at risk; None without a stop-loss, and on older tickets.
        stop_note: how a stop-loss that was given as a distance came to its price.
        replaces_order, replaced_words: the open order that is cancelled first and whose place it takes, by id and in
            words; empty for an order of its own.
        replaced_filled: how much of that one had filled when the ticket was made, base units.
    """

    id: str
    label: str
    owner: str
    thread_id: str
    account: str
    mode: Mode
    market: str
    simulated: bool
    kind: TicketKind
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    reduce_only: bool
    cancels: tuple[str, ...]
    time_in_force: str
    reference_price: Decimal
    quote_time: datetime
    price_band: tuple[Decimal, Decimal]
    notional: Decimal
    estimated_fee: Decimal
    fee_currency: str
    risk: RiskVerdict
    confluence: Confluence
    differences: tuple[str, ...]
    user_words: str
    limits_version: str
    created_at: datetime
    expires_at: datetime
    client_order_id: str
    hash: str = ""
    status: TicketStatus = "pending"
    decided_by: str = ""
    decided_at: datetime | None = None
    superseded_by: str | None = None
    reason: str = ""
    cancelled_words: tuple[str, ...] = ()
    exits_held_by: Holder | Literal[""] = ""
    good_till: datetime | None = None
    look_alikes: tuple[str, ...] = ()
    stake: Stake | None = None
    stop_note: str = ""
    replaces_order: str = ""
    replaced_words: str = ""
    replaced_filled: Decimal | None = None

    def sealed_content(self) -> dict[str, Any]:
        """Everything the hash covers, as plain JSON values."""
        sealed: dict[str, Any] = _plain(self)
        return {name: value for name, value in sealed.items() if name not in _UNSEALED}

    def seal(self) -> str:
        """SHA-256 over the canonical JSON of the sealed content."""
        canonical = json.dumps(self.sealed_content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


_UNSEALED: Final = frozenset({"hash", "status", "decided_by", "decided_at", "superseded_by", "reason"})
# Fields that came later: a ticket that says nothing in them has the hash it had before there were any.
_SEALED_WHEN_SET: Final = frozenset(
    {
        *("exits_held_by", "good_till", "look_alikes", "stake", "stop_note", "turns"),
        *("replaces_order", "replaced_words", "replaced_filled"),
    }
)


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution; price in quote units, quantity in base units.

    `id` is the venue's trade id, unique per venue.
    """

    id: str
    order_id: str
    account: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A ticket submitted to a venue; `id` is the client order id.

    Attributes:
        parent_id: the entry, for the stop-loss and take-profit that rest once it has filled.
        held_by: who watches for its price. What the desk holds itself is not at the venue before it is due.
        good_till: when the desk cancels what is still open of it; None for never.
    """

    id: str
    ticket_id: str
    account: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    status: OrderStatus
    filled: Decimal
    average_price: Decimal | None
    venue_order_id: str | None
    reason: str
    created_at: datetime
    updated_at: datetime
    fills: tuple[Fill, ...] = field(default=())
    parent_id: str | None = None
    held_by: Holder = "venue"
    good_till: datetime | None = None

    @property
    def waits_at_desk(self) -> bool:
        """True for an exit that the desk guards and has not sent yet: no venue knows it."""
        return self.held_by == "desk" and self.status == "accepted" and self.venue_order_id is None


@dataclass(frozen=True, slots=True)
class Position:
    """Net holding of a symbol, from fills alone.

    Attributes:
        average_price: average entry, fees excluded, quote units.
        realised: profit already taken, fees included, quote units.
    """

    symbol: str
    quantity: Decimal
    average_price: Decimal
    realised: Decimal
    fees: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """A paper or live account: balances by currency, and what open orders have reserved of them.

    Attributes:
        movements: how many movements without a fill the balances include.
    """

    id: str
    owner: str
    mode: Mode
    currency: str
    balances: dict[str, Decimal]
    reserved: dict[str, Decimal]
    positions: tuple[Position, ...]
    movements: int = 0

    def free(self, currency: str) -> Decimal:
        """Balance that no open order has reserved."""
        return self.balances.get(currency, Decimal(0)) - self.reserved.get(currency, Decimal(0))


def _is_sealed(holder: Any, field: Field[Any]) -> bool:
    return field.name not in _SEALED_WHEN_SET or getattr(holder, field.name) != field.default


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if _is_sealed(value, f)}
    return value
