"""Why a mark is there or not: conditions, values, and the smallest change that would have turned it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import ToolMessage

from engines.cipher import VUMANCHU_A, VUMANCHU_B, compute_panel
from engines.cipher.explain import explainable_events
from engines.domain.clock import ManualClock
from engines.domain.evidence import Evidence
from engines.domain.orders import Order, OrderTicket
from engines.errors import InvalidRequest, NotFound
from engines.market.demo import DemoMarket
from tools.decisions import Denial, quoted
from tools.explaining import explaining_tools
from tools.mark_wording import mark_name
from tools.subjects import read_subject

NOW = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)
REFERENCE = re.compile(r"\{(\w+)\}")
MARKET = DemoMarket(ManualClock(NOW))


class Empty:
    """A journal in which nothing ever happened."""

    def tickets(self, *, limit: int) -> Sequence[OrderTicket]:
        return ()

    def newest_orders(self, *, limit: int) -> Sequence[Order]:
        return ()

    def denials(self, *, limit: int) -> Sequence[Denial]:
        return ()


def call(subject: str, **arguments: Any) -> tuple[str, Evidence]:
    (explain,) = explaining_tools(MARKET, Empty())
    args = {"subject": subject, "symbol": "BTC/USDT", "timeframe": "4h"} | arguments
    message = explain.invoke({"type": "tool_call", "id": "call-1", "name": "explain_decision", "args": args})
    assert isinstance(message, ToolMessage)
    assert isinstance(message.artifact, Evidence)
    return str(message.content), message.artifact


def closes_with(event: str, timeframe: Any = "1h") -> list[datetime]:
    """Closes of the candles of the last weeks that have this mark."""
    candles = MARKET.closed_candles("BTC/USDT", timeframe, count=1_500)
    panel = compute_panel(candles)
    return [candles[: row + 1].as_of for row in np.flatnonzero(panel.flags(event)).tolist() if row > 600]


def test_a_missing_dot_is_answered_with_what_held_what_did_not_and_the_nearest_change() -> None:
    content, evidence = call("why no red dot", timeframe="1h", at="08:00")
    first, held, missing, flip, *_ = content.splitlines()
    assert first == (
        "No red dot on BTC/USDT 1h at the 2026-03-10 08:00 UTC close: two of four conditions held. *Simulated market.*"
    )
    assert held == "Held: wt2 at or above 53 (59.5); the candle was final."
    assert missing.startswith("Did not hold: the waves to cross on this candle, and they did not (wt1 - wt2 was 8.6); ")
    assert re.fullmatch(
        r"With the low 1\.\d % lower \([\d,.]+ instead of 74,125\.90\) the red dot would have printed\.", flip
    )
    assert evidence.as_of == "2026-03-10T08:00:00+00:00"
    assert (evidence.kind, evidence.tool, evidence.timeframe) == ("explain", "explain_decision", "1h")


def test_a_dot_that_is_there_is_explained_as_there_whatever_the_question_assumed() -> None:
    close = closes_with("green_dot")[-1]
    for subject, begin in (
        ("why was there a green dot", "A green dot"),
        ("why no green dot", "There was one: a green dot"),
    ):
        content, _ = call(subject, timeframe="1h", at=close.isoformat())
        assert content.startswith(f"{begin} printed on BTC/USDT 1h at the {close:%Y-%m-%d %H:%M} UTC close: all four ")
        assert "would not have printed." in content or "would have prevented it." in content


def test_a_figure_that_fails_its_condition_never_looks_as_if_it_held() -> None:
    panel = compute_panel(MARKET.closed_candles("BTC/USDT", "1h", count=1_500))
    close = {row: panel.candles[: row + 1].as_of for row in range(600, 1_500)}
    row = min(close, key=lambda row: -panel.vwap[row] if -0.05 < panel.vwap[row] < 0 else math.inf)
    _, evidence = call("why no green dot", timeframe="1h", at=close[row].isoformat())
    (told,) = {value.text for value in evidence.values.values() if value.label.startswith("upward")}
    assert -0.05 < float(told) < 0


def test_one_missing_condition_is_told_as_what_the_mark_needs() -> None:
    level = closes_with("cross_up")
    green = set(closes_with("green_dot"))
    close = next(each for each in reversed(level) if each not in green)
    content, evidence = call("why no green dot", timeframe="1h", at=close.isoformat())
    assert "three of four conditions held" in content
    assert re.search(r"The one that did not: a green dot needs wt2 at or below -53; it was -?[\d.]+\.", content)
    assert evidence.values["t3"].value == -53


def test_a_candle_that_is_still_forming_decides_nothing() -> None:
    content, evidence = call("why no green dot", at="14:00")
    assert content.startswith(
        "The 4h candle that holds 14:00 is still forming, so nothing on it is decided; of the last "
    )
    assert evidence.as_of == "2026-03-10T12:00:00+00:00"


@pytest.mark.parametrize(
    ("at", "close"),
    [
        ("12:00", "2026-03-10T12:00"),
        ("11:59", "2026-03-10T12:00"),
        ("08:01", "2026-03-10T12:00"),
        ("8am", "2026-03-10T08:00"),
        ("16:00", "2026-03-09T16:00"),
        ("yesterday noon", "2026-03-09T12:00"),
        ("monday 08:00", "2026-03-09T08:00"),
        ("9 mar 20:00", "2026-03-09T20:00"),
        ("2026-03-01T10:00Z", "2026-03-01T12:00"),
        ("2026-03-01T12:00+02:00", "2026-03-01T12:00"),
        ("3 candles ago", "2026-03-10T00:00"),
        ("1 candle ago", "2026-03-10T08:00"),
        ("5h ago", "2026-03-10T12:00"),
        ("5 hours ago", "2026-03-10T12:00"),
        ("12:00Z", "2026-03-10T12:00"),
        ("now", "2026-03-10T12:00"),
        ("latest", "2026-03-10T12:00"),
        ("null", "2026-03-10T12:00"),
        ("last closed candle", "2026-03-10T12:00"),
        (None, "2026-03-10T12:00"),
    ],
)
def test_a_time_means_the_candle_that_holds_it_its_close_included(at: str | None, close: str) -> None:
    _, evidence = call("why no gold dot", **({"at": at} if at else {}))
    assert evidence.as_of == f"{close}:00+00:00"


@pytest.mark.parametrize(
    "at", ["tomorrow morning", "25:00", "9/3/2026", "8am est", "31 feb", "soon", "0001-01-01T00:00+14:00"]
)
def test_a_time_that_can_be_read_in_two_ways_is_refused_with_ways_that_work(at: str) -> None:
    with pytest.raises(InvalidRequest, match="yesterday 14:00"):
        call("why no green dot", at=at)


def test_a_price_of_the_pivot_candle_is_told_as_a_person_would() -> None:
    content, evidence = call("why no bullish divergence", timeframe="1h", at="2026-03-09 12:00")
    assert "With the pivot candle's close 0.2 % lower (73,424.00 instead of 73,601.89) the bullish wave " in content
    assert evidence.values["flip_change"].label == "change of the pivot candle's close"
    assert "pivot_" not in REFERENCE.sub("", f"{evidence.headline} {evidence.brief}")


def test_the_future_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="in the future"):
        call("why no green dot", at="2026-03-10 18:00")


def test_of_a_whole_day_it_is_the_candle_with_the_mark_or_the_nearest() -> None:
    days = {close.date() for close in closes_with("green_dot")}
    close = closes_with("green_dot")[-1]
    content, _ = call("why was there a green dot", timeframe="1h", at=f"{close.date()}")
    assert f"at the {close:%Y-%m-%d %H:%M} UTC close: all four conditions held" in content
    bare = next(
        day
        for day in (f"2026-03-0{number}" for number in range(9, 1, -1))
        if datetime.fromisoformat(day).date() not in days
    )
    content, evidence = call("why no green dot", timeframe="1h", at=bare)
    assert content.startswith(
        f"Not on any 1h candle within that time ({bare}); the nearest: no green dot on BTC/USDT 1h at the "
    )
    assert evidence.as_of.startswith(bare) or evidence.as_of[11:16] == "00:00"


def test_without_a_time_a_mark_said_to_be_there_is_the_newest_one() -> None:
    close = closes_with("red_dot")[-1]
    content, evidence = call("why was there a red dot", timeframe="1h")
    assert evidence.as_of == close.isoformat()
    assert content.startswith("Not on the last candle; the newest one: a red dot printed on BTC/USDT 1h")


def test_what_would_have_flipped_it_comes_first_when_it_is_asked() -> None:
    content, _ = call("what would have flipped it: why no red dot", timeframe="1h", at="08:00")
    assert content.startswith("With the low 1.")


@pytest.mark.parametrize("event", [*explainable_events(VUMANCHU_B), *explainable_events(VUMANCHU_A)])
def test_every_mark_is_explained_without_a_typed_figure(event: str) -> None:
    _, evidence = call(event, timeframe="1h")
    wording = f"{evidence.headline}\n{evidence.brief}"
    assert set(REFERENCE.findall(wording)) <= set(evidence.values)
    typed = REFERENCE.sub("", wording).replace("BTC/USDT", "")
    assert re.findall(r"(?<![\w.])\d[\d.,]*(?!\w)", typed) == []
    assert mark_name(event) in wording
    assert Evidence.from_plain(evidence.to_plain()) == evidence


def test_a_mark_without_a_side_is_read_as_the_side_the_waves_are_on() -> None:
    content, _ = call("why no dot")
    assert "red dot" in content
    assert "Read as the red dot" in content


def test_the_same_figures_never_stand_on_both_sides_of_a_threshold_that_was_missed() -> None:
    from tools.mark_wording import _points

    assert _points(-52.96, -53.0) == "-52.96"
    assert _points(-49.6, -53.0) == "-49.6"
    assert _points(-0.0, 0.0) == "0.0"
    assert _points(math.nan, 0.0) == "undefined"


@pytest.mark.parametrize("subject", ["foo", "the weather", "btc"])
def test_what_cannot_be_explained_is_refused_with_examples(subject: str) -> None:
    with pytest.raises(InvalidRequest, match="green dot"):
        call(subject)


def test_unknown_marks_markets_and_timeframes_are_named() -> None:
    with pytest.raises(InvalidRequest, match="purple_dot"):
        call("purple_dot")
    with pytest.raises(NotFound, match="BTCC/USDT"):
        call("green dot", symbol="BTCC/USDT")
    with pytest.raises(InvalidRequest, match="'7m' is not a timeframe"):
        call("green dot", timeframe="7m")
    with pytest.raises(InvalidRequest, match="needs a market"):
        call("green dot", symbol=None)


@pytest.mark.parametrize(
    ("words", "events"),
    [
        ("why no buy dot", ("green_dot",)),
        ("why did the golden circle not fire", ("gold_dot",)),
        ("hidden bearish rsi divergence", ("rsi_hidden_bear_div",)),
        ("no bullish divergence on the stoch", ("stoch_bull_div",)),
        ("second range bull div", ("wt_bull_div2",)),
        ("dump diamond", ("blood_diamond",)),
        ("bearish sommi flag", ("sommi_bear",)),
        ("why no sommi diamond", ("sommi_bull_diamond", "sommi_bear_diamond")),
        ("buy divergence dot", ("buy_div_dot",)),
        ("why did it not cross up", ("cross_up",)),
        ("why was my red order refused", ()),
        ("stoch_hidden_bear_div_zero_truthy", ("stoch_hidden_bear_div_zero_truthy",)),
    ],
)
def test_words_name_the_marks_they_mean(words: str, events: tuple[str, ...]) -> None:
    subject = read_subject(words)
    assert subject.events == events or (not events and subject.kind == "order")


def test_an_account_in_which_nothing_happened_says_so() -> None:
    for subject in ("why was my order denied", "why did my order not fill"):
        with pytest.raises(NotFound, match="in this account"):
            call(subject, symbol=None)
    with pytest.raises(NotFound, match="no ticket T-3"):
        call("why T-3", symbol=None)
    with pytest.raises(NotFound, match="no order 'qtp-abc-1'"):
        call("why was qtp-abc-1 rejected", symbol=None)


def test_figures_of_the_journal_become_values_and_names_stay() -> None:
    values: dict[str, Any] = {}
    told = quoted("5 BTC is about 320,600.50 USDT, 80.2 % over T-3 at 12:00 (limits v3).", "reason", values)
    assert told == "{reason_1} BTC is about {reason_2} USDT, {reason_3} over T-3 at 12:00 (limits v3)."
    assert [values[f"reason_{n}"].value for n in (1, 2, 3)] == ["5", "320600.50", "80.2"]


def test_the_docstring_tells_a_model_what_it_is_for_and_what_not() -> None:
    (explain,) = explaining_tools(MARKET, Empty())
    assert explain.name == "explain_decision"
    assert list(explain.args) == ["subject", "symbol", "timeframe", "at"]
    for words in ("why no green dot", "flipped", "analyze_cipher", "denied"):
        assert words in explain.description


def test_conditions_are_shown_with_the_engines_own_numbers() -> None:
    _, evidence = call("why no red dot", timeframe="1h", at="08:00")
    candles = MARKET.closed_candles("BTC/USDT", "1h", count=1_500, as_of=datetime(2026, 3, 10, 8, tzinfo=UTC))
    panel = compute_panel(candles)
    assert evidence.values["c3"].value == pytest.approx(float(panel.wt2[-1]), abs=1e-9)
    assert evidence.values["close"].value == candles.close[-1]
