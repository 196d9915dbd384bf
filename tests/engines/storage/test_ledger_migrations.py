"""A ledger that an earlier release wrote, opened by this one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.orders import OrderIntent
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.ledger import Ledger
from engines.market.demo import DemoMarket
from engines.storage.database import open_database

MIGRATIONS = Path(__file__).parents[3] / "engines" / "storage" / "migrations"


def _buy_with_a_stop_loss(engine: Engine) -> None:
    clock = ManualClock(datetime(2026, 3, 2, 16, 0, tzinfo=UTC))
    context = OrderContext(Ledger(engine, clock), DemoMarket(clock), clock, default_limits())
    account = context.ledger.ensure_account("ann", currency="USDT", cash=Decimal(100_000), market="demo")
    intent = OrderIntent(account.id, "thread-1", "ETH/USDT", "buy", Decimal(1), stop_loss=Decimal(1))
    ticket = prepare_ticket(intent, context, owner="ann")
    context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    submit(ticket.id, context, PaperBroker(engine, context.market, clock))


def _take_back_to(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_paper_orders_of_an_earlier_release_are_told_their_market(tmp_path: Path, empty_database_url: str) -> None:
    engine = open_database("desk", home=tmp_path, url=empty_database_url)
    _buy_with_a_stop_loss(engine)
    _take_back_to(engine, "ledger@ledger_0001")
    engine.dispose()

    engine = open_database("desk", home=tmp_path, url=empty_database_url)
    with engine.connect() as connection:
        markets = connection.execute(text("SELECT id, market FROM paper_orders")).all()
    engine.dispose()
    assert [market for _, market in markets] == ["demo", "demo"]
