"""What the watch does for risk: it restricts an account that lost too much, and sees a changed limits file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from agents.opening import open_services
from agents.settings import load_settings
from agents.watch import watch_once
from engines.domain.clock import ManualClock
from engines.domain.instruments import Instrument
from engines.domain.orders import OrderIntent
from engines.errors import ConfigurationError, NotFound
from engines.execution.paper import PaperBroker
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database

FILE = 'version = "5"\nmax_order_notional = 50000\nmax_account_exposure = 100000\nmax_daily_loss_fraction = 0.01\n'
LOT = Decimal("0.0001")
BTC = Instrument("BTC/USDT", "BTC", "USDT", Decimal("0.01"), LOT, LOT, Decimal(5), Decimal("0.0008"), Decimal("0.001"))


@pytest.fixture
def market() -> FixedMarket:
    clock = ManualClock(datetime(2026, 3, 2, 16, 0, tzinfo=UTC))
    fixed = FixedMarket((BTC,), clock)
    fixed.set_quote("BTC/USDT", "59999.99", "60000")
    return fixed


def test_a_loss_restricts_the_account_and_a_changed_limits_file_is_noted(market: FixedMarket, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(FILE)
    settings = load_settings(home=tmp_path / "home", limits_file=file)
    with open_services(settings, clock=market.clock, market=market) as services:
        account = services.account("ann")
        ticket = services.seal(OrderIntent(account, "thread-1", "BTC/USDT", "buy", Decimal("0.5")), "ann")
        services.decide(ticket.id, "approve", ticket.hash, "ann")
        services.submit(ticket.id)
        watch_once(services)
        assert services.ledger.standing_state(account).state == "active"

        market.set_quote("BTC/USDT", "57999.99", "58000")
        file.write_text(FILE.replace('"5"', '"6"').replace("0.01", "0.5"))
        watch_once(services)
        standing = services.ledger.standing_state(account)
        assert (standing.state, standing.by) == ("reducing", "the risk engine")
        assert "the limit is 1 % (limits v5)" in standing.reason
        kinds = [record.kind for record in services.ledger.audit()]
        watch_once(services)
        assert [record.kind for record in services.ledger.audit()] == kinds
        assert (kinds.count("limits_in_force"), kinds.count("limits_file_changed")) == (1, 1)

    with open_services(settings, clock=market.clock, market=market) as services:
        assert services.ledger.standing_state(account).state == "reducing"
        assert services.orders.limits.version == "6"

    file.write_text(FILE.replace('"5"', '"6"'))
    with (
        pytest.raises(ConfigurationError, match="limits of version '6' have changed: max_daily_loss_fraction"),
        open_services(settings, clock=market.clock, market=market),
    ):
        pass


def test_a_step_of_the_watch_that_fails_stops_no_other(market: FixedMarket, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(FILE)
    settings = load_settings(home=tmp_path / "home", limits_file=file)

    class Away(PaperBroker):
        def match(self, now: datetime) -> int:
            raise NotFound("There is no LUNA/USDT.")

    with open_services(settings, clock=market.clock, market=market) as services:
        account = services.account("ann")
        ticket = services.seal(OrderIntent(account, "thread-1", "BTC/USDT", "buy", Decimal("0.5")), "ann")
        services.decide(ticket.id, "approve", ticket.hash, "ann")
        services.submit(ticket.id)
        watch_once(services)
        engine = open_database("desk", home=settings.home)
        market.set_quote("BTC/USDT", "57999.99", "58000")
        watch_once(replace(services, broker=Away(engine, market, market.clock)))
        engine.dispose()
        assert services.ledger.standing_state(account).state == "reducing"
