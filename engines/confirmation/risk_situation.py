"""What an order is held against, and what holding it against one limit finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from engines.confirmation.risk_limits import RiskLimits
from engines.domain.activity import Activity
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import Account, OrderIntent

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Situation:
    """What an order is held against: account, market and rules at one instant.

    Attributes:
        equity: cash and holdings at the market's prices, quote units.
        exposure: value of all holdings and open buys, quote units.
        open_orders: resting or unclear orders of the account.
        now: the market's time.
        activity: what the account did lately; None where nobody asked, as for an order that is only imagined.
        mark: the price that the symbol's own holding is valued at; None for the middle of the quote.
        external: value of open buys at the venue that this desk did not place, by symbol, quote units; part of
            `exposure`.
        unvalued: such buys that no market gives a price for, in words.
    """

    account: Account
    instrument: Instrument
    quote: Quote
    equity: Decimal
    exposure: Decimal
    open_orders: int
    now: datetime
    activity: Activity | None = None
    mark: Decimal | None = None
    external: Mapping[str, Decimal] = field(default_factory=dict)
    unvalued: tuple[str, ...] = ()

    @property
    def held(self) -> Decimal:
        """What the account holds of the symbol, base units."""
        return self.account.balances.get(self.instrument.base, NOTHING)


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit held against an order; `most` is the largest quantity it lets pass, None for any."""

    name: str
    limit: str
    value: str
    most: Decimal | None
    message: str = ""
    used: Decimal | None = None


Check = Callable[[OrderIntent, Situation, RiskLimits], Finding]


def order_price(intent: OrderIntent, quote: Quote) -> Decimal:
    """The price an order is valued at: its own, else the one a market order meets now."""
    return intent.limit_price or intent.stop_price or quote.taking(intent.side)


def reserve_price(intent: OrderIntent, quote: Quote, limits: RiskLimits) -> Decimal:
    """The price that an order's balance is set aside at: above its own for a buy that may slip."""
    value = order_price(intent, quote)
    return value if intent.order_type == "limit" else value * (1 + limits.slippage_percent / 100)


def time_in_force(intent: OrderIntent) -> str:
    """How long the venue is to let an order stand; one good for a day or until a date is ended by the desk.

    Without a wish a market order is filled at once and every other rests until it is cancelled.
    """
    if intent.time_in_force:
        return "GTC" if intent.time_in_force in {"DAY", "GTD"} else intent.time_in_force
    return "IOC" if intent.order_type == "market" else "GTC"


def share(value: Decimal, limit: Decimal) -> Decimal | None:
    """How much of a limit a value takes, in percent."""
    return value / limit * 100 if limit > 0 else None


def only(passes: object) -> Decimal | None:
    """The largest quantity that a yes-or-no rule lets pass."""
    return None if passes else NOTHING
