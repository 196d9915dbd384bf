"""What every step of an order's path is handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from engines.confirmation.risk import RiskLimits
from engines.domain.clock import Clock
from engines.domain.orders import Confluence, Mode, OrderIntent, OrderTicket, Side
from engines.execution.patience import Patience
from engines.ledger.ledger import Ledger
from engines.market.data import MarketData


def no_confluence(side: Side, symbol: str) -> Confluence:
    """Stands in where no engine is asked: a ticket without evidence, which says so."""
    return Confluence(None, missing=(f"No engine was asked about a {side} of {symbol}.",))


def nothing_in_the_way(_: OrderIntent | OrderTicket) -> str:
    """Stands in where no real money moves: every order may be sent."""
    return ""


@dataclass(frozen=True, slots=True)
class OrderContext:
    """The ledger, the market and the rules that an order is prepared and carried out under.

    Attributes:
        clock: the wall; tickets expire and the audit is dated by it, while quotes are dated by the market.
        confluence: what the engines say for and against a side of a symbol.
        ticket_seconds: how long a ticket waits for its person.
        price_band_percent: how far the price may move, in percent, between quote and execution.
        gate: why an order may not go to the venue now, empty when it may; of a live desk, `LiveGate.refusal`.
        within: how the ids of the accounts begin that this desk's broker serves, such as `paper-` or `live-kraken-`;
            empty for all. Orders of other accounts are left alone: no other broker can say what became of them.
        holds_protection: whether the venue will hold a ticket's stop-loss and take-profit itself, as its broker says;
            None where a ticket need not say so.
        unrecorded: orders of this process that were sent and whose outcome could not be written down. While there
            is one, nothing more is sent.
        patience: how often the watcher asks for what stays unclear.
    """

    ledger: Ledger
    market: MarketData
    clock: Clock
    limits: RiskLimits
    confluence: Callable[[Side, str], Confluence] = no_confluence
    mode: Mode = "paper"
    ticket_seconds: int = 60
    price_band_percent: Decimal = Decimal("0.5")
    gate: Callable[[OrderIntent | OrderTicket], str] = nothing_in_the_way
    within: str = ""
    holds_protection: Callable[[OrderTicket], bool] | None = None
    unrecorded: set[str] = field(default_factory=set)
    patience: Patience = field(default_factory=Patience)
