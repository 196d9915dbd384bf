"""Streamed candles: any order and any repetition come to the same table, and REST is the truth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.market.streaming.candle_ledger import CandleLedger
from engines.market.streaming.gaps import APART_MS, GapState

MINUTE = 60_000
START = 1_700_000_040_000 // MINUTE * MINUTE
COUNT = 8
END = START + COUNT * MINUTE
NOW = END + 10_000
Raw = list[float]


def _row(place: int, part: int = 4) -> Raw:
    """The candle of a minute when `part` fourths of it have been traded."""
    base = 100.0 + place
    return [START + place * MINUTE, base, base + part, base - part / 10, base + part / 2, float(part)]


def _states() -> list[Raw]:
    return [_row(place, part) for place in range(COUNT) for part in range(1, 5)]


def _rest() -> list[Raw]:
    return [_row(place) for place in range(COUNT)]


def _confirmed(rows: list[Raw] | None = None, *, now_ms: int = NOW) -> CandleLedger:
    ledger = CandleLedger("1m")
    ledger.confirm(_rest() if rows is None else rows, first_ms=START, end_ms=END, now_ms=now_ms)
    return ledger


@given(st.lists(st.sampled_from(_states()), max_size=60).flatmap(lambda some: st.permutations([*some, *_states()])))
def test_any_order_and_any_repetition_of_streamed_rows_come_to_the_same_table(rows: list[Raw]) -> None:
    ledger, plain = CandleLedger("1m"), CandleLedger("1m")
    for row in rows:
        ledger.observe(row, now_ms=NOW)
    for row in _states():
        plain.observe(row, now_ms=NOW)
    assert ledger.kept() == plain.kept()


@given(
    st.permutations(range(COUNT - 2)),
    st.lists(st.sampled_from(_states()), max_size=30),
    st.integers(min_value=0, max_value=30),
)
def test_overlapping_windows_of_rest_come_to_the_same_table_whatever_was_streamed(
    starts: list[int], streamed: list[Raw], split: int
) -> None:
    ledger = CandleLedger("1m")
    for row in streamed[:split]:
        ledger.observe(row, now_ms=NOW)
    for first in starts:
        ledger.confirm(
            _rest()[first : first + 3],
            first_ms=START + first * MINUTE,
            end_ms=START + (first + 3) * MINUTE,
            now_ms=NOW,
        )
    for row in streamed[split:]:
        ledger.observe(row, now_ms=NOW)
    assert ledger.closed(END, COUNT) == tuple(tuple(row) for row in _rest())
    assert ledger.counts["revisions"] == 0


def test_a_streamed_candle_is_not_served_before_rest_agrees_although_its_successor_has_begun() -> None:
    ledger = CandleLedger("1m")
    for row in (_row(0), _row(1)):
        ledger.observe(row, now_ms=NOW)
    assert ledger.closed(START + MINUTE, 1) is None
    ledger.confirm([_row(0)], first_ms=START, end_ms=START + MINUTE, now_ms=NOW)
    assert ledger.closed(START + MINUTE, 1) == (tuple(_row(0)),)


def test_a_candle_that_still_forms_is_not_confirmed_by_rest() -> None:
    ledger = _confirmed(now_ms=END - 1_000)
    assert ledger.closed(END, 1) is None
    assert ledger.closed(END - MINUTE, 1) is not None


@pytest.mark.parametrize(
    ("raw", "count"),
    [
        ([START + 1, 1, 2, 0.5, 1, 1], "rejected_off_grid"),
        ([NOW // MINUTE * MINUTE + 60 * MINUTE, 1, 2, 0.5, 1, 1], "rejected_future"),
        ([START, 1, math.nan, 0.5, 1, 1], "rejected_price"),
        ([START, 0, 2, 0.5, 1, 1], "rejected_price"),
        ([START, 3, 2, 0.5, 1, 1], "rejected_range"),
        ([START, 1, 2, 1.5, 1, 1], "rejected_range"),
        ([START, 1, 2, 0.5, 1, -1], "rejected_volume"),
        ([START, 1, 2], "rejected_shape"),
        ([None, 1, 2, 0.5, 1, 1], "rejected_shape"),
        ([START, 1, "x", 0.5, 1, 1], "rejected_shape"),
    ],
)
def test_a_row_that_is_no_candle_is_counted_and_kept_out(raw: list[object], count: str) -> None:
    ledger = CandleLedger("1m")
    assert ledger.observe(raw, now_ms=NOW) == "rejected"
    ledger.confirm([raw], first_ms=START, end_ms=END, now_ms=NOW)
    assert ledger.counts[count] == 2
    assert ledger.kept() == ()


def test_a_closed_candle_that_rest_tells_otherwise_later_is_revised_and_counted() -> None:
    ledger = _confirmed()
    changed = [*_row(3)[:4], 103.5, 9.0]
    assert ledger.confirm([changed], first_ms=START + 3 * MINUTE, end_ms=START + 4 * MINUTE, now_ms=NOW) == (
        tuple(changed),
    )
    assert ledger.counts["revisions"] == 1
    assert [each.revision for each in ledger.kept()] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert (ledger.closed(END, COUNT) or ())[3] == tuple(changed)


def test_rest_wins_over_the_stream_and_more_volume_on_the_stream_asks_rest_again() -> None:
    ledger = _confirmed()
    fuller = [*_row(3)[:5], 99.0]
    assert ledger.observe(fuller, now_ms=NOW) == "disagrees"
    assert (ledger.closed(END, COUNT) or ())[3] == tuple(_row(3))
    assert ledger.unconfirmed(END, COUNT) == (START + 3 * MINUTE,)
    ledger.confirm([fuller], first_ms=START + 3 * MINUTE, end_ms=START + 4 * MINUTE, now_ms=NOW)
    assert (ledger.closed(END, COUNT) or ())[3] == tuple(fuller)
    assert ledger.unconfirmed(END, COUNT) == ()


def test_a_missing_candle_is_unknown_first_and_empty_only_when_rest_said_so_twice_and_apart() -> None:
    rows = [row for place, row in enumerate(_rest()) if place != 4]
    ledger = _confirmed(rows)
    assert [(gap.open_ms, gap.state) for gap in ledger.gaps()] == [(START + 4 * MINUTE, GapState.UNKNOWN)]
    assert ledger.closed(END, COUNT) is None
    ledger.confirm(rows, first_ms=START, end_ms=END, now_ms=NOW + APART_MS - 1)
    assert ledger.closed(END, COUNT) is None
    ledger.confirm(rows, first_ms=START, end_ms=END, now_ms=NOW + APART_MS)
    assert [gap.state for gap in ledger.gaps()] == [GapState.EMPTY_AT_EXCHANGE]
    # Nothing is filled forward: the hole stays a hole.
    assert ledger.closed(END, COUNT) == tuple(tuple(row) for row in rows)


def test_a_gap_is_filled_when_rest_has_the_candle_after_all() -> None:
    ledger = _confirmed([row for place, row in enumerate(_rest()) if place != 4])
    assert ledger.unconfirmed(END, COUNT) == (START + 4 * MINUTE,)
    ledger.confirm([_row(4)], first_ms=START + 4 * MINUTE, end_ms=START + 5 * MINUTE, now_ms=NOW)
    assert [gap.state for gap in ledger.gaps()] == [GapState.FILLED]
    assert len(ledger.closed(END, COUNT) or ()) == COUNT


def test_a_gap_that_rest_cannot_be_asked_about_has_failed_and_is_asked_for_again() -> None:
    ledger = _confirmed([row for place, row in enumerate(_rest()) if place != 4])
    ledger.failed(first_ms=START, end_ms=END)
    assert [gap.state for gap in ledger.gaps()] == [GapState.FAILED]
    assert ledger.closed(END, COUNT) is None
    assert ledger.unconfirmed(END, COUNT) == (START + 4 * MINUTE,)
    ledger.confirm(_rest(), first_ms=START, end_ms=END, now_ms=NOW)
    assert [gap.state for gap in ledger.gaps()] == [GapState.FILLED]


def test_a_candle_that_traded_on_the_stream_is_never_taken_for_empty() -> None:
    ledger = CandleLedger("1m")
    ledger.observe(_row(4), now_ms=NOW)
    rows = [row for place, row in enumerate(_rest()) if place != 4]
    for later in (0, APART_MS, 3 * APART_MS):
        ledger.confirm(rows, first_ms=START, end_ms=END, now_ms=NOW + later)
    assert ledger.gaps() == ()
    assert ledger.closed(END, COUNT) is None


def test_a_row_older_than_the_window_is_counted_and_left_to_rest() -> None:
    ledger = CandleLedger("1m", capacity=4)
    ledger.observe(_row(7), now_ms=NOW)
    assert ledger.observe(_row(3), now_ms=NOW) == "old"
    assert ledger.observe(_row(4), now_ms=NOW) == "new"
    assert ledger.counts["old"] == 1


@given(st.permutations(range(COUNT)), st.sets(st.integers(min_value=0, max_value=COUNT - 1)))
def test_what_is_served_is_what_rest_told_or_nothing_at_all(order: list[int], answered: set[int]) -> None:
    ledger = CandleLedger("1m")
    for place in order:
        ledger.observe(_row(place, 2), now_ms=NOW)
        if place in answered:
            first = START + place * MINUTE
            ledger.confirm([_row(place)], first_ms=first, end_ms=first + MINUTE, now_ms=NOW)
    served = ledger.closed(END, COUNT)
    assert (served == tuple(tuple(row) for row in _rest())) if len(answered) == COUNT else served is None


def test_no_more_candles_are_kept_than_the_window_holds() -> None:
    ledger = CandleLedger("1m", capacity=4)
    ledger.confirm(_rest(), first_ms=START, end_ms=END, now_ms=NOW)
    assert [each.row.open_ms for each in ledger.kept()] == [START + place * MINUTE for place in range(4, 8)]


def test_a_week_opens_on_a_monday() -> None:
    ledger, week = CandleLedger("1w"), 7 * 24 * 60 * MINUTE
    monday = 4 * 24 * 60 * MINUTE + 2_800 * week
    assert ledger.observe([monday, 1, 2, 0.5, 1, 1], now_ms=monday + week) == "new"
    assert ledger.observe([2_800 * week, 1, 2, 0.5, 1, 1], now_ms=monday + week) == "rejected"
