"""Trades, books, silence, patience and the mailbox of the streams, without any connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.market.streaming.book_sequence import BookSequence
from engines.market.streaming.mailbox import Mailbox
from engines.market.streaming.trade_ledger import TradeLedger
from engines.market.streaming.watchdog import Reconnects, Watchdog


def _trade(number: int | None, price: float = 1.0) -> Mapping[str, Any]:
    id_ = None if number is None else str(number)
    return {"id": id_, "timestamp": 1, "price": price, "amount": 1.0, "side": "buy"}


@given(st.permutations(range(1, 30)), st.lists(st.integers(min_value=1, max_value=29)))
def test_every_trade_counts_once_whatever_order_and_repetition_it_comes_in(order: list[int], again: list[int]) -> None:
    ledger = TradeLedger(sequential=True)
    fresh = [trade for number in [*order, *again] for trade in ledger.accept([_trade(number)])]
    assert sorted(int(trade["id"]) for trade in fresh) == list(range(1, 30))
    assert ledger.counts["repeated"] == len(again)


@given(st.sets(st.integers(min_value=2, max_value=38)))
def test_numbers_that_were_passed_over_are_missing_until_they_come(skipped: set[int]) -> None:
    ledger = TradeLedger(sequential=True)
    ledger.accept([_trade(number) for number in range(1, 40) if number not in skipped])
    assert set(ledger.missing) == skipped
    ledger.accept([_trade(number) for number in range(1, 40)])
    assert ledger.missing == ()
    assert ledger.counts["lost"] == 0


def test_numbers_that_rest_does_not_have_either_are_lost_and_counted() -> None:
    ledger = TradeLedger(sequential=True)
    ledger.accept([_trade(1), _trade(5)])
    assert ledger.give_up() == 3
    assert ledger.missing == ()
    assert ledger.counts["lost"] == 3


def test_a_hole_of_a_million_numbers_is_not_kept_number_by_number() -> None:
    ledger = TradeLedger(sequential=True)
    ledger.accept([_trade(1), _trade(1_000_002)])
    assert len(ledger.missing) == 1_000
    assert ledger.counts["lost"] == 999_000


def test_trades_without_a_number_are_told_apart_by_what_they_say_and_their_place() -> None:
    ledger = TradeLedger(sequential=False)
    batch = [_trade(None), _trade(None), _trade(None, 2.0)]
    assert len(ledger.accept(batch)) == 3
    assert ledger.accept(batch) == []


def test_ids_of_an_exchange_that_leaves_holes_are_no_loss() -> None:
    ledger = TradeLedger(sequential=False)
    ledger.accept([_trade(1), _trade(900)])
    assert ledger.missing == ()


@given(st.integers(min_value=0, max_value=19))
def test_one_change_of_a_book_left_out_makes_it_useless_until_the_next_snapshot(missing: int) -> None:
    book = BookSequence()
    book.snapshot(100)
    for number in range(101, 121):
        if number != 101 + missing:
            book.change(number, number)
    assert book.is_whole is (missing == 19)
    book.snapshot(150)
    assert book.is_whole


@given(st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=20), st.data())
def test_changes_in_order_with_any_repetition_keep_a_book_whole(lengths: list[int], data: st.DataObject) -> None:
    book, last, told = BookSequence(), 0, []
    book.snapshot(0)
    for length in lengths:
        told.append((last + 1, last + length))
        last += length
        assert book.change(*told[-1]) == "applied"
        assert book.change(*data.draw(st.sampled_from(told))) == "repeated"
    assert book.is_whole


def test_a_book_is_nothing_before_its_snapshot_and_after_a_cut() -> None:
    book = BookSequence()
    assert book.change(1, 1) == "gap"
    book.snapshot(5)
    book.lose()
    assert not book.is_whole


def test_a_stream_is_alive_from_its_first_data_until_it_was_silent_for_a_minute() -> None:
    dog: Watchdog[str] = Watchdog()
    assert not dog.is_alive("a", 0.0)
    dog.heard("a", 10.0)
    assert dog.is_alive("a", 69.9)
    assert not dog.is_alive("a", 70.0)
    dog.heard("a", 71.0)
    assert dog.is_alive("a", 72.0)
    dog.forget("a")
    assert not dog.is_alive("a", 72.0)


@given(st.integers(min_value=1, max_value=2_000), st.floats(min_value=0, max_value=0.999))
def test_pauses_double_up_to_a_minute_and_are_spread(failures: int, jitter: float) -> None:
    pause = Reconnects().pause(failures, now=0.0, jitter=jitter)
    whole = min(2.0 ** min(failures - 1, 10), 60.0)
    assert whole / 2 <= pause <= whole


@given(st.lists(st.floats(min_value=0, max_value=5), min_size=30, max_size=60))
def test_no_more_than_ten_tries_a_minute_reach_an_exchange(steps: list[float]) -> None:
    tries, now, reconnects = [], 0.0, Reconnects()
    for step in steps:
        now += step
        tries.append(now + reconnects.pause(1, now=now, jitter=0.5))
    tries.sort()
    assert all(later - earlier >= 59.0 for earlier, later in zip(tries, tries[10:], strict=False))


def test_candles_are_never_dropped_and_a_full_box_says_so() -> None:
    box: Mailbox[str, int] = Mailbox(capacity=3)
    assert [box.put("candles", number) for number in range(4)] == [True, True, True, False]
    assert box.counts["overflows"] == 1
    assert [box.take() for _ in range(3)] == [("candles", number) for number in range(3)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=50))
def test_of_ticks_the_newest_of_each_stream_is_kept_and_the_others_are_counted(ticks: list[tuple[str, int]]) -> None:
    box: Mailbox[str, int] = Mailbox()
    for key, value in ticks:
        box.conflate(key, value)
    taken = []
    while (item := box.take()) is not None:
        taken.append(item)
    assert dict(taken) == dict(ticks)
    assert box.counts["dropped"] == len(ticks) - len(taken)


@pytest.mark.parametrize("capacity", [1, 2])
def test_ticks_of_too_many_streams_push_the_oldest_out(capacity: int) -> None:
    box: Mailbox[str, int] = Mailbox(capacity=capacity)
    for number in range(5):
        box.conflate(str(number), number)
    assert len(box) == capacity
    assert box.counts["dropped"] == 5 - capacity
