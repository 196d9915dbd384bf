"""A whole desk on a folder: ledger, market, rules, and a broker at a venue of the emulator or on paper."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, cast

from sqlalchemy import Engine

from engines.confirmation.risk import default_limits
from engines.domain.instruments import Instrument
from engines.domain.orders import Order, OrderIntent, OrderTicket
from engines.errors import QuantumTraderError, VenueUnavailable
from engines.execution.broker import Broker
from engines.execution.context import OrderContext
from engines.execution.guard import guard_exits
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit, unfinished
from engines.execution.sync import sync_fills
from engines.execution.venues import VENUES, CcxtBroker, Credentials
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import VenueClient, connect
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database

from .link import Link
from .points import Points

BTC: Final = "BTC/USDT"
CASH: Final = Decimal(100_000)
ACCOUNT: Final = "paper-fixed-usdt:ann"
OWNER: Final = "ann"
PATIENCE_MS: Final = 300
SETTLING: Final = timedelta(seconds=0.7)
"""Longer than the emulator keeps an order hidden or on its way; a real venue's is counted in the same way."""

# What a person may do is tested elsewhere: here nothing but money and minimums stands in the way.
LIMITS: Final = replace(
    default_limits(),
    version="faults",
    max_symbol_exposure=None,
    max_day_notional=None,
    max_open_orders=1_000,
    max_orders_per_second=1_000_000,
    max_orders_per_minute=1_000_000,
    duplicate_seconds=0,
    max_daily_loss_fraction=Decimal(1),
    max_drawdown_fraction=Decimal(1),
    max_losing_streak=1_000_000,
)

Kind = Literal["market", "limit", "bracket", "guarded"]
KINDS: Final[tuple[Kind, ...]] = ("market", "limit", "bracket", "guarded")
"""A bracket is a limit entry, whose exits go along where a venue takes them; those of a guarded market entry follow."""
_MIGRATING: Final = threading.Lock()
_STEP, _FEE = Decimal("0.00001"), Decimal("0.001")
_RULES: Final = Instrument(BTC, "BTC", "USDT", Decimal("0.1"), _STEP, Decimal("0.0001"), Decimal(5), _FEE, _FEE)

_EXITS: Final = {"stop_loss": Decimal(48_000), "take_profit": Decimal(52_000)}
_FIELDS: Final[dict[Kind, dict[str, Any]]] = {
    "market": {},
    "limit": {"order_type": "limit", "limit_price": Decimal(49_000)},
    "bracket": {"order_type": "limit", "limit_price": Decimal(50_010)} | _EXITS,
    "guarded": _EXITS,
}


class MovableClock:
    """The machine's clock and how far a test has moved it on; `settling` is what the venue's dialect is given."""

    def __init__(self, settling: timedelta = SETTLING) -> None:
        self.settling = settling
        self._moved = timedelta(0)

    def now(self) -> datetime:
        """Aware UTC time."""
        return datetime.now(UTC) + self._moved

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic() + self._moved.total_seconds()

    def advance(self, step: timedelta) -> None:
        """Move it forward."""
        self._moved += step

    def wait(self, span: timedelta) -> None:
        """Move it forward instead of waiting."""
        self.advance(span)


class _Roomy(RequestBudget):
    """A budget that never runs out: what is tested here is not the waiting."""

    def __init__(self) -> None:
        super().__init__(1e9, 1e9, sleep=lambda seconds: None)


@dataclass(frozen=True)
class Desk:
    """One process's view of the desk."""

    engine: Engine
    ledger: Ledger
    market: FixedMarket
    context: OrderContext
    broker: Broker

    def ask(self, what: Kind = "market", /, **fields: Any) -> OrderTicket:
        """A ticket that waits for its person."""
        self.refresh()
        wanted: dict[str, Any] = {"side": "buy", "quantity": Decimal("0.1")} | _FIELDS[what] | fields
        intent = OrderIntent(ACCOUNT, "thread-1", BTC, **wanted)
        return prepare_ticket(intent, self.context, owner=OWNER)

    def approve(self, ticket: OrderTicket) -> OrderTicket:
        """The person's yes."""
        return self.ledger.decide(ticket.id, "approve", ticket.hash, OWNER)

    def submit(self, ticket_id: str) -> Order | None:
        """Carry a ticket out, or go on with it."""
        self.refresh()
        return submit(ticket_id, self.context, self.broker)

    def refresh(self) -> None:
        """A fresh quote of the price at which every venue of the emulator starts."""
        self.market.set_quote(BTC, "49995", "50005")

    def settle(self) -> int:
        """One round of what the watcher does: resting orders, then whatever is unclear. How much is still unclear."""
        try:
            sync_fills(self.ledger, self.broker)
            guard_exits(self.context, self.broker, self.context.clock.now())
        except VenueUnavailable:
            return 1 + len(unfinished(self.ledger))
        for ticket_id in unfinished(self.ledger):
            try:
                self.submit(ticket_id)
            except QuantumTraderError:
                continue
        return len(unfinished(self.ledger))

    def settle_all(self, *, seconds: float = 20.0, pause: float = 0.15) -> None:
        """Settle until nothing is unclear and a look at the venue changes nothing."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(VenueUnavailable):
                # What one round settles, the next one guards.
                if self.settle() == 0 == self.settle() and sync_fills(self.ledger, self.broker) == ():
                    return
            time.sleep(pause)
        raise TimeoutError(f"still unclear: {unfinished(self.ledger)}")


def prepare_home(folder: Path, name: str) -> Path:
    """A fresh home in a folder, its database migrated already: migrating takes long, and one thread at a time."""
    template, home = folder / "template.db", folder / name
    with _MIGRATING:
        if not template.exists():
            open_database("desk", home=folder / "migrated").dispose()
            shutil.copy(folder / "migrated" / "desk.db", template)
    if home.exists():
        shutil.rmtree(home)
    home.mkdir(parents=True)
    shutil.copy(template, home / "desk.db")
    return home


def exchange_of(link: Link, venue: str) -> Any:
    """A ccxt exchange that the venue's client uses, pointed at the emulator."""
    kept: list[Any] = []

    def keep(exchange: Any) -> None:
        link.point(exchange)
        kept.append(exchange)

    keys = Credentials(link.keys[venue]["key"], link.keys[venue]["secret"])
    connect(venue, keys, _Roomy(), configure=keep, timeout_ms=PATIENCE_MS)
    return kept[0]


def broker_at(
    venue: str, exchange: Any, *, settling: timedelta = SETTLING, monotonic: Callable[[], float] = time.monotonic
) -> CcxtBroker:
    """A broker that has sent nothing yet; its venue's orders turn up within `settling`."""
    exchange.session.hooks["response"].clear()
    client = VenueClient(exchange, _Roomy())
    dialect = cast("Callable[[VenueClient], Any]", VENUES[cast("Any", venue)][0])(client)
    # A class attribute of the dialect: this one waits less long than the real venue needs.
    quick = type(f"Quick{type(dialect).__name__}", (type(dialect),), {"settling": settling})
    return CcxtBroker(quick(client), client, account=ACCOUNT, monotonic=monotonic)


@contextmanager
def open_desk(
    home: Path,
    venue: str,
    exchange: Any = None,
    *,
    points: Points | None = None,
    clock: MovableClock | None = None,
    engine: Engine | None = None,
) -> Iterator[Desk]:
    """A desk on a home's database, closed with the block; `venue` is `paper` or one of the emulator's.

    An `engine` that was open there before has its statements ready, and none of its connections.
    """
    clock = clock or MovableClock()
    engine = engine or open_database("desk", home=home)
    try:
        market = FixedMarket((_RULES,), clock)
        market.set_quote(BTC, "49995", "50005")
        ledger = Ledger(engine, clock)
        if points is not None:
            points.watch_database(engine)
        if exchange is not None and points is not None:
            points.watch_requests(exchange.session)
        broker: Broker = PaperBroker(engine, market, clock)
        if venue != "paper":
            broker = broker_at(venue, exchange, settling=clock.settling, monotonic=clock.monotonic)
        context = OrderContext(ledger, market, clock, LIMITS)
        yield Desk(engine, ledger, market, context, broker)
    finally:
        engine.dispose()


def open_account(desk: Desk) -> None:
    """The account that stands for the venue's: as much cash as the emulator is given."""
    desk.ledger.ensure_account(OWNER, currency="USDT", cash=CASH, market="fixed")
