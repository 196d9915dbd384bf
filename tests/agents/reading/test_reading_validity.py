"""How long an order is good, read out of its words, or asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.reading import ReadingContext, read
from engines.errors import InvalidRequest
from tools.good_till import end_of

CONTEXT = ReadingContext(symbols=("BTC/USDT", "ETH/USDT"), quote_currency="USDT")
# A Tuesday.
NOW = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "force"),
    [
        ("ioc", "IOC"),
        (", immediate or cancel", "IOC"),
        ("immediate-or-cancel", "IOC"),
        ("fok", "FOK"),
        ("fill or kill", "FOK"),
        ("fill-or-kill", "FOK"),
        ("for today only", "DAY"),
        ("good for the day", "DAY"),
        ("until the end of the day", "DAY"),
        ("gtc", "GTC"),
        ("good till cancelled", "GTC"),
        (". Good till canceled.", "GTC"),
    ],
)
def test_a_limit_order_is_good_as_its_words_say(words: str, force: str) -> None:
    reading = read(f"buy 0.1 btc at 58k {words}", CONTEXT)

    assert reading.question is None
    (request,) = reading.requests
    assert request.tool == "propose_order"
    assert request.args["time_in_force"] == force
    assert (request.args["limit_price"], "good_till" in request.args) == (58_000, False)


@pytest.mark.parametrize(
    ("words", "good_till"),
    [
        ("good till friday", "friday"),
        ("good until Friday 18:00 UTC", "friday 18:00"),
        ("until tomorrow at 6pm", "tomorrow 6pm"),
        ("gtd 2026-03-20", "2026-03-20"),
        ("valid until 27 march", "27 mar"),
        ("till march 27th, stop 55k", "27 mar"),
        (". Good till Friday.", "friday"),
        ("until the 27th", "27th"),
        ("good till the 27th at 18:00, stop 55k", "27th 18:00"),
        ("good till the end of the week", "end of week"),
        ("open until month end", "end of month"),
        ("good till friday noon", "friday noon"),
        ("good until midnight", "midnight"),
        ("good for 3 hours", "3h"),
        ("good for two days, stop 55k", "2d"),
        ("valid for a week", "1w"),
    ],
)
def test_a_limit_order_is_good_till_the_day_that_its_words_name(words: str, good_till: str) -> None:
    reading = read(f"buy 0.1 btc at 58k {words}", CONTEXT)

    assert reading.question is None
    (request,) = reading.requests
    assert request.args["good_till"] == good_till
    assert "time_in_force" not in request.args


@pytest.mark.parametrize(
    "message",
    [
        "buy 0.1 btc at 58k until friday morning",
        "buy 0.1 btc at 58k good till friday or saturday",
        "buy 0.1 btc at 58k good till 18:00 est",
        "buy 0.1 btc at 58k good till 18:00 new york",
        "buy 0.1 btc at 58k until next friday",
        "buy 0.1 btc and hold until friday",
        "buy 0.1 btc at 58k ioc good till friday",
        "buy 0.1 btc at 58k and 1 eth at 3k, both good till friday",
        "buy 0.1 btc good till friday",
        "buy stop 65k 0.1 btc fill or kill",
        "sell half my btc fill or kill",
    ],
)
def test_an_end_that_is_not_certain_or_does_not_fit_is_asked_for(message: str) -> None:
    reading = read(message, CONTEXT)

    assert reading.question is not None
    assert reading.requests == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("good till next week", "till next week"),
        ("good until sunday night", "until sunday night"),
        ("good for a few hours, stop 55k", "for a few hours"),
        ("valid for 2 months", "for 2 months"),
        ("good till friday midnight", "till friday midnight"),
    ],
)
def test_an_end_in_other_words_is_asked_for_with_the_words_that_are_read(words: str, said: str) -> None:
    reading = read(f"buy 0.1 btc at 58k {words}", CONTEXT)

    assert reading.requests == ()
    assert f"`{said}` is not read; these are, all in UTC: `good till friday 18:00`" in (reading.question or "")


def test_good_for_something_else_than_a_time_is_passed_over() -> None:
    (request,) = read("buy 0.1 btc at 58k, good for me", CONTEXT).requests
    assert not {"good_till", "time_in_force"} & request.args.keys()


@pytest.mark.parametrize("message", ["what is fill or kill?", "cancel my btc orders", "how does btc look today"])
def test_words_about_time_make_no_order(message: str) -> None:
    assert not any(request.tool == "propose_order" for request in read(message, CONTEXT).requests)


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("friday", datetime(2026, 3, 14, tzinfo=UTC)),
        ("tuesday", datetime(2026, 3, 11, tzinfo=UTC)),
        ("friday 18:00", datetime(2026, 3, 13, 18, tzinfo=UTC)),
        ("tomorrow 6pm", datetime(2026, 3, 11, 18, tzinfo=UTC)),
        ("18:00", datetime(2026, 3, 10, 18, tzinfo=UTC)),
        ("14:30", datetime(2026, 3, 11, 14, 30, tzinfo=UTC)),
        ("12am", datetime(2026, 3, 11, tzinfo=UTC)),
        ("2026-03-20", datetime(2026, 3, 21, tzinfo=UTC)),
        ("2026-03-20 09:15", datetime(2026, 3, 20, 9, 15, tzinfo=UTC)),
        ("27 feb", datetime(2027, 2, 28, tzinfo=UTC)),
        ("27th", datetime(2026, 3, 28, tzinfo=UTC)),
        ("9th 18:00", datetime(2026, 4, 9, 18, tzinfo=UTC)),
        ("end of week", datetime(2026, 3, 16, tzinfo=UTC)),
        ("end of month", datetime(2026, 4, 1, tzinfo=UTC)),
        ("noon", datetime(2026, 3, 11, 12, tzinfo=UTC)),
        ("tomorrow noon", datetime(2026, 3, 11, 12, tzinfo=UTC)),
        ("midnight", datetime(2026, 3, 11, tzinfo=UTC)),
        ("3h", datetime(2026, 3, 10, 17, 30, tzinfo=UTC)),
        ("1w", datetime(2026, 3, 17, 14, 30, tzinfo=UTC)),
        ("2026-03-20T09:15:00+02:00", datetime(2026, 3, 20, 7, 15, tzinfo=UTC)),
        ("2026-03-20T09:15Z", datetime(2026, 3, 20, 9, 15, tzinfo=UTC)),
    ],
)
def test_the_words_of_an_end_are_one_instant(words: str, end: datetime) -> None:
    assert end_of(words, NOW) == end


def test_a_day_that_the_month_lacks_is_in_the_next_that_has_it() -> None:
    assert end_of("31st", datetime(2026, 4, 10, tzinfo=UTC)) == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "words", ["", "later", "31 feb", "2026-13-01", "32nd", "0h", "25:00", "friday evening", "2026-99-99T00:00Z"]
)
def test_words_that_name_no_end_are_refused(words: str) -> None:
    with pytest.raises(InvalidRequest, match="no time that an order could be good till"):
        end_of(words, NOW)
