"""Days and zones that a time names are honoured or refused, never left out."""

from __future__ import annotations

from datetime import UTC, datetime

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


@pytest.mark.parametrize("text", ["12:00 est", "12:00 my time", "12:00 et", "the 32nd at 4pm", "12:00 london session"])
def test_what_cannot_be_read_in_one_way_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_moment(text, now=NOW, timeframe="4h")
