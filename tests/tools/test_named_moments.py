"""Days and zones that a time names are honoured or refused, never left out."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engines.errors import InvalidRequest
from tools.moments import read_moment

NOW = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("on the 8th at 16:00", datetime(2026, 3, 8, 16, tzinfo=UTC)),
        ("20th 16:00", datetime(2026, 2, 20, 16, tzinfo=UTC)),
        ("31st 16:00", datetime(2026, 1, 31, 16, tzinfo=UTC)),
        ("2 days ago at midnight", datetime(2026, 3, 8, tzinfo=UTC)),
        ("the day before yesterday at 4pm", datetime(2026, 3, 8, 16, tzinfo=UTC)),
        # New York went to summer time on 8 March.
        ("12:00 new york time", datetime(2026, 3, 9, 16, tzinfo=UTC)),
        ("2026-03-06 12:00 new york", datetime(2026, 3, 6, 17, tzinfo=UTC)),
        ("yesterday 9am tokyo time", datetime(2026, 3, 9, 0, tzinfo=UTC)),
    ],
)
def test_a_named_day_or_place_decides_the_instant(text: str, meant: datetime) -> None:
    assert read_moment(text, now=NOW, timeframe="4h").at == meant


def test_a_whole_day_of_a_place_begins_at_its_midnight() -> None:
    found = read_moment("9 march new york time", now=NOW, timeframe="4h")
    assert (found.since, found.at) == (datetime(2026, 3, 9, 4, tzinfo=UTC), datetime(2026, 3, 10, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "since", "at"),
    [
        # It is 14:30 on the 10th: the afternoon is not over, the evening has not begun.
        ("this morning", datetime(2026, 3, 10, 6, tzinfo=UTC), datetime(2026, 3, 10, 12, tzinfo=UTC)),
        ("in the afternoon", datetime(2026, 3, 10, 12, tzinfo=UTC), NOW),
        ("yesterday evening", datetime(2026, 3, 9, 18, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)),
        ("last night", datetime(2026, 3, 9, 18, tzinfo=UTC), datetime(2026, 3, 10, 6, tzinfo=UTC)),
        ("night", datetime(2026, 3, 9, 18, tzinfo=UTC), datetime(2026, 3, 10, 6, tzinfo=UTC)),
        ("monday morning", datetime(2026, 3, 9, 6, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC)),
        ("morning of the 8th", datetime(2026, 3, 8, 6, tzinfo=UTC), datetime(2026, 3, 8, 12, tzinfo=UTC)),
        # A night in New York on which its clocks went forward is an hour shorter.
        ("7 march night new york time", datetime(2026, 3, 7, 23, tzinfo=UTC), datetime(2026, 3, 8, 10, tzinfo=UTC)),
    ],
)
def test_a_part_of_a_day_is_its_hours_as_far_as_they_have_passed(text: str, since: datetime, at: datetime) -> None:
    found = read_moment(text, now=NOW, timeframe="1h")
    assert (found.since, found.at) == (since, at)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("09:00 this morning", datetime(2026, 3, 10, 9, tzinfo=UTC)),
        ("yesterday 09:00 evening", datetime(2026, 3, 9, 21, tzinfo=UTC)),
        ("yesterday 21:00 evening", datetime(2026, 3, 9, 21, tzinfo=UTC)),
        ("02:00 last night", datetime(2026, 3, 10, 2, tzinfo=UTC)),
    ],
)
def test_an_hour_of_a_part_of_a_day_lies_in_it(text: str, meant: datetime) -> None:
    found = read_moment(text, now=NOW, timeframe="1h")
    assert (found.at, found.since) == (meant, None)


@pytest.mark.parametrize(
    "text", ["this evening", "tonight", "tomorrow morning", "14:00 this morning", "13:00 at night"]
)
def test_a_part_of_a_day_that_has_not_come_or_does_not_hold_its_hour_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_moment(text, now=NOW, timeframe="1h")


def test_clocks_that_are_given_stand_in_for_a_place_that_is_not_named() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert read_moment("9 march 09:00", now=NOW, timeframe="1h", clocks=tokyo).at == datetime(2026, 3, 9, tzinfo=UTC)
    assert read_moment("12:00 utc", now=NOW, timeframe="1h", clocks=tokyo).at == datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["12:00 est", "12:00 my time", "12:00 et", "the 32nd at 4pm", "12:00 london session"])
def test_what_cannot_be_read_in_one_way_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_moment(text, now=NOW, timeframe="4h")
