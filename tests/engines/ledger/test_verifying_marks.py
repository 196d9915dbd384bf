"""The equity that losses are counted from is on the audit chain: what was moved shows, and stays shown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from engines.domain.orders import Account
from engines.ledger.ledger import Ledger

DAY, NEXT = "2026-03-02", "2026-03-03"

Look = Callable[..., None]


@pytest.fixture
def look(ledger: Ledger, account: Account) -> Look:
    """Looks at the account's equity."""

    def observe(equity: object, day: str = DAY) -> None:
        ledger.observe_equity(account.id, Decimal(str(equity)), day)

    return observe


def tamper(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount > 0


def marked(ledger: Ledger) -> list[tuple[str, str | None, str | None]]:
    return [
        (record.data["day"], record.data["opening"], record.data["peak"])
        for record in ledger.audit()
        if record.kind == "equity_marked"
    ]


def test_the_first_look_a_new_day_and_a_new_height_are_recorded(ledger: Ledger, look: Look) -> None:
    for equity, day in ((100_000, DAY), (99_000, DAY), (101_000, DAY), (98_000, NEXT), (97_000, NEXT)):
        look(equity, day)
    assert marked(ledger) == [(DAY, "100000", "100000"), (DAY, "100000", "101000"), (NEXT, "98000", "101000")]
    check = ledger.verify_audit()
    assert (check.intact, check.compared["equity marks"]) == (True, 1)


def test_a_height_that_creeps_up_is_kept_to_the_digit_and_recorded_in_steps(
    ledger: Ledger, account: Account, look: Look
) -> None:
    for step in range(301):
        look(Decimal(100_000) + step)
    assert ledger.activity(account.id).peak_equity == Decimal(100_300)
    assert marked(ledger) == [(DAY, "100000", height) for height in ("100000", "100100", "100201")]
    assert ledger.verify_audit().intact


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE equity_marks SET opening = '1'", "The day's first equity of {} is not the one that was recorded"),
        ("UPDATE equity_marks SET day = '2026-03-09'", "The day's first equity of {} is not the one"),
        ("UPDATE equity_marks SET opening = 'none'", "The day's first equity of {} is not the one"),
        ("UPDATE equity_marks SET opening = NULL", "The day's first equity of {} is not the one"),
        ("UPDATE equity_marks SET peak = '99999'", "The highest equity of {} is not the one"),
        ("UPDATE equity_marks SET peak = '100100'", "The highest equity of {} is not the one"),
        ("UPDATE equity_marks SET peak = NULL", "The highest equity of {} is not the one"),
        ("UPDATE equity_marks SET peak = 'NaN'", "The highest equity of {} is not the one"),
        ("UPDATE equity_marks SET counted_from = 1", "Losses of {} are counted from another time"),
        ("DELETE FROM equity_marks", "The equity that losses of {} are counted from is gone."),
    ],
)
def test_a_mark_that_was_moved_is_told(
    ledger: Ledger, account: Account, look: Look, desk_engine: Engine, statement: str, told: str
) -> None:
    look(100_000)
    assert ledger.verify_audit().intact
    tamper(desk_engine, statement)
    check = ledger.verify_audit()
    assert (check.broken_at, check.intact) == (None, False)
    assert told.format(account.id) in check.disagreements[0]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE equity_marks SET opening = '90000'", "opened the day 2026-03-02 with 100000, and later with 90000"),
        ("UPDATE equity_marks SET peak = '90000', told_peak = '90000'", "was 120000 at its highest, and later 110000"),
        ("UPDATE equity_marks SET peak = '90000', told_peak = NULL", "was 120000 at its highest, and later 110000"),
        ("UPDATE equity_marks SET counted_from = 1", "came with another time from which closed trades count"),
        ("DELETE FROM equity_marks", "opened the day 2026-03-02 with 100000, and later with 110000"),
    ],
)
def test_a_mark_that_was_moved_is_told_also_when_the_desk_went_on_from_it(
    ledger: Ledger, account: Account, look: Look, desk_engine: Engine, statement: str, told: str
) -> None:
    look(100_000)
    look(120_000)
    tamper(desk_engine, statement)
    # What the desk records now rests on the moved mark, and agrees with its table again.
    look(110_000)
    look(130_000)
    check = ledger.verify_audit()
    assert not check.intact
    assert f"The equity that losses of {account.id} are counted from {told}." in check.disagreements


def test_a_row_for_an_account_that_was_never_looked_at_is_told(
    ledger: Ledger, account: Account, desk_engine: Engine
) -> None:
    columns = "account, day, opening, peak, told_peak"
    tamper(desk_engine, f"INSERT INTO equity_marks ({columns}) SELECT id, '{DAY}', '1', '1', '1' FROM accounts")
    told = f"The equity that losses of {account.id} are counted from was never recorded."
    assert ledger.verify_audit().disagreements == (told,)


def test_resuming_an_account_counts_anew_and_is_no_jump(ledger: Ledger, account: Account, look: Look) -> None:
    look(100_000)
    ledger.change_state("reducing", reason="lost too much", by="risk engine", account=account.id)
    ledger.change_state("active", reason="looked at it", by="ann", account=account.id)
    look(60_000)
    assert marked(ledger) == [(DAY, "100000", "100000"), ("", None, None), (DAY, "60000", "60000")]
    assert ledger.verify_audit().disagreements == ()


def test_marks_that_begin_anew_without_a_person_are_told(
    ledger: Ledger, account: Account, look: Look, desk_engine: Engine
) -> None:
    look(100_000)
    tamper(desk_engine, "UPDATE equity_marks SET day = '', opening = NULL, peak = NULL, told_peak = NULL")
    look(60_000)
    (told,) = ledger.verify_audit().disagreements
    assert told.startswith(f"The equity that losses of {account.id} are counted from opened the day")


def test_money_that_came_or_went_moves_the_marks_and_is_no_jump(ledger: Ledger) -> None:
    live = ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="binance", mode="live")
    assert ledger.take_over(live.id, {"USDT": (Decimal(1000), None)}, venue="binance")
    ledger.observe_equity(live.id, Decimal(1000), DAY)
    with_less = [record.kind for record in ledger.audit()]
    assert with_less.count("equity_marked") == 2
    assert ledger.verify_audit().disagreements == ()


def test_an_account_of_an_earlier_release_is_recorded_with_the_next_look(
    ledger: Ledger, account: Account, look: Look, desk_engine: Engine
) -> None:
    look(100_000)
    with desk_engine.begin() as connection:
        # As that release left it: marks in the table, and a chain that ends before it told any.
        connection.execute(text("UPDATE equity_marks SET told_peak = NULL"))
        connection.execute(text("DELETE FROM audit"))
        connection.execute(text("UPDATE audit_head SET seq = 0, hash = ''"))
    look(99_000)
    assert marked(ledger) == [(DAY, "100000", "100000")]
    assert not [told for told in ledger.verify_audit().disagreements if "equity" in told]
    tamper(desk_engine, "UPDATE equity_marks SET opening = '1'")
    assert [told for told in ledger.verify_audit().disagreements if "first equity" in told]
