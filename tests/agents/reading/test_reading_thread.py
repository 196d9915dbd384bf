"""The context of a message is replayed from the thread's messages alone."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agents.reading import ALL_TOOLS, ReadingContext, context_from_messages, read

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def context_of(*messages: BaseMessage) -> ReadingContext:
    return context_from_messages(messages, symbols=SYMBOLS, tools=ALL_TOOLS)


def call(tool: str, **args: Any) -> list[BaseMessage]:
    calls = [{"name": tool, "args": args, "id": "call-1", "type": "tool_call"}]
    return [AIMessage("", tool_calls=calls), ToolMessage("done", tool_call_id="call-1"), AIMessage("Done.")]


def test_the_last_market_timeframe_and_tool_are_remembered() -> None:
    context = context_of(HumanMessage("cipher btc 4h"), AIMessage("..."), HumanMessage("and eth?"))
    assert (context.last_symbol, context.last_timeframe, context.last_tool) == ("BTC/USDT", "4h", "analyze_cipher")


def test_tool_calls_that_were_made_outweigh_the_reading() -> None:
    made = call("analyze_volume_profile", symbol="SOL/USDT", timeframe="1d")
    context = context_of(HumanMessage("und wie sieht es bei solana aus?"), *made, HumanMessage("und bitcoin?"))
    assert (context.last_symbol, context.last_timeframe) == ("SOL/USDT", "1d")


def test_an_order_waits_for_its_answer_over_two_looks_at_the_market() -> None:
    messages: list[BaseMessage] = [HumanMessage("buy btc"), AIMessage("How much?")]
    for question in ("price?", "how does it look on the 4h?"):
        messages += [HumanMessage(question), AIMessage("...")]
    args = read("0.02", context_of(*messages, HumanMessage("0.02"))).requests[0].args
    assert (args["side"], args["symbol"], args["quantity"]) == ("buy", "BTC/USDT", 0.02)
    messages += [HumanMessage("price of eth"), AIMessage("...")]
    assert read("0.02", context_of(*messages, HumanMessage("0.02"))).requests == ()


def test_an_order_that_was_dropped_or_made_does_not_wait_any_longer() -> None:
    dropped = context_of(HumanMessage("buy btc"), AIMessage("How much?"), HumanMessage("never mind"), HumanMessage("1"))
    assert dropped.pending_order is None
    proposal = call("propose_order", symbol="BTC/USDT", side="buy", quantity=1, unit="base", order_type="market")
    made = context_of(HumanMessage("buy btc"), AIMessage("How much?"), HumanMessage("1"), *proposal, HumanMessage("2"))
    assert made.pending_order is None


def test_an_answer_that_contradicts_the_order_is_asked_about() -> None:
    reading = read("0.5 eth", context_of(HumanMessage("buy btc"), AIMessage("How much?"), HumanMessage("0.5 eth")))
    assert reading.requests == ()
    assert "differs" in (reading.question or "")


def test_answers_complete_one_gap_after_another() -> None:
    first = [HumanMessage("limit buy"), AIMessage("Which market?"), HumanMessage("eth"), AIMessage("How much?")]
    second = [*first, HumanMessage("2"), AIMessage("At which price?"), HumanMessage("2,000")]
    args = read("2,000", context_of(*second)).requests[0].args
    assert args == {
        "symbol": "ETH/USDT",
        "side": "buy",
        "quantity": 2,
        "unit": "base",
        "order_type": "limit",
        "limit_price": 2000,
    }


def test_a_large_bare_number_is_no_answer_to_how_much() -> None:
    reading = read("500", context_of(HumanMessage("buy eth"), AIMessage("How much?"), HumanMessage("500")))
    assert reading.question == "`500` of what? Write `500 ETH` or `500 USDT`; a price is written with `at`."
    thread = [HumanMessage("buy eth"), AIMessage("How much?"), HumanMessage("500"), AIMessage("`500` of what?")]
    args = read("500 usdt", context_of(*thread, HumanMessage("500 usdt"))).requests[0].args
    assert (args["quantity"], args["unit"]) == (500, "quote")


def test_a_missing_stop_is_completed_by_its_price() -> None:
    thread = [HumanMessage("buy 0.1 btc with a stop and a target"), AIMessage("..."), HumanMessage("58k")]
    assert "take-profit" in (read("58k", context_of(*thread)).question or "")
    args = read("70k", context_of(*thread, AIMessage("..."), HumanMessage("70k"))).requests[0].args
    assert (args["stop_loss"], args["take_profit"]) == (58_000, 70_000)


def test_an_answer_may_be_a_part_of_the_position() -> None:
    context = context_of(HumanMessage("sell my eth"), AIMessage("How much?"), HumanMessage("half"))
    assert read("half", context).requests[0].args == {"symbol": "ETH/USDT", "fraction": 0.5}


def test_facts_of_the_desk_come_with_the_system_message() -> None:
    facts = {
        "pending_tickets": [{"label": "T-7", "text": "buy 0.1 BTC/USD"}],
        "symbols": ["BTC/USD"],
        "quote_currency": "USD",
        "positions": ["BTC/USD"],
    }
    system = SystemMessage("You are a desk.", additional_kwargs={"desk": facts})
    context = context_of(system, HumanMessage("buy 1 btc"))
    assert context.pending_tickets == (("T-7", "buy 0.1 BTC/USD"),)
    assert (context.symbols, context.quote_currency, context.positions) == (("BTC/USD",), "USD", ("BTC/USD",))


def test_only_the_newest_turns_are_replayed() -> None:
    messages: list[BaseMessage] = [HumanMessage("cipher btc 4h")]
    messages += [HumanMessage("hello") for _ in range(20)]
    assert context_of(*messages, HumanMessage("and the 1d?")).last_symbol is None


def test_messages_made_of_parts_are_read_as_their_text() -> None:
    parts: list[str | dict[Any, Any]] = ["cipher", {"type": "text", "text": "btc 4h"}, {"type": "image_url"}]
    assert context_of(HumanMessage(parts), HumanMessage("and eth?")).last_symbol == "BTC/USDT"
