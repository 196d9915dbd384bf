"""A fixed sample of `make faults`: deaths at every kind of boundary, and a storm of two hundred tickets."""

from __future__ import annotations

from pathlib import Path

import pytest

from .siege.cells import FAULTS, RESUMES, STARTS, Cell, Outcome, Start, every_boundary, open_field
from .siege.desk import KINDS
from .siege.link import VENUES, emulator
from .siege.report import full, run_lanes, sample
from .siege.shelf import Shelf
from .siege.storm import RATE, weather


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    return run_lanes(list(sample()), tmp_path_factory.mktemp("cells"), workers=3)


def test_rule_35_no_cell_of_the_sample_has_two_accepts_or_a_ledger_that_is_not_the_venue(
    outcomes: list[Outcome],
) -> None:
    assert [(outcome.cell, outcome.wrong) for outcome in outcomes if outcome.wrong] == []
    assert max(outcome.accepts for outcome in outcomes) == 1


def test_the_sample_kills_at_every_boundary_and_lives_through_the_rest(outcomes: list[Outcome]) -> None:
    killed_at = {outcome.boundary for outcome in outcomes if outcome.killed}
    assert killed_at == {
        *("before a commit", "behind a commit", "before a read"),
        *("before an order is sent", "an order is sent", "an order is answered"),
    }
    assert {outcome.cell.start for outcome in outcomes} == {"killed", "two clients", "two processes"}
    # What never reached the venue is settled as such, and what did is filled or rests there.
    assert {outcome.status for outcome in outcomes if outcome.accepts} <= {"filled", "accepted"}
    assert {outcome.status for outcome in outcomes if not outcome.accepts} <= {"not_accepted", "rejected_by_venue"}


def test_in_the_sample_every_venue_kills_every_kind_of_order_and_every_fault_strikes() -> None:
    cells = [lane.cell for lane in sample()]
    at_venues = [cell for cell in cells if cell.venue != "paper"]
    assert {(cell.venue, cell.kind) for cell in at_venues if cell.start == "killed"} == {
        (venue, kind) for venue in VENUES for kind in KINDS
    }
    assert {cell.fault for cell in at_venues} == set(FAULTS)
    assert {(cell.venue, cell.resume) for cell in at_venues} == {(venue, how) for venue in VENUES for how in RESUMES}
    assert {cell.kind for cell in cells if cell.venue == "paper"} == set(KINDS)


def test_the_boundaries_of_an_order_are_all_found_and_the_last_process_lives(tmp_path: Path) -> None:
    with emulator() as link, open_field(link, tmp_path) as field:
        outcomes = list(every_boundary(field, Cell("binance", "market", "none", "calm", None)))
    assert [outcome.killed for outcome in outcomes] == [True] * (len(outcomes) - 1) + [False]
    assert [outcome.wrong for outcome in outcomes if outcome.wrong] == []
    passed = [outcome.boundary for outcome in outcomes[:-1]]
    assert passed.index("before an order is sent") > passed.index("behind a commit")
    assert {outcome.accepts for outcome in outcomes[: passed.index("an order is sent")]} == {0, 1}


def test_rule_35_a_death_at_any_boundary_of_a_guarded_entry_leaves_its_exits_with_somebody(tmp_path: Path) -> None:
    with emulator() as link, open_field(link, tmp_path) as field:
        outcomes = list(every_boundary(field, Cell("kraken", "guarded", "none", "calm", None)))
    assert [(outcome.cell.at, outcome.wrong) for outcome in outcomes if outcome.wrong] == []
    assert sum(outcome.killed for outcome in outcomes) > 10


def test_rule_35_on_postgresql_no_boundary_has_two_accepts_or_a_ledger_that_is_not_the_venue(
    tmp_path: Path, postgres_database: str
) -> None:
    shelf = Shelf(postgres_database, tmp_path)
    with emulator() as link, open_field(link, tmp_path, shelf) as field:
        outcomes = list(every_boundary(field, Cell("bybit", "market", "drop_after", "calm", None)))
        outcomes.append(field.run(Cell("binance", "limit", "unavailable_after", "twice", 6)))
        outcomes.append(field.run(Cell("kraken", "guarded", "none", "calm", None, "two clients")))
        outcomes.append(field.run(Cell("binance", "bracket", "html", "twice", 3, "two processes")))
    assert [(outcome.cell, outcome.wrong) for outcome in outcomes if outcome.wrong] == []
    assert max(outcome.accepts for outcome in outcomes) == 1
    assert sum(outcome.killed for outcome in outcomes) >= 8


def test_the_whole_matrix_crosses_venues_kinds_faults_and_resumes_and_kinds_and_faults_with_two_desks() -> None:
    lanes = list(full())
    cells = [lane.cell for lane in lanes]
    assert len(cells) == len(set(cells))
    assert all(lane.every for lane in lanes)
    at_venues = {
        (cell.start, cell.venue, cell.kind, cell.fault, cell.resume) for cell in cells if cell.venue != "paper"
    }
    ways = [("killed", resume) for resume in RESUMES] + [("two clients", "calm"), ("two processes", "calm")]
    assert at_venues == {
        (start, venue, kind, fault, resume)
        for start, resume in ways
        for venue in VENUES
        for kind in KINDS
        for fault in FAULTS
    }
    on_paper = {(cell.start, cell.kind, cell.resume) for cell in cells if cell.venue == "paper"}
    assert on_paper == {(start, kind, resume) for start in STARTS for kind in KINDS for resume in RESUMES}


@pytest.mark.parametrize("start", ["two clients", "two processes"])
def test_rule_35_of_two_desks_the_first_to_come_to_a_boundary_dies_and_the_other_sends_nothing_twice(
    start: Start, tmp_path: Path
) -> None:
    with emulator() as link, open_field(link, tmp_path) as field:
        outcomes = list(every_boundary(field, Cell("binance", "market", "none", "calm", None, start)))
    assert [(outcome.cell.at, outcome.wrong) for outcome in outcomes if outcome.wrong] == []
    assert {outcome.accepts for outcome in outcomes} == {0, 1}
    # No race that is lost may end the lane before its order was sent and answered.
    assert {"an order is sent", "an order is answered"} <= {outcome.boundary for outcome in outcomes if outcome.killed}


@pytest.mark.parametrize(("venue", "tickets"), [("binance", 80), ("bybit", 60), ("kraken", 60)])
def test_two_hundred_tickets_under_faulty_replies_lose_and_double_nothing(
    venue: str, tickets: int, tmp_path: Path
) -> None:
    with emulator() as link:
        after = weather(link, venue, tmp_path, tickets=tickets, seed=7)
    assert after.wrong == ()
    assert (after.duplicates, after.lost) == (0, 0)
    # The storm is no calm: enough went to the venue, most of that traded, and many answers were wrong.
    assert after.accepted > tickets / 3
    assert after.fills > after.accepted / 2
    assert after.faults > RATE / 2 * after.requests
