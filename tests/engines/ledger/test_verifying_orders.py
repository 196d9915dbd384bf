"""Every row that says money or state is held against the chain: orders, their history, states, what the venue said."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from engines.domain.clock import ManualClock
from engines.domain.orders import Account, OrderIntent
from engines.execution.broker import OpenOrder
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.journal import record_hash
from engines.ledger.ledger import Ledger
from engines.ledger.reconciliation import Difference, Reconciliation

DESK_STATE = "UPDATE trading_states SET state = 'active' WHERE account = ''"


@pytest.fixture
def busy(context: OrderContext, account: Account, paper: PaperBroker) -> Ledger:
    """A ledger with a filled and protected buy, a resting order, one that was cancelled, and a desk that reduces."""

    def ticket(**fields: Any) -> Any:
        intent = OrderIntent(account.id, "thread-1", "BTC/USDT", "buy", Decimal("0.05"))
        sealed = prepare_ticket(replace(intent, **fields), context, owner="ann")
        context.ledger.decide(sealed.id, "approve", sealed.hash, "ann")
        return submit(sealed.id, context, paper)

    ticket(stop_loss=Decimal(60_000), take_profit=Decimal(70_000))
    ticket(order_type="limit", limit_price=Decimal(62_000), quantity=Decimal("0.01"))
    gone = ticket(order_type="limit", limit_price=Decimal(61_000), quantity=Decimal("0.02"))
    ticket(kind="cancel", cancels=(gone.id,))
    context.ledger.change_state("reducing", reason="Enough.", by="ann")
    context.ledger.change_state("halted", reason="Look.", by="ann", account=account.id)
    return context.ledger


@pytest.fixture
def live(ledger: Ledger, hand_clock: ManualClock) -> Ledger:
    """A ledger whose live account was compared twice: one order of others each time, and money that was missing."""
    account = ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="binance", mode="live")
    ledger.take_over(account.id, {"USDT": (Decimal(1000), None)}, venue="binance")
    order = OpenOrder("", "77", "BTC/USDT", "buy", "limit", Decimal("0.5"), Decimal(0), Decimal("60000.10"))
    missing = Difference("USDT", Decimal(1000), Decimal(900), tolerated=False)
    for filled in ("0", "0.2"):
        now = replace(order, filled=Decimal(filled))
        found = Reconciliation(
            account.id, "binance", hand_clock.now(), "request", (), (), {}, (now,), (), (missing,), (), movements=1
        )
        ledger.record_reconciliation(found)
    return ledger


def tamper(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0


def told(ledger: Ledger) -> str:
    check = ledger.verify_audit()
    assert (check.intact, check.broken_at) == (False, None)
    return " ".join(check.disagreements)


def test_a_ledger_with_orders_of_every_kind_agrees_with_its_chain(busy: Ledger) -> None:
    check = busy.verify_audit()
    assert (check.disagreements, check.intact) == ((), True)
    assert check.compared["orders"] == 5
    assert check.compared["order events"] >= 8
    assert (check.compared["trading states"], check.compared["ticket states"]) == (2, 4)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE orders SET status = 'cancelled' WHERE limit_price = '62000'", "has another status than was recorded"),
        ("UPDATE orders SET quantity = '0.5' WHERE limit_price = '62000'", "has another quantity than was recorded"),
        ("UPDATE orders SET limit_price = '1' WHERE limit_price = '62000'", "has another limit price than was"),
        ("UPDATE orders SET side = 'sell' WHERE limit_price = '62000'", "has another side than was recorded"),
        ("UPDATE orders SET stop_loss = NULL WHERE stop_loss IS NOT NULL", "has another stop loss than was recorded"),
        ("UPDATE orders SET reserve_price = '0' WHERE limit_price = '62000'", "has another reserve price than was"),
        ("UPDATE orders SET venue_order_id = 'x' WHERE limit_price = '62000'", "has another venue order id than was"),
        ("UPDATE orders SET good_till = 1 WHERE limit_price = '62000'", "has another end than was recorded"),
        ("UPDATE orders SET parent_id = NULL, limit_price = '9' WHERE limit_price = '70000'", "another parent id than"),
        ("UPDATE orders SET limit_price = '99000' WHERE limit_price = '70000'", "has another limit price than was"),
        ("UPDATE orders SET held_by = 'desk' WHERE limit_price = '62000'", "has another held by than was recorded"),
        ("UPDATE orders SET quantity = 'much' WHERE limit_price = '62000'", "has another quantity than was recorded"),
        ("UPDATE order_events SET status = 'filled' WHERE status = 'cancelled'", "is not what was recorded."),
        ("DELETE FROM order_events", "is not what was recorded."),
        ("UPDATE tickets SET status = 'pending' WHERE status = 'cancelled'", "is stored as pending and was left as"),
        ("UPDATE tickets SET superseded_by = 'x' WHERE status = 'filled'", "is stored with another replacement"),
        ("UPDATE fills SET time = time + 1", "has another time than was recorded."),
        ("UPDATE fills SET venue = 'other'", "has another venue than was recorded."),
        ("UPDATE accounts SET mode = 'live'", "is stored with another owner, name or mode than it was opened with."),
        (DESK_STATE, "The trading state of the desk is not the one that was set (reducing)."),
        ("DELETE FROM trading_states WHERE account <> ''", "is gone."),
        ("UPDATE trading_states SET reason = 'All well.'", "is not the one that was set"),
    ],
)
def test_what_is_stored_otherwise_than_the_chain_tells_is_told(
    busy: Ledger, desk_engine: Engine, statement: str, words: str
) -> None:
    tamper(desk_engine, statement)
    assert words in told(busy)


def test_an_order_that_was_put_in_or_taken_out_is_told(busy: Ledger, desk_engine: Engine) -> None:
    columns = "ticket_id, account, symbol, side, order_type, quantity, status, reason, lookups, reserve_price"
    more = "reserve_fee, created_at, updated_at, held_by"
    tamper(
        desk_engine,
        f"INSERT INTO orders (id, {columns}, {more}) SELECT 'made-up', {columns}, {more} FROM orders LIMIT 1",
    )
    assert "Order made-up was never journalled by the desk." in told(busy)
    tamper(
        desk_engine,
        "DELETE FROM orders WHERE id = 'made-up'",
        "DELETE FROM order_events WHERE order_id IN (SELECT id FROM orders WHERE limit_price = '62000')",
        "DELETE FROM orders WHERE limit_price = '62000'",
    )
    assert "was journalled and is gone." in told(busy)


def test_a_trading_state_that_nobody_set_is_told(busy: Ledger, desk_engine: Engine) -> None:
    values = "'somebody', 'active', 'All well.', 'eve', 0"
    tamper(desk_engine, f'INSERT INTO trading_states (account, state, reason, "by", since) VALUES ({values})')
    assert "The trading state active of somebody was never set at the desk." in told(busy)


def test_what_a_venue_said_agrees_with_the_chain(live: Ledger) -> None:
    check = live.verify_audit()
    assert (check.disagreements, check.compared["external orders"], check.compared["comparisons"]) == ((), 1, 2)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE external_orders SET quantity = '0.01'", "External order 77 of live-binance-usdt:ann is not stored as"),
        ("UPDATE external_orders SET filled = '0'", "is not stored as it was found."),
        ("UPDATE external_orders SET limit_price = NULL", "is not stored as it was found."),
        ("UPDATE external_orders SET venue_order_id = '78'", "External order 78 of live-binance-usdt:ann was found by"),
        ("UPDATE external_orders SET quantity = 'much'", "The table of external orders cannot be read"),
        ("DELETE FROM external_orders", "External order 77 of live-binance-usdt:ann is gone."),
        ("UPDATE reconciliations SET report = replace(report, '900', '90')", "is not stored as it was made."),
        ("DELETE FROM reconciliations WHERE seq = 2", "Comparison 2 was made and is gone."),
        ("UPDATE reconciliations SET seq = 9 WHERE seq = 2", "Comparison 9 was never made by the desk."),
        ("UPDATE adjustments SET after_fill = 5", "without a fill was never recorded by the desk."),
    ],
)
def test_what_a_venue_said_and_is_stored_otherwise_is_told(
    live: Ledger, desk_engine: Engine, statement: str, words: str
) -> None:
    tamper(desk_engine, statement)
    assert words in told(live)


def test_the_records_of_an_earlier_release_that_tell_less_break_nothing(busy: Ledger, desk_engine: Engine) -> None:
    newer = {"quantity", "venue_order_id", "reserve_price", "reserve_fee", "venue", "time"}
    kinds = ("order_", "submission_journalled", "protective_order_accepted", "fill")
    previous = ""
    with desk_engine.begin() as connection:
        for record in busy.audit():
            data = record.data
            if record.kind.startswith(kinds):
                keep = {"quantity"} if record.kind == "fill" else set[str]()
                data = {name: value for name, value in data.items() if name not in newer - keep}
            stored = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            row = {name: getattr(record, name) for name in ("seq", "time", "account", "ticket_id", "kind")}
            row |= {"data": stored, "previous_hash": previous}
            previous = record_hash(row)
            statement = "UPDATE audit SET data = :data, previous_hash = :before, hash = :hash WHERE seq = :seq"
            before = row["previous_hash"]
            values = {"data": stored, "before": before, "hash": previous, "seq": record.seq}
            connection.execute(text(statement), values)
        connection.execute(text("UPDATE audit_head SET hash = :hash"), {"hash": previous})
    check = busy.verify_audit()
    assert (check.broken_at, check.disagreements) == (None, ())
