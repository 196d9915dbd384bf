"""The offline model through the interface every model has."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from agents.offline import OfflineChatModel
from engines.domain.evidence import Evidence, EvidenceValue
from engines.errors import VenueUnavailable


@tool
def analyze_cipher(symbol: str, timeframe: str) -> str:
    """Read the panel."""
    return f"{symbol} {timeframe}"


@tool
def propose_order(symbol: str, side: str, quantity: float) -> str:
    """Propose an order."""
    return f"{side} {quantity} {symbol}"


def model() -> Any:
    return OfflineChatModel(symbols=lambda: ("BTC/USDT", "ETH/USDT")).bind_tools([analyze_cipher, propose_order])


def evidence(identity: str, kind: str, timeframe: str = "4h", **values: float) -> dict[str, Any]:
    return Evidence(
        kind=kind,
        tool="analyze_cipher",
        arguments={},
        symbol="BTC/USDT",
        timeframe=timeframe,
        as_of="2026-11-22T16:00:00+00:00",
        market="demo",
        simulated=True,
        headline=f"{identity}: {{close}} at the close.",
        brief="For: {close}. Not a value: {other}.",
        values={name: EvidenceValue(v, "points", str(v), name) for name, v in {"close": 64_120.0, **values}.items()},
        id=identity,
    ).to_plain()


def results(question: str, *artifacts: dict[str, Any] | None, status: str = "success") -> list[BaseMessage]:
    asked = HumanMessage(question)
    calls = model().invoke([asked]).tool_calls
    messages: list[BaseMessage] = [asked, AIMessage("", tool_calls=calls)]
    for made, artifact in zip(calls, artifacts, strict=True):
        content = "There is no BTCC/USDT. Nearest: BTC/USDT." if artifact is None else "brief"
        messages.append(ToolMessage(content, tool_call_id=made["id"], artifact=artifact, status=status))
    return messages


def test_words_become_tool_calls() -> None:
    answer = model().invoke([SystemMessage("Anything at all."), HumanMessage("How does BTC look on the 4h?")])
    assert isinstance(answer, AIMessage)
    assert [(c["name"], c["args"]) for c in answer.tool_calls] == [
        ("analyze_cipher", {"symbol": "BTC/USDT", "timeframe": "4h"})
    ]
    assert answer.content == ""
    assert answer.usage_metadata == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}


def test_the_same_thread_gives_the_same_answer_and_a_new_message_new_ids() -> None:
    first = [HumanMessage("cipher btc 4h", id="m-1")]
    again = [*first, model().invoke(first), HumanMessage("cipher btc 4h", id="m-2")]
    assert model().invoke(first).tool_calls == model().invoke(first).tool_calls
    ids = {model().invoke(first).tool_calls[0]["id"], model().invoke(again).tool_calls[0]["id"]}
    assert len(ids) == 2


def test_streaming_gives_the_same_text_and_the_same_calls() -> None:
    for text in ("hello", "cipher btc and eth 4h", "what is POC?"):
        chunks = list(model().stream([HumanMessage(text)]))
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        answer = model().invoke([HumanMessage(text)])
        assert isinstance(whole, AIMessageChunk)
        assert whole.content == answer.content
        assert whole.tool_calls == answer.tool_calls
        assert whole.usage_metadata == answer.usage_metadata


@pytest.mark.anyio
async def test_it_answers_async_callers_too() -> None:
    answer = await model().ainvoke([HumanMessage("cipher btc 4h")])
    assert answer.tool_calls[0]["name"] == "analyze_cipher"
    assert [c async for c in model().astream([HumanMessage("hello")])]


def test_a_tool_that_is_not_bound_is_not_called_but_named() -> None:
    answer = model().invoke([HumanMessage("backtest it")])
    assert answer.tool_calls == []
    assert "cannot run backtests yet" in answer.content


def test_an_open_order_is_asked_about_and_completed_in_the_next_turn() -> None:
    thread: list[BaseMessage] = [HumanMessage("buy btc")]
    thread.append(model().invoke(thread))
    assert thread[-1].content == "How much? For example `0.05 BTC`, `500 USDT` or `2 %` of the account."
    answer = model().invoke([*thread, HumanMessage("0.02")])
    assert [c["args"]["quantity"] for c in answer.tool_calls] == [0.02]


def test_evidence_becomes_text_with_references_to_its_values() -> None:
    answer = model().invoke(results("cipher btc 4h", evidence("cipher-1", "cipher")))
    assert answer.tool_calls == []
    assert answer.content == (
        "cipher-1: {cipher-1.close} at the close.\n\nFor: {cipher-1.close}. Not a value: {other}."
    )


def test_disagreement_between_timeframes_leads_the_answer() -> None:
    rising = evidence("cipher-1", "cipher", "4h", wt1=5.0, wt2=1.0)
    falling = evidence("cipher-2", "cipher", "1d", wt1=-5.0, wt2=-1.0)
    lines = model().invoke(results("cipher btc 4h and 1d", rising, falling)).content.split("\n")
    assert lines[0] == "The evidence on BTC/USDT disagrees: momentum 4h leans up, momentum 1d leans down."
    assert lines[1:3] == ["cipher-1: {cipher-1.close} at the close.", "cipher-2: {cipher-2.close} at the close."]


def test_each_of_several_briefs_says_what_it_is_about_and_the_market_is_labelled_once() -> None:
    both = [evidence("cipher-1", "cipher", "4h"), evidence("cipher-2", "cipher", "1d")]
    for item in both:
        item["headline"] += " *Simulated market.*"
    text = model().invoke(results("cipher btc 4h and 1d", *both)).content
    assert text.count("*Simulated market.*") == 1
    assert "**BTC/USDT 4h momentum**\nFor: {cipher-1.close}." in text
    assert "**BTC/USDT 1d momentum**\nFor: {cipher-2.close}." in text


def test_agreement_is_no_news() -> None:
    both = [evidence(f"cipher-{n}", "cipher", wt1=5.0, wt2=1.0) for n in (1, 2)]
    assert "disagrees" not in model().invoke(results("cipher btc 4h and 1d", *both)).content


def test_an_error_is_passed_on_as_it_is() -> None:
    answer = model().invoke(results("cipher btcc 4h", None, status="error"))
    assert answer.content == "There is no BTCC/USDT. Nearest: BTC/USDT."


def test_what_could_not_be_done_closes_the_answer() -> None:
    answer = model().invoke(results("cipher btc 4h, and alert me at 70k", evidence("cipher-1", "cipher")))
    assert answer.content.startswith("cipher-1: {cipher-1.close}")
    assert "Alerts cannot be set on this desk yet" in answer.content.split("\n\n")[-1]


def test_pending_tickets_are_named_when_somebody_approves_in_words() -> None:
    desk = {"pending_tickets": [{"label": "T-7", "text": "buy 0.1 BTC/USDT"}]}
    system = SystemMessage("", additional_kwargs={"desk": desk})
    answer = model().invoke([system, HumanMessage("yes do it")])
    assert answer.tool_calls == []
    assert "T-7 (buy 0.1 BTC/USDT)" in answer.content


def test_a_market_that_does_not_answer_leaves_talk_and_calls_working() -> None:
    def outage() -> tuple[str, ...]:
        raise VenueUnavailable("Kraken does not answer.")

    silent = OfflineChatModel(symbols=outage).bind_tools([analyze_cipher])
    assert "desk" in str(silent.invoke([HumanMessage("hello")]).content)
    assert silent.invoke([HumanMessage("cipher btc 4h")]).tool_calls[0]["args"]["symbol"] == "BTC/USDT"


def test_a_thread_without_a_message_is_answered() -> None:
    assert model().invoke([SystemMessage("You are a desk.")]).content
