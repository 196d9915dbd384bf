"""Stretches of time in words mean the right instants, by the clocks of the place they name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from engines.errors import InvalidRequest
from tools.periods import Period, Span, read_period

# A Wednesday, ten days after the clocks of New York and eleven before those of London.
NOW = datetime(2026, 3, 18, 14, 30, tzinfo=UTC)


def meant(at: datetime = NOW, /, **given: Any) -> Span:
    return read_period(Period.model_validate(given), now=at, timeframe="1h")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "begins", "ends"),
    [
        ("last week", "2026-03-09", "2026-03-16"),
        ("this week", "2026-03-16", "2026-03-23"),
        ("the previous week's", "2026-03-09", "2026-03-16"),
        ("week before last week", "2026-03-02", "2026-03-09"),
        ("last month", "2026-02-01", "2026-03-01"),
        ("month before last month", "2026-01-01", "2026-02-01"),
        ("month to date", "2026-03-01", "2026-04-01"),
        ("last quarter", "2025-10-01", "2026-01-01"),
        ("this quarter", "2026-01-01", "2026-04-01"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("november", "2025-11-01", "2025-12-01"),
        ("february 2024", "2024-02-01", "2024-03-01"),
        ("last weekend", "2026-03-14", "2026-03-16"),
        ("weekend", "2026-03-14", "2026-03-16"),
        ("tuesday", "2026-03-17", "2026-03-18"),
        ("2026-03-08", "2026-03-08", "2026-03-09"),
        ("day before tuesday", "2026-03-16", "2026-03-17"),
        ("last 5d", "2026-03-13T14:00", "2026-03-18T14:00"),
        ("past 2 weeks", "2026-03-04T14:00", "2026-03-18T14:00"),
        ("past week", "2026-03-11T14:00", "2026-03-18T14:00"),
        ("last 90m", "2026-03-18T13:00", "2026-03-18T14:30"),
        ("last 3M", "2025-12-18T14:00", "2026-03-18T14:00"),
        ("this morning", "2026-03-18T06:00", "2026-03-18T12:00"),
    ],
)
def test_a_range_in_words_begins_and_ends_with_what_it_names(said: str, begins: str, ends: str) -> None:
    span = meant(kind="range", **{"from": said})
    assert (span.begins, span.ends) == (utc(begins), utc(ends))


def test_on_a_weekend_the_last_one_is_the_one_before() -> None:
    sunday = datetime(2026, 3, 15, 10, tzinfo=UTC)
    assert meant(sunday, kind="range", **{"from": "this weekend"}).begins == utc("2026-03-14")
    assert meant(sunday, kind="range", **{"from": "last weekend"}).begins == utc("2026-03-07")


def test_two_times_make_a_range_whose_last_day_is_in_it() -> None:
    span = meant(kind="range", **{"from": "monday", "to": "tuesday"})
    assert (span.begins, span.ends) == (utc("2026-03-16"), utc("2026-03-18"))
    assert span.words == "over 2026-03-16 to 2026-03-17 (UTC days)"
    span = meant(kind="range", **{"from": "2026-03-16 14:00", "to": "2026-03-17T02:00Z"})
    assert (span.begins, span.ends) == (utc("2026-03-16T14:00"), utc("2026-03-17T02:00"))


@pytest.mark.parametrize(
    ("session", "day", "opens", "closes"),
    [
        # Winter, weeks in which only New York has moved its clocks, and summer.
        ("london", "2026-03-06", "2026-03-06T08:00", "2026-03-06T17:00"),
        ("new_york", "2026-03-06", "2026-03-06T13:00", "2026-03-06T22:00"),
        ("london", "2026-03-17", "2026-03-17T08:00", "2026-03-17T17:00"),
        ("new_york", "2026-03-17", "2026-03-17T12:00", "2026-03-17T21:00"),
        ("london", "2025-07-01", "2025-07-01T07:00", "2025-07-01T16:00"),
        ("tokyo", "2026-03-17", "2026-03-17T00:00", "2026-03-17T09:00"),
        ("asia", "2025-07-01", "2025-07-01T00:00", "2025-07-01T09:00"),
        ("day", "2026-03-08", "2026-03-08T00:00", "2026-03-09T00:00"),
    ],
)
def test_a_session_opens_and_closes_by_its_own_clocks(session: str, day: str, opens: str, closes: str) -> None:
    span = meant(kind="session", session=session, **{"from": day})
    assert (span.begins, span.ends, span.day) == (utc(opens), utc(closes), day)


def test_a_day_of_a_zone_is_as_long_as_its_clocks_make_it() -> None:
    span = meant(kind="session", timezone="America/New_York", **{"from": "2026-03-08"})
    assert (span.begins, span.ends) == (utc("2026-03-08T05:00"), utc("2026-03-09T04:00"))
    assert span.words == "on 2026-03-08 (America/New_York)"


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ({"session": "london"}, "2026-03-18"),
        ({"session": "london", "from": "last"}, "2026-03-17"),
        ({"session": "asia", "from": "last"}, "2026-03-18"),
        ({"session": "london", "from": "yesterday"}, "2026-03-17"),
        ({"session": "london", "from": "day before yesterday"}, "2026-03-16"),
        ({}, "2026-03-18"),
        ({"from": "last"}, "2026-03-17"),
    ],
)
def test_a_session_without_a_day_is_the_newest_begun_and_the_last_one_is_over(given: dict[str, str], day: str) -> None:
    assert meant(kind="session", **given).day == day


def test_before_it_opens_the_newest_session_is_the_one_of_the_day_before() -> None:
    early = datetime(2026, 3, 18, 3, tzinfo=UTC)
    assert meant(early, kind="session", session="new_york").day == "2026-03-17"
    assert meant(early, kind="session", session="tokyo").words == "in the Tokyo session of 2026-03-18 so far"
    with pytest.raises(InvalidRequest, match="has not begun"):
        meant(early.replace(hour=11), kind="session", session="new_york", **{"from": "today"})


def test_a_composite_is_of_whole_sessions_only() -> None:
    span = meant(kind="composite", count=3)
    assert [opens.day for opens, _ in span.parts] == [15, 16, 17]
    assert (span.begins, span.ends) == (utc("2026-03-15"), utc("2026-03-18"))
    asian = meant(kind="composite", count=2, session="asia")
    assert asian.parts[-1] == (utc("2026-03-18"), utc("2026-03-18T09:00"))
    assert len(meant(kind="composite").parts) == 5


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        ("monday", "2026-03-16"),
        ("3 nov 14:00", "2025-11-03T14:00"),
        ("2026-03-10T14:00+02:00", "2026-03-10T12:00"),
        ("last week", "2026-03-09"),
        ("9am new york time", "2026-03-18T13:00"),
    ],
)
def test_an_anchor_is_an_instant_or_where_a_stretch_begins(said: str, begins: str) -> None:
    assert meant(kind="anchored", **{"from": said}).begins == utc(begins)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "range"}, "needs `from`"),
        ({"kind": "anchored"}, "needs `from`"),
        ({"kind": "anchored", "from": "monday", "to": "tuesday"}, "has no `to`"),
        ({"kind": "range", "from": "monday", "session": "london"}, "has no `session`"),
        ({"kind": "session", "count": 3}, "has no `count`"),
        ({"kind": "composite", "from": "monday"}, "has no `from`"),
        ({"kind": "session", "session": "london", "timezone": "Asia/Tokyo"}, "clocks of its own"),
        ({"kind": "session", "timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"kind": "range", "from": "14:00"}, "is an instant"),
        ({"kind": "range", "from": "tuesday", "to": "monday"}, "before it begins"),
        ({"kind": "composite", "count": 91}, "91 sessions"),
        ({"kind": "composite", "count": 0}, "0 sessions"),
        ({"kind": "anchored", "from": "tomorrow"}, "`tomorrow`"),
        ({"kind": "anchored", "from": "2026-03-20"}, "future"),
        ({"kind": "range", "from": "april 2026"}, "has not begun"),
        ({"kind": "range", "from": "soon"}, "`soon`"),
        ({"kind": "session", "from": "9999-12-31"}, "9999-12-31"),
        ({"kind": "anchored", "from": "0001-01-01 00:00"}, "0001-01-01"),
        ({"kind": "range", "from": "last 0d"}, "`last 0d`"),
        ({"kind": "range", "from": "'; drop table"}, "cannot|not a time"),
    ],
)
def test_what_does_not_go_together_or_cannot_be_read_is_refused_with_a_way_out(
    given: dict[str, object], told: str
) -> None:
    with pytest.raises(InvalidRequest, match=told) as caught:
        meant(**given)
    assert caught.value.remedy


@pytest.mark.parametrize("given", [{"kind": "weekly"}, {"kind": "session", "session": "mars"}, {"kind": "x", "of": 1}])
def test_a_model_that_makes_up_a_field_is_told_so(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Period.model_validate(given)
