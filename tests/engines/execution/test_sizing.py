"""Sizes from a risk: percent of equity or money, measured by the distance to the stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.confirmation.sizing import average_true_range
from engines.domain.clock import ManualClock
from engines.domain.orders import OrderIntent
from engines.errors import InsufficientData, InvalidRequest, RiskDenied
from engines.execution.context import OrderContext
from engines.execution.prepare import TicketEdits, edit_ticket, prepare_ticket
from engines.market.fixed import FixedMarket

ACCOUNT = "paper-fixed-usdt:ann"


@pytest.fixture
def database_url() -> str:
    """What is prepared does not depend on the database."""
    return ""


def risking(amount: str, unit: str = "risk", **fields: Any) -> OrderIntent:
    intent = OrderIntent(ACCOUNT, "thread-1", "BTC/USDT", "buy", Decimal(amount), user_words="risk it")
    words = {"side", "order_type"}
    given: dict[str, Any] = {name: Decimal(value) if name not in words else value for name, value in fields.items()}
    return replace(intent, **given | {"unit": unit})


def hours(market: FixedMarket, clock: ManualClock, ranges: list[float], close: float = 64_000.0) -> None:
    """Candles of one hour each, the last one just closed, each as wide as told around the same price."""
    start = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=len(ranges))
    for place, wide in enumerate(ranges):
        half = wide / 2
        row = (close, close + half, close - half, close)
        market.set_ohlc("BTC/USDT", start + timedelta(hours=place), row, "1h")


def test_one_percent_at_risk_buys_what_the_stop_loses_with_both_fees(context: OrderContext) -> None:
    ticket = prepare_ticket(risking("0.3", stop_loss="62000"), context, owner="ann")
    # 300 USDT over 64,120 - 62,000 and a fee of 0.1 % on both: 2,246.12 for each bitcoin.
    assert ticket.quantity == Decimal("0.1335")
    assert ticket.stake is not None
    assert ticket.stake.loss == Decimal("0.1335") * Decimal("2246.12")
    assert ticket.stake.equity == Decimal(100_000)
    assert (ticket.stake.gain, ticket.stake.reward) == (None, None)


def test_money_at_risk_needs_no_equity_and_a_target_tells_its_multiple(context: OrderContext) -> None:
    ticket = prepare_ticket(risking("300", "risk_quote", stop_loss="62000", take_profit="69000"), context, owner="ann")
    assert ticket.quantity == Decimal("0.1335")
    assert ticket.stake is not None
    assert ticket.stake.gain == Decimal("0.1335") * (Decimal(69_000) - Decimal(64_120) - Decimal("133.12"))
    assert ticket.stake.reward == ticket.stake.gain / ticket.stake.loss


def test_what_is_at_stake_is_sealed_and_read_back(context: OrderContext) -> None:
    ticket = prepare_ticket(risking("0.3", stop_loss="62000", take_profit="69000"), context, owner="ann")
    again = context.ledger.ticket(ticket.id)
    assert again == ticket
    assert again.seal() == ticket.hash
    assert ticket.sealed_content()["stake"]["equity"] == "100000"


def test_a_limit_order_is_measured_from_its_own_price(context: OrderContext) -> None:
    intent = risking("300", "risk_quote", order_type="limit", limit_price="60000", stop_loss="58000")
    ticket = prepare_ticket(intent, context, owner="ann")
    assert ticket.quantity == Decimal("0.1416")  # 300 / (2,000 + 118)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(percent=st.decimals("0.05", "0.4", places=2), stop=st.integers(30_000, 63_000))
def test_no_size_risks_more_than_asked_and_one_lot_more_would(
    context: OrderContext, percent: Decimal, stop: int
) -> None:
    try:
        ticket = prepare_ticket(risking(str(percent), stop_loss=str(stop)), context, owner="ann")
    except RiskDenied:
        return  # the size is over another limit: it is denied, not cut in silence
    assert ticket.stake is not None
    allowed = percent / 100 * 100_000
    assert ticket.stake.loss <= allowed
    each = ticket.stake.loss / ticket.quantity
    assert ticket.stake.loss + each * Decimal("0.0001") > allowed


def test_a_risk_without_a_stop_asks_for_one(context: OrderContext) -> None:
    with pytest.raises(InvalidRequest, match=r"needs a stop.*stop 2 atr"):
        prepare_ticket(risking("1"), context, owner="ann")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"side": "sell"}, "puts nothing at risk"),
        ({"stop_loss": "70000"}, "not below the entry"),
        ({"quantity": Decimal(101), "stop_loss": "60000"}, "more than the account"),
        ({"quantity": Decimal("NaN"), "stop_loss": "60000"}, "no quantity to buy"),
        ({"stop_loss": "60000", "stop_atr": "2"}, "given twice"),
        ({"stop_atr": "0"}, "makes no sense"),
        ({"stop_atr": "NaN"}, "makes no sense"),
        ({"stop_atr": "200"}, "makes no sense"),
    ],
)
def test_a_risk_that_cannot_be_measured_is_refused(context: OrderContext, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        prepare_ticket(risking("1", **fields), context, owner="ann")


def test_a_stop_in_average_true_ranges_becomes_a_price_and_says_how(
    context: OrderContext, market: FixedMarket, hand_clock: ManualClock
) -> None:
    hours(market, hand_clock, [100.0] * 15 + [240.0])
    ticket = prepare_ticket(risking("50", "risk_quote", stop_atr="2"), context, owner="ann")
    # (13 x 100 + 240) / 14 is 110 a candle.
    assert ticket.stop_loss == Decimal(64_120) - 220
    assert "2 ATR below the entry: ATR(14) of the 1h is 110 USDT at the candle closed" in ticket.stop_note
    assert context.ledger.ticket(ticket.id).seal() == ticket.hash


def test_a_stop_moved_on_the_ticket_is_no_longer_the_measured_one(
    context: OrderContext, market: FixedMarket, hand_clock: ManualClock
) -> None:
    hours(market, hand_clock, [100.0] * 20)
    ticket = prepare_ticket(risking("20", "risk_quote", stop_atr="2"), context, owner="ann")
    moved = TicketEdits(stop_loss=Decimal(63_000))
    edited = edit_ticket(ticket.id, ticket.hash, moved, context, by="ann", owner="ann")
    assert (edited.stop_note, edited.quantity) == ("", ticket.quantity)
    assert edited.stake is not None
    assert ticket.stake is not None
    assert edited.stake.loss > ticket.stake.loss


def test_a_market_without_history_gives_no_measured_stop(context: OrderContext) -> None:
    with pytest.raises(InsufficientData):
        prepare_ticket(risking("1", stop_atr="2"), context, owner="ann")


def test_the_range_of_a_candle_reaches_back_to_the_close_before(market: FixedMarket, hand_clock: ManualClock) -> None:
    hours(market, hand_clock, [0.0] * 14)
    start = hand_clock.now().replace(minute=0, second=0, microsecond=0)
    hand_clock.advance(timedelta(hours=1))
    market.set_ohlc("BTC/USDT", start, (65_400.0, 65_400.0, 65_400.0, 65_400.0), "1h")
    candles = market.closed_candles("BTC/USDT", "1h", count=100)
    assert average_true_range(candles) == 100.0  # one gap of 1,400 among fourteen
    with pytest.raises(InsufficientData, match="needs 15"):
        average_true_range(candles[-14:])
