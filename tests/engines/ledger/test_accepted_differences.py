"""Money that moved without a trade shifts where losses are counted from, and forgets none that was made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engines.confirmation.risk import breaches, default_limits
from engines.domain.clock import ManualClock
from engines.domain.orders import Account
from engines.errors import Conflict
from engines.ledger.ledger import Ledger
from engines.ledger.reconciliation import Difference, Reconciliation

DAY = "2026-03-02"


@pytest.fixture
def live(ledger: Ledger) -> Account:
    """A live account that began with 1,000 USDT and 0.1 BTC, and was looked at."""
    account = ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="fixed", mode="live")
    began = {"USDT": (Decimal(1_000), None), "BTC": (Decimal("0.1"), Decimal(60_000))}
    assert ledger.take_over(account.id, began, venue="binance")
    ledger.observe_equity(account.id, Decimal(7_000), DAY)
    return ledger.account(account.id)


def compared(ledger: Ledger, clock: ManualClock, account: Account, *differences: Difference) -> int:
    """The number of a comparison that found these differences."""
    clock.advance(timedelta(minutes=1))
    moved = len(ledger.adjustments(account.id))
    found = Reconciliation(
        account.id, "binance", clock.now(), "request", (), (), {}, (), (), differences, (), movements=moved
    )
    return ledger.record_reconciliation(found).seq


def accept(ledger: Ledger, clock: ManualClock, account: Account, *differences: Difference) -> None:
    number = compared(ledger, clock, account, *differences)
    ledger.accept_differences(account.id, number, reason="I moved it.", by="ann")


def marks(ledger: Ledger, account: Account) -> tuple[Decimal | None, Decimal | None]:
    activity = ledger.activity(account.id)
    assert ledger.verify_audit().disagreements == ()
    return activity.opening_equity, activity.peak_equity


def test_an_accepted_withdrawal_lowers_both_marks_by_its_amount(
    ledger: Ledger, hand_clock: ManualClock, live: Account
) -> None:
    ledger.observe_equity(live.id, Decimal(8_000), DAY)
    accept(ledger, hand_clock, live, Difference("USDT", Decimal(1_000), Decimal(400), tolerated=False))
    assert marks(ledger, live) == (Decimal(6_400), Decimal(7_400))


def test_an_accepted_deposit_of_a_coin_raises_both_marks_by_its_value(
    ledger: Ledger, hand_clock: ManualClock, live: Account
) -> None:
    coin = Difference("BTC", Decimal("0.1"), Decimal("0.15"), tolerated=False, price=Decimal(50_000))
    unknown = Difference("XYZ", Decimal(0), Decimal(7), tolerated=False)
    accept(ledger, hand_clock, live, coin, unknown)
    assert marks(ledger, live) == (Decimal(9_500), Decimal(9_500))


def test_a_loss_that_was_made_before_still_counts_after_a_difference_is_accepted(
    ledger: Ledger, hand_clock: ManualClock, live: Account
) -> None:
    limits = replace(default_limits(), max_daily_loss_fraction=Decimal("0.05"))
    accept(ledger, hand_clock, live, Difference("USDT", Decimal(1_000), Decimal(900), tolerated=False))
    # 7,000 at the opening, 400 lost by trading and 100 taken out.
    reached = breaches(Decimal(6_500), "USDT", ledger.activity(live.id), limits)
    assert "400 USDT (5.8" in reached["daily_loss"]


def test_the_marks_of_an_account_that_was_resumed_are_shifted_too(
    ledger: Ledger, hand_clock: ManualClock, live: Account
) -> None:
    ledger.change_state("halted", reason="Stop.", by="ann", account=live.id)
    ledger.change_state("active", reason="Go on.", by="ann", account=live.id)
    ledger.observe_equity(live.id, Decimal(6_000), DAY)
    accept(ledger, hand_clock, live, Difference("USDT", Decimal(1_000), Decimal(1_500), tolerated=False))
    assert marks(ledger, live) == (Decimal(6_500), Decimal(6_500))


def test_a_look_from_before_money_moved_counts_for_nothing(
    ledger: Ledger, hand_clock: ManualClock, live: Account
) -> None:
    accept(ledger, hand_clock, live, Difference("USDT", Decimal(1_000), Decimal(400), tolerated=False))
    ledger.observe_equity(live.id, Decimal(7_000), DAY, movements=live.movements)
    assert marks(ledger, live) == (Decimal(6_400), Decimal(6_400))
    now = ledger.account(live.id)
    assert now.movements == 3
    ledger.observe_equity(live.id, Decimal(6_500), DAY, movements=now.movements)
    assert marks(ledger, live) == (Decimal(6_400), Decimal(6_500))


def test_an_account_that_nobody_looked_at_yet_opens_with_what_it_has_after_the_difference(
    ledger: Ledger, hand_clock: ManualClock
) -> None:
    account = ledger.ensure_account("bob", currency="USDT", cash=Decimal(0), market="fixed", mode="live")
    ledger.take_over(account.id, {"USDT": (Decimal(1_000), None)}, venue="binance")
    accept(ledger, hand_clock, account, Difference("USDT", Decimal(1_000), Decimal(1_500), tolerated=False))
    assert marks(ledger, account) == (None, None)
    ledger.observe_equity(account.id, Decimal(1_500), DAY)
    assert marks(ledger, account) == (Decimal(1_500), Decimal(1_500))


def test_one_difference_that_many_accept_at_once_moves_the_marks_once(
    ledger: Ledger, hand_clock: ManualClock, live: Account
) -> None:
    number = compared(ledger, hand_clock, live, Difference("USDT", Decimal(1_000), Decimal(400), tolerated=False))

    def press(name: str) -> bool:
        try:
            ledger.accept_differences(live.id, number, reason="I moved it.", by=name)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as many:
        accepted = list(many.map(press, [f"person-{n}" for n in range(8)]))
    assert accepted.count(True) == 1
    assert ledger.account(live.id).balances["USDT"] == 400
    assert marks(ledger, live) == (Decimal(6_400), Decimal(6_400))
    assert ledger.verify_audit().intact
