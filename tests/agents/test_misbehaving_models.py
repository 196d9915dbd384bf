from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agents.receipts import UNSOURCED
from agents.runtime import Desk
from agents.settings import Settings

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
Scripted = Callable[[Callable[[list[BaseMessage]], AIMessage]], BaseChatModel]
ORDER = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.05}


def _results(messages: list[BaseMessage]) -> list[ToolMessage]:
    """What the tools of this turn answered so far."""
    start = max(at for at, message in enumerate(messages) if isinstance(message, HumanMessage))
    return [message for message in messages[start:] if isinstance(message, ToolMessage)]


def _calls(*calls: tuple[str, dict[str, Any]]) -> AIMessage:
    listed = [{"name": name, "args": args, "id": f"c{at}-{name}"} for at, (name, args) in enumerate(calls)]
    return AIMessage("", tool_calls=listed)


async def test_an_order_that_nobody_asked_for_is_refused(desk_on: OpenDesk, scripted: Scripted) -> None:
    def propose(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage("Done as you like.") if _results(messages) else _calls(("propose_order", ORDER))

    async with desk_on(model=scripted(propose)) as desk:
        result = await desk.ask(None, "How does BTC look?", "ada")

        assert result.tickets == []
        assert desk.ledger.tickets("ada") == ()
        assert "No order was prepared: this message does not ask for one." in result.reply


async def test_a_ticket_says_where_the_model_and_the_words_differ_and_needs_that_resolved(
    desk_on: OpenDesk, scripted: Scripted
) -> None:
    def propose(messages: list[BaseMessage]) -> AIMessage:
        wrong = {**ORDER, "side": "sell" if "sell" in messages[-1].text else "buy", "quantity": 0.1}
        return AIMessage("Here it is.") if _results(messages) else _calls(("propose_order", wrong))

    async with desk_on(model=scripted(propose)) as desk:
        result = await desk.ask(None, "buy 0.05 btc", "ada")
        ticket = result.tickets[0]

        assert len(ticket["differences"]) == 1
        assert "0.05" in ticket["differences"][0]
        assert "The two readers differ" in ticket["text"]
        with pytest.raises(Exception, match="does not say what was read"):
            await desk.decide(ticket["id"], "approve", ticket["hash"], "ada", "ada")
        assert desk.ledger.ticket(ticket["id"]).status == "pending"
        outcome = await desk.decide(ticket["id"], "approve", ticket["hash"], "ada", "ada", resolve_differences=True)
        assert outcome.ticket["status"] == "filled"


async def test_the_ticket_is_told_even_when_the_model_does_not(desk_on: OpenDesk, scripted: Scripted) -> None:
    def silent(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage("Fine.") if _results(messages) else _calls(("propose_order", ORDER))

    async with desk_on(model=scripted(silent)) as desk:
        result = await desk.ask(None, "buy 0.05 btc", "ada")

    assert result.reply.startswith("T-1: Buy 0.05 [1] BTC/USDT at market")


@pytest.mark.parametrize(
    "claim",
    [
        "Your order has been placed.",
        "I bought 0.05 BTC for you.",
        "I've just executed it.",
        "Order filled!",
        "The trade was executed at a good price.",
        "Your order is filled.",
    ],
)
async def test_a_model_cannot_say_that_an_order_was_carried_out(
    desk_on: OpenDesk, scripted: Scripted, claim: str
) -> None:
    def claims(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage(f"Good. {claim} Anything else?") if _results(messages) else _calls(("propose_order", ORDER))

    async with desk_on(model=scripted(claims)) as desk:
        result = await desk.ask(None, "buy 0.05 btc", "ada")

    assert claim not in result.reply
    assert "Anything else?" in result.reply
    assert "No order was carried out in this reply" in result.reply


async def test_a_model_may_say_what_was_not_done(desk_on: OpenDesk, scripted: Scripted) -> None:
    words = "Nothing was executed. The order will be placed once you approve it."

    async with desk_on(model=scripted(lambda _: AIMessage(words))) as desk:
        assert (await desk.ask(None, "what now?", "ada")).reply == words


async def test_typed_figures_get_receipts_where_evidence_has_them_and_are_marked_where_not(
    desk_on: OpenDesk, scripted: Scripted
) -> None:
    def types(messages: list[BaseMessage]) -> AIMessage:
        results = _results(messages)
        if not results:
            return _calls(("get_quote", {"symbol": "btc"}))
        last = results[0].artifact["values"]["last"]["text"]
        return AIMessage(f"BTC is at {last}, heading for 123,456 by 2027-01-01.")

    async with desk_on(model=scripted(types)) as desk:
        result = await desk.ask(None, "price of btc?", "ada")

    assert [receipt["source"]["field"] for receipt in result.receipts] == ["last"]
    assert f"123,456 {UNSOURCED} by 2027-01-01" in result.reply


async def test_evidence_is_handed_to_a_model_with_the_names_it_may_refer_to(
    desk_on: OpenDesk, scripted: Scripted
) -> None:
    def refers(messages: list[BaseMessage]) -> AIMessage:
        results = _results(messages)
        if not results:
            return _calls(("get_quote", {"symbol": "btc"}))
        assert "{quote-1.last} = " in results[0].text
        return AIMessage("At {quote-1.last}.")

    async with desk_on(model=scripted(refers)) as desk:
        result = await desk.ask(None, "price of btc?", "ada")

    assert result.reply.endswith("[1].\n\n*Simulated market.*")


async def test_an_unknown_tool_and_broken_arguments_come_back_as_errors_to_correct(
    desk_on: OpenDesk, scripted: Scripted
) -> None:
    seen: list[ToolMessage] = []

    def learns(messages: list[BaseMessage]) -> AIMessage:
        seen[:] = _results(messages)
        if not seen:
            return _calls(
                ("approve_ticket", {"id": "T-1"}), ("get_quote", {}), ("propose_order", {"symbol": "BTC/USDT"})
            )
        if len(seen) == 3:
            return _calls(("get_quote", {"symbol": "eth"}))
        return AIMessage(f"ETH is at {{{seen[-1].artifact['id']}.last}}.")

    async with desk_on(model=scripted(learns)) as desk:
        result = await desk.ask(None, "price of eth?", "ada")

    assert [message.status for message in seen] == ["error", "error", "error", "success"]
    assert "There is no tool 'approve_ticket'" in seen[0].text
    assert "symbol" in seen[1].text
    assert [receipt["source"]["symbol"] for receipt in result.receipts] == ["ETH/USDT"]


async def test_arguments_that_are_not_json_come_back_as_an_error(desk_on: OpenDesk, scripted: Scripted) -> None:
    def garbles(messages: list[BaseMessage]) -> AIMessage:
        results = _results(messages)
        if results:
            return AIMessage(results[0].text)
        broken = {"name": "get_quote", "args": "{symbol:", "id": "c1", "error": "bad", "type": "invalid_tool_call"}
        return AIMessage("", invalid_tool_calls=[broken])

    async with desk_on(model=scripted(garbles)) as desk:
        result = await desk.ask(None, "price of eth?", "ada")

    assert "not valid JSON" in result.reply


async def test_a_model_that_never_stops_calling_tools_is_stopped_and_what_was_found_is_told(
    desk_on: OpenDesk, scripted: Scripted, settings: Settings
) -> None:
    endless = scripted(lambda messages: _calls(("get_quote", {"symbol": ["btc", "eth"][len(messages) % 2]})))

    async with desk_on(model=endless, settings=settings.model_copy(update={"turn_model_calls": 4})) as desk:
        result = await desk.ask(None, "price of btc?", "ada")

    assert result.status == "completed"
    assert result.reply.startswith("I stopped here: the limit of 4 model calls in a turn is reached")
    assert "BTC/USDT trades at" in result.reply
    assert result.usage["model_calls"] == 4


async def test_the_recursion_limit_ends_a_turn_with_a_clear_error(
    desk_on: OpenDesk, scripted: Scripted, settings: Settings
) -> None:
    endless = scripted(lambda _: _calls(("get_quote", {"symbol": "btc"})))
    tight = settings.model_copy(update={"turn_model_calls": 50, "recursion_limit": 10})

    async with desk_on(model=endless, settings=tight) as desk:
        with pytest.raises(Exception, match="more than 10 steps") as caught:
            await desk.ask("0b9f9e52-6a7b-4f0e-9a51-0d8ff2a9f0aa", "price of btc?", "ada")
        assert "QTP_RECURSION_LIMIT" in str(caught.value)
    async with desk_on() as desk:
        after = await desk.ask("0b9f9e52-6a7b-4f0e-9a51-0d8ff2a9f0aa", "price of eth", "ada")
        assert "ETH/USDT trades at" in after.reply


async def test_a_spent_token_budget_ends_a_turn_with_a_clear_message(
    desk_on: OpenDesk, scripted: Scripted, settings: Settings
) -> None:
    def greedy(_: list[BaseMessage]) -> AIMessage:
        message = _calls(("get_quote", {"symbol": "btc"}))
        usage = {"input_tokens": 900, "output_tokens": 200, "total_tokens": 1100}
        return message.model_copy(update={"usage_metadata": usage})

    tight = settings.model_copy(update={"turn_token_budget": 2000})
    async with desk_on(model=scripted(greedy), settings=tight) as desk:
        result = await desk.ask(None, "price of btc?", "ada")

    assert "the budget of 2,000" in result.reply
    assert (result.usage["input_tokens"], result.usage["output_tokens"], result.usage["model_calls"]) == (1800, 400, 2)


async def test_the_same_order_proposed_again_and_again_is_one_ticket(desk_on: OpenDesk, scripted: Scripted) -> None:
    def stutters(messages: list[BaseMessage]) -> AIMessage:
        if len(_results(messages)) < 4:
            return _calls(("propose_order", ORDER), ("propose_order", {**ORDER, "symbol": "btc"}))
        return AIMessage("Here.")

    async with desk_on(model=scripted(stutters)) as desk:
        result = await desk.ask(None, "buy 0.05 btc", "ada")

    assert len(result.tickets) == 1


async def test_an_empty_answer_is_replaced_by_what_was_found(desk_on: OpenDesk, scripted: Scripted) -> None:
    def mute(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage("") if _results(messages) else _calls(("get_quote", {"symbol": "btc"}))

    async with desk_on(model=scripted(mute)) as desk:
        assert "BTC/USDT trades at" in (await desk.ask(None, "price of btc?", "ada")).reply
