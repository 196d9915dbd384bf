"""A mark may be asked for by the open of its candle, and colours that no mark has are said not to be there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engines.cipher import compute_panel
from engines.domain.clock import ManualClock
from engines.domain.evidence import Evidence
from engines.domain.orders import Order, OrderTicket
from engines.errors import InvalidRequest
from engines.market.demo import DemoMarket
from tools.decisions import Denial
from tools.explaining import explaining_tools
from tools.marks import explain_mark
from tools.subjects import read_subject

MARKET = DemoMarket(ManualClock(datetime(2026, 3, 10, 14, 30, tzinfo=UTC)))


class NoJournal:
    """Nothing ever happened."""

    def tickets(self, *, limit: int) -> Sequence[OrderTicket]:
        return ()

    def newest_orders(self, *, limit: int) -> Sequence[Order]:
        return ()

    def denials(self, *, limit: int) -> Sequence[Denial]:
        return ()


def explained(subject: str, at: datetime) -> Evidence:
    return explain_mark(MARKET, read_subject(subject), "BTC/USDT", "4h", at.isoformat())


def closes_with_a_green_dot() -> list[datetime]:
    candles = MARKET.closed_candles("BTC/USDT", "4h", count=1_500)
    rows = np.flatnonzero(compute_panel(candles).flags("green_dot"))
    return [candles[: row + 1].as_of for row in rows.tolist() if row > 600]


def test_a_mark_named_by_the_open_of_its_candle_is_found_and_said_to_be_known_at_its_close() -> None:
    close = closes_with_a_green_dot()[-1]
    evidence = explained("why a green dot", close - timedelta(hours=4))
    assert evidence.as_of == close.isoformat()
    assert evidence.headline.startswith("It is on the candle opened at {opened}, known at its {as_of} close: ")
    assert evidence.values["opened"].text.startswith(f"{close - timedelta(hours=4):%Y-%m-%d %H:%M}")


def test_a_close_is_still_read_as_a_close_first() -> None:
    close = closes_with_a_green_dot()[-1]
    evidence = explained("why a green dot", close)
    assert evidence.as_of == close.isoformat()
    assert "opened" not in evidence.values


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("why no purple dot", "purple dot"),
        ("is there a white dot", "white dot"),
        ("orange circles", "orange circle"),
        ("yellow dot", "yellow dot"),
    ],
)
def test_a_colour_that_no_dot_has_is_said_not_to_be_there(words: str, missing: str) -> None:
    assert read_subject(words).missing == missing
    with pytest.raises(InvalidRequest, match=f"There is no {missing} on this panel"):
        explaining_tools(MARKET, NoJournal())[0].invoke({"subject": words, "symbol": "BTC/USDT"})


@pytest.mark.parametrize(
    "words", ["why no green dot", "blood diamond", "moon diamond", "blue triangle", "yellow x", "gold dot", "grean dot"]
)
def test_marks_that_there_are_stay_so(words: str) -> None:
    assert read_subject(words).events
    assert not read_subject(words).missing
