"""What the walk along the audit chain finds, and how it tells it; on both databases."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from engines.domain.orders import Account, OrderIntent
from engines.errors import InvalidRequest
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.ledger import Ledger
from engines.ledger.verifying import AuditHead


@pytest.fixture
def busy(context: OrderContext, account: Account, paper: PaperBroker) -> Ledger:
    """A ledger in which one order was filled and one ticket rejected: 9 records."""
    intent = OrderIntent(account.id, "thread-1", "BTC/USDT", "buy", Decimal("0.1"))
    bought, refused = (prepare_ticket(intent, context, owner="ann") for _ in range(2))
    context.ledger.decide(bought.id, "approve", bought.hash, "ann")
    context.ledger.decide(refused.id, "reject", refused.hash, "ann")
    submit(bought.id, context, paper)
    return context.ledger


def tamper(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0


def test_an_untouched_ledger_agrees_with_its_chain(busy: Ledger) -> None:
    check = busy.verify_audit()
    assert (check.intact, check.records, check.head.seq, check.reason) == (True, 9, 9, "")
    assert check.compared == {
        "tickets": 2,
        "ticket states": 2,
        "decisions": 2,
        "orders": 1,
        "order events": 2,
        "fills": 1,
        "accounts": 1,
        "movements": 0,
        "trading states": 0,
        "external orders": 0,
        "comparisons": 0,
        "equity marks": 1,
    }
    assert check.head.hash == busy.audit()[-1].hash
    assert check.last_time == busy.audit()[-1].time


@pytest.mark.parametrize(
    ("statement", "broken_at", "reason"),
    [
        ("DELETE FROM audit WHERE seq = 4", 4, "It is missing: record 5 follows record 3."),
        ("UPDATE audit SET time = 9000000000000000000 WHERE seq = 2", 2, "It cannot be read"),
        ("UPDATE audit SET data = '{' WHERE seq = 2", 2, "It cannot be read"),
        ("UPDATE audit SET data = '[]' WHERE seq = 2", 2, "It cannot be read"),
        ("UPDATE audit SET previous_hash = '' WHERE seq = 2", 2, "It does not go on from the record before it"),
        ("UPDATE audit SET kind = 'other' WHERE seq = 1", 1, "Its content is not what its hash was made of"),
        ("DELETE FROM audit_head", 10, "The row that says where the chain ends is gone."),
        ("UPDATE audit_head SET seq = seq - 1", 9, "names record 8: the desk did not write this one"),
        ("DELETE FROM audit WHERE seq > 5", 6, "It is missing, as is all up to record 9: the end was cut off."),
    ],
)
def test_the_first_record_that_does_not_fit_is_named_with_what_is_wrong(
    busy: Ledger, desk_engine: Engine, statement: str, broken_at: int, reason: str
) -> None:
    tamper(desk_engine, statement)
    check = busy.verify_audit()
    assert (check.intact, check.broken_at) == (False, broken_at)
    assert reason in check.reason
    assert check.disagreements == ()


def test_a_time_that_is_none_breaks_its_record_and_not_the_walk(busy: Ledger, desk_engine: Engine) -> None:
    words = "UPDATE audit SET time = 'soon' WHERE seq = 2"
    if desk_engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError):
            tamper(desk_engine, words)
        return
    tamper(desk_engine, words)
    check = busy.verify_audit()
    assert (check.broken_at, check.reason[:17]) == (2, "It cannot be read")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE fills SET price = '1'", "has another price than was recorded."),
        ("UPDATE fills SET side = 'sell'", "has another side than was recorded."),
        ("UPDATE fills SET fee = 'none'", "has another fee than was recorded."),
        ("UPDATE fills SET fee_currency = 'BNB'", "has another fee currency than was recorded."),
        ("UPDATE fills SET trade_id = 'made-up'", "Fill made-up of order"),
        ("DELETE FROM fills", "was recorded and is gone."),
        ("UPDATE tickets SET content = replace(content, '0.1', '9.1')", "is not stored as it was sealed."),
        ("UPDATE decisions SET decision = 'approve' WHERE decision = 'reject'", "is not the one that was made."),
        ("DELETE FROM decisions WHERE decision = 'reject'", "is gone."),
        ("UPDATE accounts SET starting_cash = '1000000'", "was opened with 100000 USDT, and another start is stored."),
    ],
)
def test_a_table_that_says_something_else_than_the_chain_is_told(
    busy: Ledger, desk_engine: Engine, statement: str, told: str
) -> None:
    tamper(desk_engine, statement)
    check = busy.verify_audit()
    assert (check.intact, check.broken_at) == (False, None)
    assert told in check.disagreements[0]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE adjustments SET amount = '9' WHERE currency = 'BTC'",
            "9 BTC at 60000 without a fill was never recorded",
        ),
        ("UPDATE adjustments SET price = '1' WHERE currency = 'BTC'", "0.5 BTC at 1 without a fill was never recorded"),
        ("DELETE FROM adjustments WHERE currency = 'USDT'", "1000 USDT without a fill was recorded and is gone."),
    ],
)
def test_money_that_moved_without_a_fill_is_held_against_the_chain_too(
    ledger: Ledger, desk_engine: Engine, statement: str, told: str
) -> None:
    live = ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="binance", mode="live")
    began = {"USDT": (Decimal(1000), None), "BTC": (Decimal("0.5"), Decimal(60_000))}
    assert ledger.take_over(live.id, began, venue="binance")
    assert ledger.verify_audit().intact
    tamper(desk_engine, statement)
    check = ledger.verify_audit()
    assert (check.broken_at, check.intact) == (None, False)
    assert told in check.disagreements[0]


def test_many_disagreements_are_told_up_to_a_number(busy: Ledger, desk_engine: Engine, account: Account) -> None:
    values = "'x', :trade, id, account, symbol, side, '1', '1', '0', 'USDT', 0 FROM orders LIMIT 1"
    columns = "venue, trade_id, order_id, account, symbol, side, price, quantity, fee, fee_currency, time"
    with desk_engine.begin() as connection:
        for number in range(30):
            connection.execute(text(f"INSERT INTO fills ({columns}) SELECT {values}"), {"trade": f"made-up-{number}"})
    check = busy.verify_audit()
    assert len(check.disagreements) == 21
    assert check.disagreements[-1].startswith("And more")


def test_a_head_that_was_kept_is_found_again_while_the_chain_grows(busy: Ledger, account: Account) -> None:
    kept = busy.verify_audit().head
    busy.record_denial(account.id, owner="ann", thread_id="t", reason="too large", intent={"symbol": "BTC/USDT"})
    check = busy.verify_audit(kept)
    assert (check.intact, check.head.seq) == (True, kept.seq + 1)
    assert busy.verify_audit(AuditHead(0, "")).intact


def test_a_chain_that_ends_before_the_head_that_was_kept_or_differs_there_is_broken(busy: Ledger) -> None:
    later = busy.verify_audit(AuditHead(12, "a" * 64))
    assert (later.broken_at, later.intact) == (10, False)
    assert "names record 12, and the chain now ends at 9" in later.reason
    other = busy.verify_audit(AuditHead(4, "a" * 64))
    assert other.broken_at == 4
    assert "written anew" in other.reason


@pytest.mark.parametrize(("seq", "digest"), [(-1, "a" * 64), (3, "abc"), (3, "A" * 64), (0, "a" * 64)])
def test_what_is_no_end_of_a_chain_is_refused(seq: int, digest: str) -> None:
    with pytest.raises(InvalidRequest, match="is no end of an audit chain"):
        AuditHead(seq, digest)


def test_a_desk_that_goes_on_writing_never_looks_broken(busy: Ledger, account: Account) -> None:
    done = threading.Event()

    def write() -> None:
        for number in range(60):
            busy.record_denial(account.id, owner="ann", thread_id="t", reason=str(number), intent={"symbol": "X"})
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not done.is_set():
            assert busy.verify_audit().intact
    finally:
        writer.join()
    assert busy.verify_audit().records == 69
