"""From an intent to a sealed ticket: numbers, contradictions, limits, edits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.clock import ManualClock
from engines.domain.orders import OrderIntent
from engines.errors import Conflict, Expired, InvalidRequest, NotFound, RiskDenied, VenueUnavailable
from engines.execution.broker import protective_ids
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import TicketEdits, client_order_id, edit_ticket, prepare_ticket
from engines.execution.submit import submit
from engines.market.fixed import FixedMarket

ACCOUNT = "paper-fixed-usdt:ann"


@pytest.fixture
def database_url() -> str:
    """What is prepared does not depend on the database; how it is kept is tested with the ledger."""
    return ""


def wanted(quantity: str = "0.1", **fields: Any) -> OrderIntent:
    intent = OrderIntent(ACCOUNT, "thread-1", "BTC/USDT", "buy", Decimal(quantity), user_words="buy it")
    return replace(intent, **fields)


def bought(context: OrderContext, paper: PaperBroker, quantity: str, **fields: Any) -> None:
    ticket = prepare_ticket(wanted(quantity, **fields), context, owner="ann")
    context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    order = submit(ticket.id, context, paper)
    assert order is not None
    assert order.status == "filled"


def test_a_ticket_holds_what_the_person_will_see(context: OrderContext, hand_clock: ManualClock) -> None:
    ticket = prepare_ticket(wanted(stop_loss=Decimal(62_000)), context, owner="ann")
    assert (ticket.label, ticket.status, ticket.market, ticket.simulated) == ("T-1", "pending", "fixed", True)
    assert (ticket.quantity, ticket.notional, ticket.estimated_fee) == (Decimal("0.1"), Decimal(6412), Decimal("6.412"))
    assert (ticket.reference_price, ticket.price_band) == (Decimal(64_120), (Decimal("63799.40"), Decimal("64440.60")))
    assert (ticket.time_in_force, ticket.limits_version, ticket.user_words) == ("IOC", "1", "buy it")
    assert ticket.expires_at == hand_clock.now() + timedelta(seconds=60)
    assert ticket.risk.outcome == "approved"
    used = {check.name: check.used for check in ticket.risk.checks}
    assert used["order_notional"] == Decimal("64.12")


def test_a_ticket_read_back_is_the_ticket_that_was_sealed(context: OrderContext) -> None:
    intent = wanted(order_type="limit", limit_price=Decimal("60000.00"), differences=("You wrote ETH.",))
    ticket = prepare_ticket(intent, context, owner="ann")
    again = context.ledger.ticket(ticket.id)
    assert again == ticket
    assert again.seal() == ticket.hash


def test_labels_count_up_in_each_account(context: OrderContext) -> None:
    other = context.ledger.ensure_account("ben", currency="USDT", cash=Decimal(100_000), market="fixed")
    labels = [prepare_ticket(wanted(), context, owner="ann").label for _ in range(2)]
    labels.append(prepare_ticket(wanted(account=other.id), context, owner="ben").label)
    assert labels == ["T-1", "T-2", "T-1"]


@pytest.mark.parametrize(
    ("quantity", "unit", "expected"),
    [("0.12345678", "base", "0.1234"), ("500", "quote", "0.0077"), ("2", "percent", "0.0311")],
)
def test_quantities_of_every_unit_round_down_to_the_lot(
    context: OrderContext, quantity: str, unit: str, expected: str
) -> None:
    ticket = prepare_ticket(wanted(quantity, unit=unit), context, owner="ann")
    assert ticket.quantity == Decimal(expected)


def test_prices_round_to_the_tick_toward_safety(context: OrderContext) -> None:
    prices: dict[str, Any] = {
        "limit_price": Decimal("60000.019"),
        "stop_loss": Decimal("59000.011"),
        "take_profit": Decimal("70000.011"),
    }
    ticket = prepare_ticket(wanted(order_type="limit", **prices), context, owner="ann")
    assert (ticket.limit_price, ticket.stop_loss, ticket.take_profit) == (
        Decimal("60000.01"),
        Decimal("59000.02"),
        Decimal("70000.02"),
    )


def test_the_client_order_id_follows_from_the_ticket_and_fits_every_venue(context: OrderContext) -> None:
    ticket = prepare_ticket(wanted(), context, owner="ann")
    assert ticket.client_order_id == client_order_id(ticket.id)
    assert all(len(order_id) <= 32 for order_id in (ticket.client_order_id, *protective_ids(ticket.client_order_id)))


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity", "-Infinity", "1e400"])
@pytest.mark.parametrize("unit", ["base", "quote", "percent"])
def test_a_quantity_that_is_no_amount_is_refused_with_examples(context: OrderContext, quantity: str, unit: str) -> None:
    with pytest.raises(InvalidRequest, match=r"above 0 and at most 1,000,000.*for example 0.05 BTC, 500 USDT or 2 %"):
        prepare_ticket(wanted(quantity, unit=unit), context, owner="ann")


def test_a_quantity_under_the_minimum_names_it_and_what_it_costs(context: OrderContext) -> None:
    with pytest.raises(InvalidRequest) as caught:
        prepare_ticket(wanted("0.00001"), context, owner="ann")
    assert str(caught.value) == (
        "0.00001 BTC is below this market's minimum of 0.0001 BTC (about 6.41 USDT). Order at least 0.0001 BTC."
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"order_type": "limit"}, "needs a limit price"),
        ({"order_type": "stop"}, "needs a stop price"),
        ({"limit_price": Decimal(60_000)}, "market order takes no limit price"),
        ({"stop_price": Decimal(66_000)}, "market order takes no stop price"),
        ({"order_type": "stop", "stop_price": Decimal(66_000), "limit_price": Decimal(1)}, "stop order takes no limit"),
        ({"order_type": "stop", "stop_price": Decimal(60_000)}, "must lie above the price"),
        ({"order_type": "limit", "limit_price": Decimal(0)}, "0 is no limit price"),
        ({"stop_loss": Decimal("NaN")}, "NaN is no stop-loss"),
        ({"stop_loss": Decimal(65_000)}, "stop-loss 65,000 USDT is not below the entry of this buy, 64,119.99 USDT"),
        ({"take_profit": Decimal(64_000)}, "take-profit 64,000 USDT is not above the entry"),
        ({"order_type": "limit", "limit_price": Decimal(60_000), "stop_loss": Decimal(60_000)}, "not below the entry"),
        ({"side": "sell", "stop_loss": Decimal(60_000)}, "takes no stop-loss"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(
    context: OrderContext, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        prepare_ticket(wanted(**fields), context, owner="ann")
    assert context.ledger.tickets("ann") == ()


def test_an_order_over_the_limit_is_denied_with_the_largest_that_passes(context: OrderContext) -> None:
    with pytest.raises(RiskDenied) as caught:
        prepare_ticket(wanted("5"), context, owner="ann")
    assert str(caught.value) == (
        "Not possible: 5 BTC is about 320,600 USDT and this account's limit per order is 10,000 USDT (limits v1). "
        "The largest order that passes now is 0.155 BTC."
    )
    assert caught.value.largest == Decimal("0.155")
    assert prepare_ticket(wanted(str(caught.value.largest)), context, owner="ann").status == "pending"


def test_a_denial_is_on_record_though_there_is_no_ticket(context: OrderContext) -> None:
    with pytest.raises(RiskDenied):
        prepare_ticket(wanted("5", user_words="all in"), context, owner="ann")
    record = context.ledger.audit()[-1]
    assert (record.kind, record.ticket_id, record.data["intent"]["words"]) == ("intent_denied", None, "all in")
    assert "limit per order" in record.data["reason"]


def test_selling_more_than_is_held_is_denied(context: OrderContext, paper: PaperBroker) -> None:
    bought(context, paper, "0.1")
    with pytest.raises(RiskDenied, match=r"You hold 0.1 BTC") as caught:
        prepare_ticket(wanted("0.11", side="sell"), context, owner="ann")
    assert caught.value.largest == Decimal("0.1")


def test_a_stale_quote_decides_nothing(context: OrderContext, hand_clock: ManualClock) -> None:
    hand_clock.advance(timedelta(seconds=61))
    with pytest.raises(RiskDenied, match="is 61 s old and the limit is 60 s"):
        prepare_ticket(wanted(), context, owner="ann")


def test_a_market_without_a_two_sided_price_takes_no_order(context: OrderContext, market: FixedMarket) -> None:
    market.set_quote("BTC/USDT", "0", "64120")
    with pytest.raises(VenueUnavailable, match="no usable price"):
        prepare_ticket(wanted(), context, owner="ann")


def test_an_unknown_symbol_and_somebody_elses_account_are_not_found(context: OrderContext) -> None:
    with pytest.raises(NotFound, match="BTCC/USDT"):
        prepare_ticket(wanted(symbol="BTCC/USDT"), context, owner="ann")
    with pytest.raises(NotFound, match="no account"):
        prepare_ticket(wanted(), context, owner="ben")


def test_an_edit_replaces_the_ticket_and_needs_its_own_approval(context: OrderContext) -> None:
    old = prepare_ticket(wanted(stop_loss=Decimal(62_000)), context, owner="ann")
    edits = TicketEdits(quantity=Decimal("0.05"), stop_loss=Decimal(0), take_profit=Decimal(70_000))
    new = edit_ticket(old.id, old.hash, edits, context, by="ann", owner="ann")
    assert (new.label, new.status, new.quantity, new.stop_loss) == ("T-2", "pending", Decimal("0.05"), None)
    assert (new.take_profit, new.user_words) == (Decimal(70_000), "buy it")
    replaced = context.ledger.ticket(old.id)
    assert (replaced.status, replaced.superseded_by) == ("superseded", new.id)
    with pytest.raises(Conflict, match="replaced after an edit"):
        context.ledger.decide(old.id, "approve", old.hash, "ann")
    assert [record.kind for record in context.ledger.audit(old.id)] == ["ticket_sealed", "ticket_superseded"]


def test_a_refused_edit_leaves_the_ticket_as_it_was(context: OrderContext) -> None:
    old = prepare_ticket(wanted(), context, owner="ann")
    with pytest.raises(RiskDenied):
        edit_ticket(old.id, old.hash, TicketEdits(quantity=Decimal(5)), context, by="ann", owner="ann")
    with pytest.raises(Conflict, match="hash"):
        edit_ticket(old.id, "0" * 64, TicketEdits(quantity=Decimal("0.05")), context, by="ann", owner="ann")
    with pytest.raises(InvalidRequest, match="Nothing was edited"):
        edit_ticket(old.id, old.hash, TicketEdits(), context, by="ann", owner="ann")
    assert context.ledger.tickets("ann") == (old,)


def test_an_expired_ticket_cannot_be_edited(
    context: OrderContext, hand_clock: ManualClock, market: FixedMarket
) -> None:
    old = prepare_ticket(wanted(), context, owner="ann")
    hand_clock.advance(timedelta(seconds=60))
    market.set_quote("BTC/USDT", "64119.99", "64120.00")
    with pytest.raises(Expired, match="expired at 16:01:00 UTC"):
        edit_ticket(old.id, old.hash, TicketEdits(quantity=Decimal("0.05")), context, by="ann", owner="ann")


def test_a_cancellation_names_only_open_orders_of_its_owner(context: OrderContext, paper: PaperBroker) -> None:
    bought(context, paper, "0.1")
    done = context.ledger.orders(ACCOUNT)[0]
    with pytest.raises(InvalidRequest, match="is filled: there is nothing left to cancel"):
        prepare_ticket(wanted(kind="cancel", cancels=(done.id,)), context, owner="ann")
    with pytest.raises(InvalidRequest, match="no open order"):
        prepare_ticket(wanted(kind="cancel"), context, owner="ann")
    with pytest.raises(NotFound, match="no order"):
        prepare_ticket(wanted(kind="cancel", cancels=("qtp-none",)), context, owner="ann")


def test_a_cancellation_names_only_orders_of_its_own_account(context: OrderContext, paper: PaperBroker) -> None:
    mine = prepare_ticket(wanted(order_type="limit", limit_price=Decimal(60_000)), context, owner="ann")
    context.ledger.decide(mine.id, "approve", mine.hash, "ann")
    resting = submit(mine.id, context, paper)
    assert resting is not None
    other = context.ledger.ensure_account("ann", currency="USDT", cash=Decimal(1_000), market="elsewhere")
    with pytest.raises(InvalidRequest, match="belongs to the account"):
        prepare_ticket(wanted(kind="cancel", cancels=(resting.id,), account=other.id), context, owner="ann")
