"""Trading states: who set them, what they let through, and that they outlive a process and a race."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from engines.domain.clock import ManualClock
from engines.domain.orders import Account, OrderIntent, OrderTicket
from engines.errors import ConfigurationError, InvalidRequest, NotFound, RiskDenied
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.halt_file import HaltFile
from engines.ledger.ledger import Ledger


def sealed(context: OrderContext, account: Account, **fields: Any) -> OrderTicket:
    intent = OrderIntent(account.id, "thread-1", "BTC/USDT", "buy", Decimal("0.1"))
    return prepare_ticket(replace(intent, **fields), context, owner=account.owner)


def approved(context: OrderContext, ticket: OrderTicket) -> OrderTicket:
    return context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")


def bought(context: OrderContext, account: Account, paper: PaperBroker) -> None:
    submit(approved(context, sealed(context, account)).id, context, paper)


def test_a_desk_that_nobody_halted_is_active(ledger: Ledger, account: Account) -> None:
    for asked in (None, account.id):
        found = ledger.standing_state(asked)
        assert (found.state, found.reason, found.by, found.since) == ("active", "", "", None)
    assert ledger.restrictions() == ()


def test_a_halt_names_reason_person_and_time_and_outlives_the_process(
    ledger: Ledger, desk_engine: Engine, hand_clock: ManualClock, account: Account
) -> None:
    ledger.change_state("halted", reason=" prices look wrong ", by="ann")
    pressed_at = hand_clock.now()
    hand_clock.advance(timedelta(hours=1))
    again = Ledger(desk_engine, hand_clock).standing_state(account.id)
    assert (again.state, again.reason, again.by, again.since) == ("halted", "prices look wrong", "ann", pressed_at)
    record = ledger.audit()[-1]
    assert (record.kind, record.data["state"], record.data["before"]) == ("trading_state_changed", "halted", "active")
    assert record.data["by"] == "ann"
    assert ledger.verify_audit().intact


def test_pressing_twice_changes_nothing_and_is_not_recorded_twice(ledger: Ledger) -> None:
    first = ledger.change_state("halted", reason="first", by="ann")
    records = len(ledger.audit())
    assert ledger.change_state("halted", reason="second", by="bob") == first
    assert len(ledger.audit()) == records


def test_only_active_loosens_a_state(ledger: Ledger, account: Account) -> None:
    ledger.change_state("halted", reason="stop", by="ann", account=account.id)
    assert ledger.change_state("reducing", reason="daily loss", by="risk", account=account.id).state == "halted"
    assert ledger.change_state("active", reason="all clear", by="ann", account=account.id).state == "active"
    assert ledger.change_state("reducing", reason="daily loss", by="risk", account=account.id).state == "reducing"
    assert ledger.change_state("halted", reason="stop", by="ann", account=account.id).state == "halted"


def test_the_stricter_of_desk_and_account_holds_and_other_accounts_go_on(ledger: Ledger, account: Account) -> None:
    other = ledger.ensure_account("bob", currency="USDT", cash=Decimal(1000), market="fixed")
    ledger.change_state("reducing", reason="losses", by="risk", account=account.id)
    assert (ledger.standing_state(account.id).state, ledger.standing_state(other.id).state) == ("reducing", "active")
    ledger.change_state("halted", reason="everything off", by="admin")
    assert ledger.standing_state(account.id).reason == "everything off"
    assert ledger.standing_state(other.id).state == "halted"
    ledger.change_state("active", reason="on again", by="admin")
    assert ledger.standing_state(account.id).state == "reducing"
    assert [found.account for found in ledger.restrictions()] == [account.id]


@pytest.mark.parametrize(("state", "reason", "message"), [("paused", "why", "'paused'"), ("halted", "  ", "reason")])
def test_an_unknown_state_or_a_missing_reason_is_refused(ledger: Ledger, state: Any, reason: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        ledger.change_state(state, reason=reason, by="ann")
    assert ledger.standing_state(None).state == "active"


def test_an_unknown_account_has_no_state_to_change(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="'nobody'"):
        ledger.change_state("halted", reason="why", by="ann", account="nobody")


def test_an_approval_while_halted_is_denied_and_the_ticket_waits(context: OrderContext, account: Account) -> None:
    ticket = sealed(context, account)
    context.ledger.change_state("halted", reason="stop", by="bob")
    with pytest.raises(RiskDenied, match=r"The desk is HALTED, so only cancels pass. Reason: stop \(set by bob\)"):
        approved(context, ticket)
    assert context.ledger.ticket(ticket.id).status == "pending"
    context.ledger.change_state("active", reason="fine", by="bob")
    assert approved(context, ticket).status == "approved"


def test_a_rejection_is_always_taken(context: OrderContext, account: Account) -> None:
    ticket = sealed(context, account)
    context.ledger.change_state("halted", reason="stop", by="bob")
    assert context.ledger.decide(ticket.id, "reject", ticket.hash, "ann").status == "rejected"


@pytest.mark.parametrize("by_file", [False, True])
def test_an_order_approved_before_the_halt_is_not_sent_after_it(
    context: OrderContext, account: Account, paper: PaperBroker, desk_engine: Engine, tmp_path: Path, by_file: bool
) -> None:
    ledger = Ledger(desk_engine, context.clock, halt_file=HaltFile.of(tmp_path))
    context = replace(context, ledger=ledger)
    ticket = approved(context, sealed(context, account))
    if by_file:
        (tmp_path / "HALT").touch()
    else:
        ledger.change_state("halted", reason="stop", by="bob")
    assert submit(ticket.id, context, paper) is None
    assert ledger.ticket(ticket.id).status == "denied"
    assert "HALTED" in ledger.ticket(ticket.id).reason
    assert paper.find(ticket.client_order_id, ticket.symbol) is None


def test_while_reducing_a_sell_passes_and_a_buy_does_not(
    context: OrderContext, account: Account, paper: PaperBroker
) -> None:
    bought(context, account, paper)
    buy, sell = sealed(context, account), sealed(context, account, side="sell")
    context.ledger.change_state("reducing", reason="daily loss", by="risk", account=account.id)
    with pytest.raises(RiskDenied, match=f"Account {account.id} is REDUCING"):
        approved(context, buy)
    order = submit(approved(context, sell).id, context, paper)
    assert order is not None
    assert order.status == "filled"


def test_a_cancel_passes_while_halted(context: OrderContext, account: Account, paper: PaperBroker) -> None:
    resting = sealed(context, account, order_type="limit", limit_price=Decimal(60_000))
    order = submit(approved(context, resting).id, context, paper)
    assert order is not None
    context.ledger.change_state("halted", reason="stop", by="bob")
    cancel = sealed(context, account, kind="cancel", cancels=(order.id,))
    submit(approved(context, cancel).id, context, paper)
    assert context.ledger.order(order.id).status == "cancelled"


def test_of_submissions_that_race_with_a_halt_none_is_journalled_after_it(
    context: OrderContext, account: Account, paper: PaperBroker
) -> None:
    tickets = [approved(context, sealed(context, account, quantity=Decimal("0.01"))) for _ in range(8)]
    with ThreadPoolExecutor(9) as pool:
        running = [pool.submit(submit, ticket.id, context, paper) for ticket in tickets]
        pool.submit(context.ledger.change_state, "halted", reason="stop", by="bob").result()
        for each in running:
            each.result()
    kinds = [record.kind for record in context.ledger.audit()]
    assert "submission_journalled" not in kinds[kinds.index("trading_state_changed") :]


def test_a_file_halts_with_its_first_line_as_reason_and_resuming_removes_it(
    desk_engine: Engine, hand_clock: ManualClock, account: Account, tmp_path: Path
) -> None:
    ledger = Ledger(desk_engine, hand_clock, halt_file=HaltFile.of(tmp_path))
    assert ledger.standing_state(account.id).state == "active"
    HaltFile.of(tmp_path).write("exchange looks broken\nmore")
    found = ledger.standing_state(account.id)
    assert (found.state, found.reason, found.by) == ("halted", "exchange looks broken", f"the file {tmp_path}/HALT")
    assert found.since is not None
    assert ledger.change_state("active", reason="repaired", by="ann").state == "active"
    assert not (tmp_path / "HALT").exists()
    assert ledger.audit()[-1].data["told"] == "exchange looks broken"


def test_anything_called_halt_halts(tmp_path: Path) -> None:
    path, file = tmp_path / "HALT", HaltFile.of(tmp_path)
    assert file.standing() is None
    path.symlink_to(tmp_path / "nowhere")
    assert file.standing() is not None
    path.unlink()
    path.write_bytes(b"\xff\xfe\x00 rubbish \x00")
    assert file.standing() is not None
    path.unlink()
    os.mkfifo(path)
    assert file.standing() is not None
    path.unlink()
    path.mkdir()
    assert file.standing() is not None


def test_a_halt_file_that_cannot_be_removed_keeps_the_desk_halted(
    desk_engine: Engine, hand_clock: ManualClock, tmp_path: Path
) -> None:
    ledger = Ledger(desk_engine, hand_clock, halt_file=HaltFile.of(tmp_path))
    (tmp_path / "HALT").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be removed"):
        ledger.change_state("active", reason="repaired", by="ann")
    assert ledger.standing_state(None).state == "halted"


def test_a_home_that_cannot_be_looked_into_counts_as_halted(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    found = HaltFile.of(tmp_path / "home").standing()
    assert found is not None
    assert "cannot be looked for" in found.reason
    with pytest.raises(ConfigurationError, match="cannot be written"):
        HaltFile.of(tmp_path / "home").write("stop")
