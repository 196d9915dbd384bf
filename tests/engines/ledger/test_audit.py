"""The audit chain: every change is on it, and no change to it goes unseen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from engines.domain.orders import Account, OrderIntent
from engines.errors import RiskDenied
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit


@pytest.fixture
def busy(context: OrderContext, account: Account, paper: PaperBroker) -> OrderContext:
    """A ledger in which one order was filled and one ticket rejected."""
    intent = OrderIntent(account.id, "thread-1", "BTC/USDT", "buy", Decimal("0.1"))
    bought, refused = (prepare_ticket(intent, context, owner="ann") for _ in range(2))
    context.ledger.decide(bought.id, "approve", bought.hash, "ann")
    context.ledger.decide(refused.id, "reject", refused.hash, "ann")
    submit(bought.id, context, paper)
    return context


def test_the_chain_of_a_busy_ledger_is_intact(busy: OrderContext) -> None:
    records = busy.ledger.audit()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert {record.kind for record in records} >= {"account_opened", "ticket_sealed", "ticket_rejected", "fill"}
    check = busy.ledger.verify_audit()
    assert (check.intact, check.records) == (True, len(records))


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("UPDATE audit SET data = replace(data, 'ann', 'eve') WHERE seq = 5", 5),
        ("UPDATE audit SET account = 'other' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", 9),
        ("UPDATE audit SET time = time + 1 WHERE seq = 5", 5),
    ],
)
def test_tampering_shows_at_the_record_it_touches(
    busy: OrderContext, desk_engine: Engine, tampering: str, broken_at: int
) -> None:
    assert len(busy.ledger.audit()) == 9
    with desk_engine.begin() as connection:
        assert connection.execute(text(tampering)).rowcount == 1
    check = busy.ledger.verify_audit()
    assert (check.intact, check.broken_at) == (False, broken_at)


def test_an_owner_reads_only_their_own_records(busy: OrderContext) -> None:
    other = busy.ledger.ensure_account("ben", currency="USDT", cash=Decimal(1), market="fixed")
    intent = OrderIntent(other.id, "thread-2", "BTC/USDT", "buy", Decimal("0.1"))
    with pytest.raises(RiskDenied):
        prepare_ticket(intent, busy, owner="ben")
    kinds = [record.kind for record in busy.ledger.audit(owner="ben")]
    assert kinds == ["account_opened", "equity_marked", "intent_denied"]
    assert all(record.account != other.id for record in busy.ledger.audit(owner="ann"))


def test_a_change_that_fails_leaves_no_record(busy: OrderContext, desk_engine: Engine) -> None:
    before = busy.ledger.audit()
    with desk_engine.begin() as connection:
        connection.execute(text("DROP TABLE decisions"))
    intent = OrderIntent("paper-fixed-usdt:ann", "thread-1", "BTC/USDT", "buy", Decimal("0.1"))
    ticket = prepare_ticket(intent, busy, owner="ann")
    after_sealing = busy.ledger.audit()
    assert len(after_sealing) == len(before) + 1
    with pytest.raises(Exception, match="decisions"):
        busy.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    assert busy.ledger.audit() == after_sealing
    check = busy.ledger.verify_audit()
    assert check.broken_at is None
    assert "decisions cannot be read" in check.disagreements[0]
