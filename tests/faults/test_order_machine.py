"""Orders under random faults, deaths and restarts: what must hold after every step, and what is left in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .siege.desk import exchange_of
from .siege.link import VENUES, Link, control
from .siege.machine import OrderMachine, Place
from .siege.shelf import Shelf

RUN = settings(
    max_examples=6,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def run_at(venue: str, link: Link, folder: Path, *, run: settings, shelf: Shelf | None = None) -> None:
    exchange = exchange_of(link, venue)
    with control(link, venue) as door:
        place = Place(venue, folder, exchange, door, shelf)
        run_state_machine_as_test(type("Machine", (OrderMachine,), {"place": place, "found": []}), settings=run)
    exchange.session.close()


@pytest.mark.parametrize("venue", VENUES)
def test_whatever_goes_wrong_the_ledger_ends_as_the_venue(venue: str, link: Link, tmp_path: Path) -> None:
    run_at(venue, link, tmp_path, run=RUN)


def test_on_paper_the_same_holds_without_a_socket(tmp_path: Path, socket_disabled: None) -> None:
    machine = type("PaperMachine", (OrderMachine,), {"place": Place("paper", tmp_path), "found": []})
    run_state_machine_as_test(machine, settings=settings(RUN, max_examples=20))


def test_on_postgresql_the_same_holds(link: Link, tmp_path: Path, postgres_database: str) -> None:
    run_at("bybit", link, tmp_path, run=settings(RUN, max_examples=3), shelf=Shelf(postgres_database, tmp_path))
