"""What a holding loses on the way to its stops, and what none of them covers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engines.confirmation.open_risk import OpenRisk, open_risk
from engines.domain.orders import Order
from tests.engines.templates import START

HELD, MARK = Decimal("0.5"), Decimal(63_000)


def stop(price: int, quantity: str = "0.5", **changed: Any) -> Order:
    """A sale at a stop that waits for its price."""
    order = Order(
        id="qtp-1-sl",
        ticket_id="tkt-1",
        account="a",
        symbol="BTC/USDT",
        side="sell",
        order_type="stop",
        quantity=Decimal(quantity),
        limit_price=None,
        stop_price=Decimal(price),
        stop_loss=None,
        take_profit=None,
        status="accepted",
        filled=Decimal(0),
        average_price=None,
        venue_order_id="1",
        reason="",
        created_at=START,
        updated_at=START,
    )
    return replace(order, **changed)


def test_the_stop_that_is_met_first_covers_its_part_first() -> None:
    risk = open_risk(HELD, MARK, [stop(58_000, "0.4"), stop(60_000, "0.3")])

    assert risk == OpenRisk(HELD, Decimal(60_000), Decimal("0.3") * 3_000 + Decimal("0.2") * 5_000)


def test_what_a_stop_has_sold_it_covers_no_more() -> None:
    risk = open_risk(HELD, MARK, [stop(60_000, status="partially_filled", filled=Decimal("0.2"))])

    assert (risk.covered, risk.loss) == (Decimal("0.3"), Decimal(900))


@pytest.mark.parametrize(
    "changed",
    [
        {"order_type": "limit", "stop_price": None, "limit_price": Decimal(70_000)},
        {"status": "cancelled"},
        {"status": "unknown"},
        {"side": "buy"},
    ],
    ids=["limit", "cancelled", "unknown", "buys"],
)
def test_what_is_no_stop_at_work_covers_nothing(changed: dict[str, Any]) -> None:
    assert open_risk(HELD, MARK, [stop(60_000, **changed)]) == OpenRisk()


def test_a_stop_that_is_due_loses_nothing_more_on_the_way() -> None:
    assert open_risk(HELD, Decimal(59_000), [stop(60_000)]).loss == 0
