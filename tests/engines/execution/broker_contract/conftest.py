"""The venues that keep the broker contract. A new venue joins by adding its name and how to open it."""

from __future__ import annotations

import pytest

from engines.execution.broker import Broker
from engines.execution.context import OrderContext


@pytest.fixture(params=["paper"])
def broker(request: pytest.FixtureRequest, context: OrderContext) -> Broker:
    """An empty account of 100,000 USDT at the venue, BTC/USDT at about 64,120."""
    venue: Broker = request.getfixturevalue(request.param)
    return venue
