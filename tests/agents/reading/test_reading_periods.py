"""Words that name a time become the tool's period, or the answer says first that it is not of that time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.reading import Reading, ReadingContext, read
from agents.reading.thread import after_turn
from tools.periods import Period

Reader = Callable[..., Reading]
LONDON = {"kind": "session", "session": "london"}


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("last week's POC on btc", {"kind": "range", "from": "last week"}),
        ("btc poc this month", {"kind": "range", "from": "this month"}),
        ("yesterday's London session on btc", {**LONDON, "from": "yesterday"}),
        ("poc of btc in the london session on monday", {**LONDON, "from": "monday"}),
        ("last london session btc", {**LONDON, "from": "last"}),
        ("btc NY session value area", {"kind": "session", "session": "new_york"}),
        ("us session poc btc", {"kind": "session", "session": "new_york"}),
        ("asian session btc 15m", {"kind": "session", "session": "asia"}),
        ("poc of the tokyo session of 8 march btc", {"kind": "session", "session": "tokyo", "from": "8 mar"}),
        ("value area of Tuesday btc", {"kind": "session", "from": "tuesday"}),
        ("btc poc on 2026-03-08", {"kind": "session", "from": "2026-03-08"}),
        ("what is the poc of march 8 for btc", {"kind": "session", "from": "mar 8"}),
        ("volume profile of btc 2 days ago", {"kind": "session", "from": "2d ago"}),
        ("yesterday's poc btc", {"kind": "session", "from": "yesterday"}),
        ("previous day's value area btc", {"kind": "session", "from": "yesterday"}),
        ("last session's poc btc", {"kind": "session", "from": "last"}),
        ("profile of btc yesterday new york time", {
            "kind": "session", "from": "yesterday", "timezone": "America/New_York",
        }),
        ("profile since monday btc", {"kind": "anchored", "from": "monday"}),
        ("anchored profile from 3 November 14:00 btc", {"kind": "anchored", "from": "3 nov 14:00"}),
        ("btc vwap since last week", {"kind": "anchored", "from": "last week"}),
        ("btc profile from monday until now", {"kind": "anchored", "from": "monday"}),
        ("btc profile from monday to tuesday", {"kind": "range", "from": "monday", "to": "tuesday"}),
        ("composite of the last 5 days on btc", {"kind": "composite", "count": 5}),
        ("btc composite of 2 weeks", {"kind": "composite", "count": 14}),
        ("composite of the last 3 london sessions btc", {"kind": "composite", "count": 3, "session": "london"}),
        ("btc composite of last week", {"kind": "range", "from": "last week"}),
        ("btc composite profile", {"kind": "composite"}),
        ("profile of the last 30 days btc", {"kind": "range", "from": "last 30d"}),
        ("btc poc last 4 hours", {"kind": "range", "from": "last 4h"}),
        ("value area of november btc", {"kind": "range", "from": "november"}),
        ("btc profile this morning", {"kind": "range", "from": "this morning"}),
        ("TPO of today btc", {"kind": "session", "from": "today"}),
        ("tpo btc", {"kind": "session", "from": "today"}),
        ("btc poc today", {"kind": "session", "from": "today"}),
        ("btc initial balance yesterday", {"kind": "session", "from": "yesterday"}),
    ],
)  # fmt: skip
def test_a_time_in_words_is_the_tools_period(say: Reader, text: str, period: dict[str, Any]) -> None:
    reading = say(text)
    (request,) = reading.requests
    assert (request.tool, request.args["symbol"], request.args["period"]) == (
        "analyze_volume_profile",
        "BTC/USDT",
        period,
    )
    assert Period.model_validate(period).to_plain() == period
    assert reading.lead == ""


@pytest.mark.parametrize(
    "text",
    ["poc btc", "initial balance btc", "btc vwap today", "single prints on btc 4h", "value area btc last 50 candles",
     "naked pocs on btc", "btc poc 4h", "today's vwap btc"],
)  # fmt: skip
def test_without_a_time_of_its_own_the_usual_candles_are_meant(say: Reader, text: str) -> None:
    (request,) = say(text).requests
    assert (request.tool, "period" in request.args) == ("analyze_volume_profile", False)
    assert say(text).lead == ""


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("poc of the frankfurt session btc", "Sessions of Frankfurt are not kept here"),
        ("poc of the sydney session btc", "Sessions of Sydney are not kept here"),
        ("european session poc btc", "Sessions of Europe are not kept here"),
        ("btc profile since last week's high", "A profile of `since last week high` cannot be read here"),
        ("btc anchored profile", "A profile of `since"),
        ("btc poc at 14:00", "A profile of `14:00` cannot be read here"),
        ("naked pocs of last week on btc", "Naked points of control are told of every session among the last candles"),
        ("profile between monday and wednesday btc", "Two times are read here as `from monday to wednesday`"),
        ("btc profile between monday and wednesday", "Two times are read here as `from monday to wednesday`"),
    ],
)
def test_a_time_that_is_not_covered_is_said_first(say: Reader, text: str, lead: str) -> None:
    reading = say(text)
    assert reading.lead.startswith(lead)
    assert all("period" not in request.args for request in reading.requests)
    assert reading.requests


def test_every_market_of_a_question_gets_its_time(say: Reader) -> None:
    for text in (
        "poc of btc and eth last week",
        "last week's poc for btc and eth",
        "value area of btc, eth last week",
        "the asia session value area for btc and eth",
    ):
        periods = [request.args.get("period") for request in say(text).requests]
        assert len(periods) == 2, text
        assert periods[0] == periods[1] is not None, text


def test_one_question_for_two_levels_of_a_time_is_one_call(say: Reader) -> None:
    for text in ("poc and value area of btc last week", "value area of BTC, last week"):
        (request,) = say(text).requests
        assert request.args["period"] == {"kind": "range", "from": "last week"}


def spoken(context: ReadingContext, *texts: str) -> dict[str, Any]:
    """Arguments of the last message's one call, after the messages before it."""
    for text in texts[:-1]:
        context = after_turn(context, read(text, context))
    (request,) = read(texts[-1], context).requests
    return request.args


@pytest.mark.parametrize(
    ("texts", "period"),
    [
        (("btc yesterday's poc", "and the day before?"), {"kind": "session", "from": "day before yesterday"}),
        (("btc poc last week", "and the week before?"), {"kind": "range", "from": "week before last week"}),
        (("btc poc last week", "and eth?"), {"kind": "range", "from": "last week"}),
        (("btc poc last week", "same on 4h"), {"kind": "range", "from": "last week"}),
        (("btc poc of the london session yesterday", "and new york?"), {"kind": "session", "session": "new_york"}),
        (("composite of the last 5 days on btc", "and eth?"), {"kind": "composite", "count": 5}),
        (("btc poc", "and last month?"), {"kind": "range", "from": "last month"}),
        (
            ("poc of yesterday's asia session btc", "and the day before?"),
            {"kind": "session", "session": "asia", "from": "day before yesterday"},
        ),
    ],
)
def test_what_follows_goes_on_with_the_time_spoken_of(
    context: ReadingContext, texts: tuple[str, ...], period: dict[str, Any]
) -> None:
    assert spoken(context, *texts)["period"] == period


def test_a_new_question_of_its_own_begins_anew(context: ReadingContext) -> None:
    assert "period" not in spoken(context, "btc poc last week", "volume profile eth")
    assert "period" not in spoken(context, "btc poc last week", "btc poc")


@pytest.mark.parametrize(
    "text",
    ["buy 0.1 btc when it hits last week's poc", "sell 0.1 btc at the london open", "buy 0.1 btc at yesterday's vah"],
)
def test_a_time_never_makes_or_changes_an_order(context: ReadingContext, text: str) -> None:
    thread = replace(context, last_symbol="BTC/USDT", last_tool="analyze_volume_profile")
    assert [r for r in read(text, thread).requests if r.tool.startswith("propose_")] == []
