"""From a proposal to a sealed ticket. Deterministic: a model's influence ends at the arguments it proposed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, ValidationError

from agents.nodes.events import emit, emit_step
from agents.nodes.intents import intent_of
from agents.nodes.results import failed, recorded
from agents.nodes.specialists import invalid_arguments
from agents.reading import context_from_messages
from agents.second_reader import asked_for_order, compare, quoted_words
from agents.services import Services
from agents.state import EvidenceRecord, OrderTask
from engines.errors import InvalidRequest, QuantumTraderError
from tools.orders import SCHEMAS


def make_order_desk(services: Services) -> Callable[[OrderTask, RunnableConfig], Awaitable[dict[str, Any]]]:
    """The node that checks one proposal against the person's own words and seals it."""

    async def order_desk(task: OrderTask, config: RunnableConfig) -> dict[str, Any]:
        call = task["call"]
        emit_step("order_desk", str(call["args"].get("symbol") or ""))
        thread_id = str(config["configurable"]["thread_id"])
        try:
            arguments = SCHEMAS[call["name"]].model_validate(call["args"])
            plain, record = await asyncio.to_thread(_seal, services, task, arguments, thread_id)
        except ValidationError as error:
            return await failed(task, invalid_arguments(error), services.market)
        except QuantumTraderError as error:
            return await failed(task, error, services.market)
        emit("ticket", plain)
        return recorded(task, record)

    return order_desk


def _seal(
    services: Services, task: OrderTask, arguments: BaseModel, thread_id: str
) -> tuple[dict[str, Any], EvidenceRecord]:
    call, words = task["call"], task["user_words"]
    context = context_from_messages(task["talk"], **_reading_facts(services, task["owner"]))
    if not asked_for_order(words, context):
        raise InvalidRequest(
            "No order was prepared: this message does not ask for one.",
            remedy="Say what to buy, sell, close or cancel, and how much.",
        )
    differences = compare(words, call["name"], call["args"], context)
    intent = intent_of(
        arguments,
        services,
        owner=task["owner"],
        thread_id=thread_id,
        words=quoted_words(words, context),
        differences=differences,
    )
    ticket = services.seal(intent, task["owner"])
    _, record = services.ticket_record(ticket, tool_call_id=call["id"], turn=task["turn"])
    return services.ticket_json(ticket), record


def _reading_facts(services: Services, owner: str) -> dict[str, Any]:
    return {
        "symbols": services.symbols(),
        "quote_currency": services.quote_currency,
        "tools": frozenset(SCHEMAS),
        "positions": tuple(services.holdings(owner)),
        "open_entries": services.open_entries(owner),
        "now": services.clock.now(),
    }
