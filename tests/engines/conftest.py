"""A desk whose market and time stand still until a test moves them, on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from engines.confirmation.risk import RiskLimits, default_limits
from engines.domain.clock import ManualClock
from engines.domain.orders import Account
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.paper_model import PaperModel
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database
from tests.engines.templates import listed

BTC = listed()
ETH = listed("ETH", lot_size=Decimal("0.001"))


def unhurried(limits: RiskLimits) -> RiskLimits:
    """The same limits without those on pace, repetition and concentration: the clock stands, so all is at once."""
    often = 10**6
    limits = replace(limits, max_symbol_exposure=None, max_day_notional=None, duplicate_seconds=0)
    return replace(limits, max_orders_per_second=often, max_orders_per_minute=often)


@pytest.fixture
def hand_clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 2, 16, 0, tzinfo=UTC))


@pytest.fixture
def market(hand_clock: ManualClock) -> FixedMarket:
    """BTC at 64,119.99 / 64,120.00 and ETH at 3,099.99 / 3,100.00."""
    fixed = FixedMarket((BTC, ETH), hand_clock)
    fixed.set_quote("BTC/USDT", "64119.99", "64120.00")
    fixed.set_quote("ETH/USDT", "3099.99", "3100.00")
    return fixed


@pytest.fixture(scope="session")
def _migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("migrated")
    open_database("desk", home=home).dispose()
    return home


@pytest.fixture
def desk_engine(tmp_path: Path, database_url: str, _migrated_home: Path) -> Iterator[Engine]:
    shutil.copy(_migrated_home / "desk.db", tmp_path)
    engine = open_database("desk", home=tmp_path, url=database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(desk_engine: Engine, hand_clock: ManualClock) -> Ledger:
    return Ledger(desk_engine, hand_clock)


@pytest.fixture
def account(ledger: Ledger) -> Account:
    return ledger.ensure_account("ann", currency="USDT", cash=Decimal(100_000), market="fixed")


@pytest.fixture
def paper(desk_engine: Engine, market: FixedMarket, hand_clock: ManualClock) -> PaperBroker:
    """The simulated venue; orders arrive at once, for the candles that tests set begin when they are sent."""
    return PaperBroker(desk_engine, market, hand_clock, rules=PaperModel(latency=timedelta(0)))


@pytest.fixture
def context(ledger: Ledger, market: FixedMarket, hand_clock: ManualClock, account: Account) -> OrderContext:
    return OrderContext(ledger, market, hand_clock, unhurried(default_limits()))
