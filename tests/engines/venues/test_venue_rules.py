"""What each venue takes from this desk is what its market says it takes: nothing is turned into another order."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engines.confirmation.risk_limits import default_limits
from engines.confirmation.risk_market import order_type
from engines.confirmation.risk_situation import Situation
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import Account, OrderIntent
from engines.execution.venues import VENUES
from engines.market.venue_rules import VENUE_RULES, narrowed

NOW = datetime(2026, 3, 10, tzinfo=UTC)
STEP, FEE = Decimal("0.0001"), Decimal("0.001")
BTC = Instrument("BTC/USDT", "BTC", "USDT", Decimal("0.1"), STEP, STEP, Decimal(5), FEE, FEE)
EVERY = {"market", "limit", "stop"}


def taken(venue: str, side: Any, kind: Any, force: Any, **listed: Any) -> bool:
    """What the pre-trade check says of such an order on a market of this venue."""
    level: dict[str, Any] = {"limit": {"limit_price": Decimal(60_000)}, "stop": {"stop_price": Decimal(66_000)}}.get(
        kind, {}
    )
    intent = OrderIntent("a", "t", "BTC/USDT", side, Decimal(1), order_type=kind, time_in_force=force, **level)
    quote = Quote("BTC/USDT", Decimal(64_000), Decimal(64_001), Decimal(64_000), NOW, venue, simulated=False)
    account = Account("a", "ann", "live", "USDT", {}, {}, ())
    situation = Situation(account, narrowed(BTC, venue, listed), quote, Decimal(0), Decimal(0), 0, NOW)
    finding = order_type(intent, situation, default_limits())
    assert finding.most is None or f"The market takes no {kind} " in finding.message
    return finding.most is None


def test_every_venue_of_the_desk_has_rules() -> None:
    assert set(VENUE_RULES) == set(VENUES)


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_rule_21_limit_orders_are_taken_for_as_long_as_the_venue_knows(venue: str) -> None:
    for force in ("GTC", "IOC", "DAY", "GTD"):
        assert taken(venue, "buy", "limit", force)
    assert taken(venue, "buy", "limit", "FOK") is (venue != "kraken")


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_rule_21_stop_orders_are_taken_where_this_desk_sends_them(venue: str) -> None:
    assert taken(venue, "sell", "stop", "GTC") is (venue in {"binance", "bybit", "kraken"})


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_rule_21_orders_at_the_market_fill_at_once_and_never_whole_or_not_at_all(venue: str) -> None:
    assert taken(venue, "sell", "market", "IOC")
    assert taken(venue, "buy", "market", "IOC") is (venue != "coinbase")
    assert not taken(venue, "sell", "market", "FOK")


def test_rule_21_a_symbol_of_binance_that_lists_no_stops_takes_none() -> None:
    listed = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT"]
    assert not taken("binance", "sell", "stop", "GTC", orderTypes=listed)
    assert taken("binance", "sell", "stop", "GTC", orderTypes=[*listed, "STOP_LOSS"])


def test_a_market_without_rules_of_its_own_takes_what_it_took() -> None:
    assert narrowed(BTC, "bitstamp", {}) == BTC
    assert BTC.taken == "limit, market, stop; FOK, GTC, IOC"
    assert narrowed(BTC, "coinbase", {}).taken == "limit, market to sell IOC; FOK, GTC, IOC"
