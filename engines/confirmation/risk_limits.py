"""What an account may do: the limits that every order is held against."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """What an account may do, loaded once and named by version in every ticket; amounts in quote units.

    Attributes:
        max_order_notional: of one order.
        max_order_fraction: of one order, as a fraction of equity; None for no limit.
        max_symbol_exposure: value of the holding and open buys of one symbol, the new order included; None for no
            limit but the account's.
        max_account_exposure: value of all holdings and open buys together, the new order included.
        max_day_notional: of what is bought in one UTC day, open buys and the new order included; None for no limit.
        max_open_orders: resting or unclear orders, protective ones not counted.
        price_collar_percent: how far a limit price may lie beyond the middle price on the side that pays more or
            receives less.
        resting_collar_percent: how far a price that waits for the market may lie from it, a stop price always.
        price_gap_percent: how far the last trade may lie from the middle price.
        quote_max_age_seconds: older quotes decide nothing.
        rules_max_age_hours: trading rules read longer ago than this decide nothing.
        slippage_percent: what a market or stop buy sets aside above its price, so the balance covers it.
        max_orders_per_second, max_orders_per_minute: sent orders of the account; cancels are not counted.
        max_cancels_per_second: cancels above it are held up, never dropped.
        duplicate_seconds: an order like one sent so shortly before needs an explicit override; 0 for none.
        max_daily_loss_fraction: of the equity the market's day began with; reached, only reducing orders pass.
        max_drawdown_fraction: of the highest equity; reached, only reducing orders pass.
        max_losing_streak: sells in a row that close at a loss; reached, only reducing orders pass.
        allow_list: symbols that may be traded; empty for all that the market lists.
        restricted: symbols that may not be traded.
    """

    version: str
    max_order_notional: Decimal
    max_account_exposure: Decimal
    max_order_fraction: Decimal | None = None
    max_open_orders: int = 20
    price_collar_percent: Decimal = Decimal(10)
    resting_collar_percent: Decimal = Decimal(50)
    quote_max_age_seconds: int = 60
    slippage_percent: Decimal = Decimal("0.1")
    allow_list: frozenset[str] = field(default_factory=frozenset)
    max_symbol_exposure: Decimal | None = None
    max_day_notional: Decimal | None = None
    price_gap_percent: Decimal = Decimal(5)
    rules_max_age_hours: int = 24
    max_orders_per_second: int = 10
    max_orders_per_minute: int = 120
    max_cancels_per_second: int = 10
    duplicate_seconds: int = 30
    max_daily_loss_fraction: Decimal = Decimal("0.05")
    max_drawdown_fraction: Decimal = Decimal("0.2")
    max_losing_streak: int = 10
    restricted: frozenset[str] = field(default_factory=frozenset)

    @property
    def named(self) -> str:
        """How a message names them: `limits v3`."""
        return f"limits v{self.version.removeprefix('v')}"

    def digest(self) -> str:
        """SHA-256 over every limit but the version: the same version always means the same limits."""
        return hashlib.sha256(repr(sorted(self.as_text().items())).encode()).hexdigest()

    def changes_from(self, before: dict[str, str]) -> dict[str, list[str]]:
        """Each limit that is not as `before` has it, as earlier and present text."""
        now = self.as_text()
        return {name: [before.get(name, ""), value] for name, value in now.items() if before.get(name) != value}

    def as_text(self) -> dict[str, str]:
        """Every limit in plain text, as the audit keeps them."""
        return {f.name: _told(getattr(self, f.name)) for f in fields(self) if f.name != "version"}


def default_limits() -> RiskLimits:
    """The limits of a fresh paper account of 100,000 quote units."""
    return RiskLimits(
        "1",
        max_order_notional=Decimal(10_000),
        max_symbol_exposure=Decimal(50_000),
        max_account_exposure=Decimal(100_000),
        max_day_notional=Decimal(200_000),
    )


def _told(value: Decimal | int | frozenset[str] | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
