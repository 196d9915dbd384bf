"""Many orders that fill while nobody looks: one comparison brings them all, in one write."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engines.execution.reconcile import reconcile

from .siege.desk import ACCOUNT, BTC, exchange_of, open_account, open_desk, prepare_home
from .siege.link import VENUES, control, emulator
from .siege.points import Points
from .siege.verdict import compared

MANY = 12


@pytest.mark.parametrize("venue", VENUES)
def test_orders_that_filled_unseen_are_brought_by_one_list_of_fills_and_one_write(venue: str, tmp_path: Path) -> None:
    points = Points(None)
    with emulator() as link, control(link, venue) as door:
        exchange = exchange_of(link, venue)
        door.reset(money={"USDT": "100000"})
        with open_desk(prepare_home(tmp_path, "home"), venue, exchange, points=points) as desk:
            open_account(desk)
            for number in range(MANY):
                fields = {"quantity": Decimal("0.001"), "limit_price": Decimal(49_000 + number)}
                desk.submit(desk.approve(desk.ask("limit", **fields)).id)
            assert reconcile(desk.context, desk.broker, ACCOUNT).matches
            door.price(symbol=BTC, price="48000")
            asked, passed = len(door.log()), len(points.passed)
            found = reconcile(desk.context, desk.broker, ACCOUNT)
            written = points.passed[passed:].count("before a commit")
            routes = [entry["route"] for entry in door.log(since=asked)]
            assert found.matches
            assert len(found.fills) == MANY
            assert {order.status for order in desk.ledger.orders(ACCOUNT)} == {"filled"}
            # The fills, and what the comparison found.
            assert written == 2
            # Kraken's trades name its own ids: one question tells ours behind all of them.
            assert routes.count("lookup") <= 1
            assert compared(desk, door) == []
        exchange.session.close()
