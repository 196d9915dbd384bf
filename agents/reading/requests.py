"""Orders in words made into tool calls, and into the orders that wait for an answer."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

from agents.reading.numbers import as_json_number
from agents.reading.tagging import Tag
from agents.reading.types import OrderWords, Request
from agents.reading.vocabulary import STOP_LOSS, words

_STOPS: Final = STOP_LOSS | {"stop"}
_TARGETS: Final = words("tp target targets take-profit")
_ENTRIES: Final = words("buy limit limits bid bids entry entries with")
_PRICES: Final = ("limit_price", "stop_price", "stop_loss", "take_profit")


def is_complete(order: OrderWords) -> bool:
    """True when nothing has to be asked for."""
    return order.missing is None and not order.doubt


def order_request(order: OrderWords) -> Request:
    """The tool call of a complete order."""
    if order.fraction is not None:
        return Request("propose_close", {"symbol": order.symbol, "fraction": _fraction(order)})
    args: dict[str, Any] = {
        "symbol": order.symbol,
        "side": order.side,
        "quantity": as_json_number(order.quantity) if order.quantity is not None else None,
        "unit": order.unit or "base",
        "order_type": order.order_type,
    }
    for name in _PRICES:
        value = getattr(order, name)
        if value is not None:
            args[name] = as_json_number(value)
    if order.stop_atr is not None:
        args["stop_atr"] = as_json_number(order.stop_atr)
    for name in ("time_in_force", "good_till"):
        said = getattr(order, name)
        if said is not None:
            args[name] = said
    return Request("propose_order", args)


def _fraction(order: OrderWords) -> float | int | str:
    value = as_json_number(order.fraction) if order.fraction is not None else 1
    return float(value) if isinstance(value, int) else value


def cancel_request(tags: list[Tag], last_symbol: str | None) -> Request | None:
    """The tool call of a cancellation, or None when it does not say what to cancel."""
    said = {t.text for t in tags if t.kind == "word"}
    for tag in tags:
        if tag.kind == "order_id":
            return Request("propose_cancel", {"order_id": tag.text})
    exits = _exits_named(tags)
    if len(exits) > 1 or (exits and said & _ENTRIES):
        # Two kinds at once, or an entry and its exits: only an id or the whole market names these.
        return None
    only = {"only": exits.pop()} if exits else {}
    for tag in tags:
        if tag.kind == "symbol":
            return Request("propose_cancel", {"symbol": tag.text, **only})
    if said & {"its", "their"} and last_symbol:
        return Request("propose_cancel", {"symbol": last_symbol, **only})
    if only or said & {"all", "everything", "orders", "every"}:
        return Request("propose_cancel", {"scope": "all", **only})
    return None


def _exits_named(tags: list[Tag]) -> set[str]:
    """`stop` for "my stop", "the BTC stop loss"; `target` for "its target", "my take profit"."""
    found = set()
    for place, tag in enumerate(tags):
        if tag.text in _STOPS:
            found.add("stop")
        elif tag.text in _TARGETS or [t.text for t in tags[place : place + 2]] == ["take", "profit"]:
            found.add("target")
    return found


def merge(pending: OrderWords, answer: OrderWords) -> OrderWords | None:
    """The pending order with what an answer adds; None when the answer contradicts what was said."""
    changed: dict[str, Any] = {}
    for field in fields(OrderWords):
        if field.name in {"closes", "order_type", "missing", "doubt", "named", "age", "said"}:
            continue
        old, new = getattr(pending, field.name), getattr(answer, field.name)
        if new is None or new == old:
            continue
        if old is not None:
            return None
        changed[field.name] = new
    named = tuple(dict.fromkeys([*pending.named, *answer.named]))
    kind = answer.order_type if answer.order_type != "market" else pending.order_type
    return replace(pending, **changed, order_type=kind, doubt="", missing=None, named=named, age=0)
