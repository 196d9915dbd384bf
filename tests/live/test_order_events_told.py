"""How the venue's stream of the account's own orders stands, as the status and `doctor` tell it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from agents.live import SILENT_SECONDS
from api.live_views import private_stream_view
from engines.execution.venues.private_stream import StreamStanding

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


def _until(reached: Callable[[], Any]) -> None:
    for _ in range(1_200):
        if reached():
            return
        time.sleep(0.05)
    pytest.fail("it did not come to that")


def _events(desk: Any) -> str:
    """The line of `doctor` about the events of orders, with its remedy."""
    printed = desk.command("doctor").stdout.splitlines()
    (at,) = [number for number, line in enumerate(printed) if line[5:].startswith("events")]
    return " ".join(" ".join(printed[at : at + 2]).split())


def test_status_and_doctor_say_whether_the_stream_of_orders_is_up_and_why_not(live_desk: Callable[[str], Any]) -> None:
    desk = live_desk("binance")
    assert "no desk runs; it listens for its orders' events while it serves" in _events(desk)
    desk.start()
    with desk.client() as client:

        def stream() -> dict[str, Any]:
            found: dict[str, Any] = client.get("/v1/status").raise_for_status().json()["live"]["private_stream"]
            return found

        _until(lambda: stream()["standing"] == "up")
        assert (stream()["connections"], stream()["trouble"]) == (1, "")
        assert _events(desk).startswith("ok events streamed by binance, connection 1, ")
        desk.venue.order("refuse", seconds=120)
        desk.venue.order("cut", private=True)
        _until(lambda: stream()["standing"] == "down" and stream()["trouble"])
        assert stream()["silent_seconds"] is None
        told = _events(desk)
        assert told.startswith("FAIL events The stream of orders at binance is down: ")
        assert "orders are asked for meanwhile" in told


@pytest.mark.parametrize(
    ("silent", "standing"), [(0.0, "up"), (SILENT_SECONDS - 1, "up"), (SILENT_SECONDS, "silent"), (None, "down")]
)
def test_a_stream_that_says_nothing_for_a_minute_is_silent(silent: float | None, standing: str) -> None:
    found = StreamStanding(silent is not None, 3, "" if silent is not None else "it was cut", silent)
    shown = private_stream_view(found)
    assert (shown.standing, shown.connections, shown.silent_seconds) == (standing, 3, silent)
    assert bool(shown.trouble) == (standing == "down")
