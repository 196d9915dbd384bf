"""Desks that trade at the emulator, one venue after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .siege.desk import MovableClock, exchange_of, open_account, open_desk, prepare_home
from .siege.link import VENUES, Link, control, emulator
from .siege.site import SETTLING, Site


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with emulator() as running:
        yield running


@pytest.fixture
def site_of(link: Link, tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    with ExitStack() as stack:

        def open_(venue: str) -> Site:
            exchange, clock = exchange_of(link, venue), MovableClock(SETTLING)
            stack.callback(exchange.session.close)
            door = stack.enter_context(control(link, venue))
            door.clear()
            door.reset(money={"USDT": "100000"})
            home = prepare_home(tmp_path, "home")
            desk = stack.enter_context(open_desk(home, venue, exchange, clock=clock))
            open_account(desk)
            return Site(desk, door, clock, home)

        yield open_


@pytest.fixture(params=VENUES)
def site(request: pytest.FixtureRequest, site_of: Callable[[str], Site]) -> Site:
    return site_of(request.param)
