from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.figures import figures, parse_figure, pieces
from agents.receipts import UNSOURCED, Rendered, qualified, render
from agents.state import EvidenceRecord, record_evidence
from engines.domain.evidence import Evidence, EvidenceValue

MARKER = re.compile(r"\[(\d+)\](?!\()")


def _cipher(number: int = 1, **values: tuple[Any, str, str]) -> EvidenceRecord:
    evidence = Evidence(
        kind="cipher",
        tool="analyze_cipher",
        arguments={"symbol": "BTC/USDT", "timeframe": "4h"},
        symbol="BTC/USDT",
        timeframe="4h",
        as_of="2026-11-22T16:00:00+00:00",
        market="demo",
        simulated=True,
        headline="BTC/USDT leans up ({score}).",
        brief="wt2 {wt2}",
        values={
            name: EvidenceValue(value=value, unit=unit, text=text, label=name)  # type: ignore[arg-type]
            for name, (value, unit, text) in values.items()
        },
        parameters={"os_level": -53, "channel_length": 9, "source": "hlc3", "strict": True},
    )
    return record_evidence(evidence, number=number, tool_call_id=f"call-{number}", turn="t")


PANEL = _cipher(
    wt2=(-38.1987, "points", "-38.2"),
    score=(0.27, "ratio", "+0.3"),
    close=("64120.34", "price", "64,120.34"),
    away=(-1.2345, "percent", "1.2 %"),
    knowable=("2026-11-22T08:00:00+00:00", "time", "08:00"),
    trend=("up", "text", "up"),
    missing=(None, "points", "none"),
)


def _rendered(text: str, *user_words: str, evidence: list[EvidenceRecord] | None = None) -> Rendered:
    return render(text, [PANEL] if evidence is None else evidence, user_words=user_words, settings=("0.5 %", "100,000"))


def test_a_reference_becomes_its_figure_and_a_receipt_with_its_source() -> None:
    rendered = _rendered("Wave trend is at {cipher-1.wt2}.")

    assert rendered.text == "Wave trend is at -38.2 [1]."
    assert rendered.plain == "Wave trend is at -38.2."
    (receipt,) = rendered.receipts
    assert (receipt["n"], receipt["text"], receipt["value"], receipt["unit"]) == (1, "-38.2", -38.1987, "points")
    assert receipt["source"] == {
        "evidence": "cipher-1",
        "field": "wt2",
        "tool": "analyze_cipher",
        "tool_call_id": "call-1",
        "arguments": {"symbol": "BTC/USDT", "timeframe": "4h"},
        "symbol": "BTC/USDT",
        "timeframe": "4h",
        "as_of": "2026-11-22T16:00:00+00:00",
        "market": "demo",
        "simulated": True,
        "parameters": {"os_level": -53, "channel_length": 9, "source": "hlc3", "strict": True},
    }


def test_the_same_reference_twice_has_one_receipt() -> None:
    rendered = _rendered("{cipher-1.wt2}, {cipher-1.close}, {cipher-1.wt2}")

    assert rendered.text == "-38.2 [1], 64,120.34 [2], -38.2 [1]"
    assert [receipt["n"] for receipt in rendered.receipts] == [1, 2]


@pytest.mark.parametrize("reference", ["{cipher-9.wt2}", "{cipher-1.nothing}", "{volume-1.poc}", "{nothing}"])
def test_an_unknown_reference_is_shown_as_unsourced(reference: str) -> None:
    rendered = _rendered(f"It is {reference}.")

    assert UNSOURCED in rendered.text
    assert "{" not in rendered.text
    assert rendered.receipts == ()


def test_a_time_or_a_word_from_evidence_is_filled_in_without_a_receipt() -> None:
    assert _rendered("{cipher-1.trend} since {cipher-1.knowable}").text == "up since 08:00"


@pytest.mark.parametrize("draft", ["`{cipher-1.wt2}`", "{{cipher-1.wt2}}", "{ cipher-1.wt2 }", "{wt2}"])
def test_a_reference_is_understood_however_a_model_wraps_it(draft: str) -> None:
    assert _rendered(draft).text == "-38.2 [1]"


def test_a_typed_figure_before_its_own_reference_is_said_once() -> None:
    assert _rendered("wt2 at -38.2 {cipher-1.wt2} now").plain.split() == ["wt2", "at", "-38.2", "now"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("-38.2", "wt2"),
        ("-38", "wt2"),
        ("-38.20", "wt2"),
        ("38.2 below zero", "wt2"),
        ("64,120", "close"),
        ("64120.3", "close"),
        ("64.1k", "close"),
        ("$64,120.34", "close"),
        ("about 64,000", "close"),
        ("1.2 %", "away"),
        ("1.2 percent", "away"),
        ("-1.2%", "away"),
        ("0.3", "score"),
        ("27 %", "score"),
        ("-53", "os_level"),
    ],
)
def test_a_typed_figure_is_matched_to_its_evidence(typed: str, field: str) -> None:
    rendered = _rendered(f"It says {typed} there.")

    assert [receipt["source"]["field"] for receipt in rendered.receipts] == [field]
    assert UNSOURCED not in rendered.text


@pytest.mark.parametrize(
    "typed", ["64,121", "+38.2", "-38.3", "1.2", "43", "65k", "64,000", "1.2M", "38 %", "3", "0.1", "12,345.6"]
)
def test_a_figure_that_no_evidence_holds_is_marked(typed: str) -> None:
    expected = [] if typed != "1.2" else ["away"]

    rendered = _rendered(f"It says {typed} there.")

    assert [receipt["source"]["field"] for receipt in rendered.receipts] == expected
    assert (UNSOURCED in rendered.text) is (expected == [])


def test_figures_without_any_evidence_are_marked_and_the_answer_still_stands() -> None:
    rendered = render("BTC trades at 64,120 and RSI is 41.5.", [])

    assert rendered.text == f"BTC trades at 64,120 {UNSOURCED} and RSI is 41.5 {UNSOURCED}."


@pytest.mark.parametrize(
    "words",
    [
        "at the 16:00 UTC close on 2026-11-22",
        "since 2026-11-22T08:00:00Z",
        "on 22 November 2026 and Nov 3rd",
        "in 2025",
        "the 4h, the 15m and the 1d",
        "valid for 60 s, seen 3 days ago, over 24 hours",
        "ticket T-7, limits v3, wt2 and EMA200",
        "1. first\n2. second\n  3) third\n## 4. fourth",
        "the 2nd time",
        "about `x = 5` and ```\nprint(64120)\n``` here",
        "see https://example.org/a/123?b=4.5 for it",
        "order qtp-91ab22 is known",
    ],
)
def test_dates_times_spans_labels_lists_code_and_addresses_are_no_figures(words: str) -> None:
    rendered = _rendered(words)

    assert rendered.text == words
    assert rendered.receipts == ()


def test_the_persons_own_figures_and_the_desks_settings_need_no_source() -> None:
    rendered = _rendered("You asked for 0.1 BTC with a stop at 62,000; it may move 0.5 %.", "buy 0.1 btc, stop 62k")

    assert UNSOURCED not in rendered.text
    assert rendered.receipts == ()


def test_a_settings_figure_counts_only_in_its_own_unit() -> None:
    assert UNSOURCED in _rendered("The price is 0.5 now.", evidence=[]).text


def test_the_newest_of_two_equal_measurements_is_the_source() -> None:
    rendered = _rendered("-38.2", evidence=[PANEL, _cipher(2, wt2=(-38.2, "points", "-38.2"))])

    assert rendered.receipts[0]["source"]["evidence"] == "cipher-2"


def test_a_marker_typed_by_a_model_is_dropped() -> None:
    rendered = _rendered("up [7], but [a link](http://x.y) stays")

    assert rendered.text == "up , but [a link](http://x.y) stays"


def test_an_evidences_own_wording_points_at_that_evidence() -> None:
    assert qualified("at {wt2}, {close}", "cipher-4") == "at {cipher-4.wt2}, {cipher-4.close}"


def test_a_figure_is_read_with_its_sign_scale_and_percent() -> None:
    read = parse_figure("-62.5k")
    assert (read.value, read.step, read.signed, read.percent) == (Decimal(-62500), Decimal(100), True, False)
    assert [figure.value for figure in figures("63,210-66,480")] == [Decimal(63210), Decimal(66480)]


_PROSE = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "{cipher-1.wt2}",
                "{cipher-1.close}",
                "{cipher-7.x}",
                "`code 12`",
                "```\n99\n```",
                "https://a.b/3",
                "[4]",
                "T-7",
                "1.2 %",
                "-38.2",
                "\n3. ",
                "{",
                "}",
                "`",
            ]
        ),
        st.decimals(allow_nan=False, allow_infinity=False).map(str),
        st.text(max_size=12),
    ),
    max_size=12,
).map(" ".join)


@given(_PROSE)
def test_pieces_joined_again_are_the_text(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text


@given(_PROSE)
def test_any_text_renders_and_every_receipt_is_marked_where_it_is_used(text: str) -> None:
    rendered = _rendered(text)

    assert [receipt["n"] for receipt in rendered.receipts] == list(range(1, len(rendered.receipts) + 1))
    shown = {int(number) for number in MARKER.findall(rendered.text)}
    assert {receipt["n"] for receipt in rendered.receipts} <= shown


@given(st.text(alphabet=st.characters(exclude_categories=["N"], exclude_characters="{}[]*"), max_size=200))
def test_a_text_without_figures_and_references_stays_as_it_is(text: str) -> None:
    rendered = _rendered(text)

    assert rendered.text == text
    assert rendered.receipts == ()


@given(st.decimals(min_value="0.001", max_value=10**7, places=4))
def test_the_text_of_a_measured_value_is_always_recognised(value: Decimal) -> None:
    panel = _cipher(price=(str(value), "price", f"{value:,.4f}"))

    rendered = _rendered(f"Price {value:,.4f} now", evidence=[panel])

    assert [receipt["source"]["field"] for receipt in rendered.receipts] == ["price"]


@pytest.mark.parametrize("unit", ["- ", "-", "1,111,", "{", "`", "*_#>-", "about ", "1.", "[1]", "T-1", "~"])
def test_no_text_takes_long_to_render(unit: str) -> None:
    started = time.perf_counter()
    _rendered(unit * (20_000 // len(unit)))

    assert time.perf_counter() - started < 5
