"""The machine that looks for defects is itself put to the proof: each that is planted has to be found, by its name."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from pytest_socket import SocketBlockedError

from engines.execution.broker import Broker

from .siege.defects import DEFECTS, ReachesOut
from .siege.desk import Desk, exchange_of
from .siege.link import Link, control
from .siege.machine import OrderMachine, Place

# One is enough: it need not be made small. Most are found in a few examples, and the search ends there.
SEARCH = settings(
    max_examples=400,
    report_multiple_bugs=False,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", DEFECTS)
def test_the_machine_finds_a_desk_that(name: str, link: Link, tmp_path: Path) -> None:
    defect = DEFECTS[name]
    exchange = exchange_of(link, defect.venue)
    found: list[str] = []
    with control(link, defect.venue) as door:
        place = Place(defect.venue, tmp_path, exchange, door, planted=partial(_planted, defect.plant, exchange))
        place = replace(place, told=defect.told)
        machine = type("Defective", (OrderMachine,), {"place": place, "found": found})
        # What hangs on how fast the machine is need not come out the same when it is told.
        with pytest.raises((AssertionError, Flaky)):
            run_state_machine_as_test(machine, settings=SEARCH)
    exchange.session.close()
    assert any(re.search(defect.told, sentence) for sentence in found), found


def test_the_machine_finds_a_paper_desk_that_asks_somebody_else(tmp_path: Path, socket_disabled: None) -> None:
    def plant(desk: Desk) -> Desk:
        return Desk(desk.engine, desk.ledger, desk.market, desk.context, cast("Broker", ReachesOut(desk.broker)))

    machine = type("Defective", (OrderMachine,), {"place": Place("paper", tmp_path, planted=plant), "found": []})
    # The guard warns before it blocks, and a warning is an error.
    with pytest.raises((SocketBlockedError, UserWarning), match="tried to use socket"):
        run_state_machine_as_test(machine, settings=SEARCH)


def _planted(plant: Any, exchange: Any, desk: Desk) -> Desk:
    planted: Desk = plant(desk, exchange)
    return planted
