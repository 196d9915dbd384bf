"""Answers of Coinbase that no document describes prove nothing, and say so."""

from __future__ import annotations

from typing import Any

import pytest

from engines.errors import VenueUnavailable
from engines.execution.venues import CcxtBroker
from tests.engines.venues.wire.test_broker_coinbase import ADA, CANCEL, LIST, NEVER, RESTING, broker, listed

__all__ = ["broker"]
MINE = RESTING | {"client_order_id": NEVER}


def test_a_list_that_leads_in_a_circle_denies_no_order(wire: Any, broker: CcxtBroker) -> None:
    wire.answer("GET", LIST, listed(cursor="a"))
    with pytest.raises(VenueUnavailable, match="circle"):
        broker.find(NEVER, ADA)


@pytest.mark.parametrize("configuration", [{"limit_limit_gtc": {}, "market_market_ioc": {}}, {"limit_limit_gtc": []}])
def test_an_order_of_a_form_that_nobody_knows_proves_nothing(
    wire: Any, broker: CcxtBroker, configuration: dict[str, Any]
) -> None:
    wire.answer("GET", LIST, listed(MINE | {"order_configuration": configuration}))
    with pytest.raises(VenueUnavailable):
        broker.find(NEVER, ADA)


@pytest.mark.parametrize("results", [[], [{"success": True}, {"success": True}]])
def test_a_cancel_that_is_answered_for_no_order_or_for_two_is_unclear(
    wire: Any, broker: CcxtBroker, results: list[dict[str, Any]]
) -> None:
    wire.answer("GET", LIST, listed(MINE))
    wire.answer("POST", CANCEL, {"results": results})
    with pytest.raises(VenueUnavailable, match="cancel"):
        broker.cancel(NEVER, ADA)
