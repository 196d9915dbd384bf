"""Changes of an order that waits: "change my BTC limit to 61k", "move the stop of my eth order to 2,900"."""

from __future__ import annotations

from typing import Any, Final

from agents.reading.numbers import as_json_number
from agents.reading.prices import Role, find_roles
from agents.reading.tagging import Tag
from agents.reading.types import ReadingContext, Request
from agents.reading.validity import take_validity
from agents.reading.vocabulary import DOUBT_WORDS, words

TOOL: Final = "propose_replace"
ASK: Final = (
    "Which order, and what of it? Write, for example, `change my BTC limit to 61,000`, `move the stop of my BTC order "
    "to 58,000` or `change my BTC order to 0.2 BTC`."
)
_CHANGING: Final = words("change move raise lower amend modify adjust shift replace update bump")
_ORDERS: Final = words("order limit bid offer ask entry")
_NAMES: Final[dict[Role, str]] = {
    "limit": "price",
    "at": "price",
    "trigger": "price",
    "stop": "stop_loss",
    "stop_loss": "stop_loss",
    "take_profit": "take_profit",
}
_TO: Final = frozenset({"to", "at", "@", "=", ":"})
_ADJUSTING: Final = words("by up down percent more less higher lower")


def changes(tags: list[Tag]) -> bool:
    """True for a clause that changes an order: its verb comes first and an order is what it speaks of."""
    head = _verb_place(tags)
    if head is None or not any(t.kind in {"number", "validity"} for t in tags):
        return False
    said = {t.text for t in tags[head:] if t.kind == "word"}
    return bool(said & _ORDERS or "stop" in said or any(t.kind == "order_id" for t in tags))


def change_request(tags: list[Tag], context: ReadingContext, last_symbol: str | None) -> Request | str | None:
    """The tool call of a change, a question about it, or None where the words are about no order that waits.

    "move the stop to 58k" is about an entry that waits where there is one, and else about what is held.
    """
    named = [t for t in tags if t.kind == "order_id"]
    symbols = list(dict.fromkeys(t.text for t in tags if t.kind == "symbol"))
    said = {t.text for t in tags if t.kind == "word"}
    open_in = list(dict.fromkeys(symbol for symbol, _ in context.open_entries))
    held = {symbol for symbol, _ in context.holdings} | set(context.positions)
    if not named and not said & _ORDERS and not _waits(symbols, open_in, held, last_symbol):
        return None
    values = _values(tags)
    if values is None or len(named) > 1 or len(symbols) > 1:
        return ASK
    symbol = symbols[0] if symbols else open_in[0] if len(open_in) == 1 else last_symbol
    if named:
        return Request(TOOL, {"order_id": named[0].text, **values})
    return Request(TOOL, {"symbol": symbol, **values}) if symbol else ASK


def _waits(symbols: list[str], open_in: list[str], held: set[str], last_symbol: str | None) -> bool:
    symbol = symbols[0] if symbols else last_symbol if last_symbol in open_in else None
    wanted = [symbol] if symbol else open_in
    return len(wanted) == 1 and wanted[0] in open_in and wanted[0] not in held


def _values(tags: list[Tag]) -> dict[str, Any] | None:
    """What is to change, and to what; None where that is not certain."""
    rest, validity = take_validity(tags)
    head = _verb_place(rest) or 0
    body = rest[head + 1 :]
    if any(t.text in (DOUBT_WORDS - _CHANGING) | _ADJUSTING for t in body if t.kind == "word") or validity.is_unclear:
        return None
    if any(t.kind in {"fraction", "timeframe", "clock"} for t in body):
        return None
    roles = find_roles(body)
    own_stop = any(t.text == "stop" and _is_the_order(body, at) for at, t in enumerate(body))
    found: list[tuple[str, Tag]] = []
    for role, number in roles.priced:
        name = _NAMES.get(role)
        if name is None:
            return None
        found.append(("price" if role == "stop" and own_stop else name, number))
    left = [*roles.quantities, *roles.free]
    if left and roles.unfilled:
        # "the stop of my btc order to 58k": what was named first is what the number is for.
        name = _NAMES.get(roles.unfilled[0]) if len(left) == len(roles.unfilled) == 1 else None
        if name is None or _is_coins(body, left[0]):
            return None
        found.append(("price" if roles.unfilled[0] == "stop" and own_stop else name, left[0]))
    else:
        found += [("quantity" if _is_coins(body, number) else "price", number) for number in left]
    values: dict[str, Any] = {}
    for name, number in found:
        money = number.unit == "quote" and name != "quantity"
        if name in values or number.value is None or number.value <= 0 or not (money or number.unit in {"", "base"}):
            return None
        values[name] = as_json_number(number.value)
    if roles.at_market or (found and not any(t.text in _TO for t in body)) or (roles.unfilled and not found):
        return None
    if validity.force is not None:
        values["time_in_force"] = validity.force
    if validity.good_till is not None:
        values["good_till"] = validity.good_till
    return values or None


def _is_the_order(tags: list[Tag], at: int) -> bool:
    """ "my buy stop", "the stop order": the stop is the order itself."""
    before = tags[at - 1].text if at else ""
    after = tags[at + 1].text if at + 1 < len(tags) else ""
    return before in {"buy", "sell"} or after in {"order", "entry"}


def _is_coins(tags: list[Tag], number: Tag) -> bool:
    """ "to 0.2 btc", "to 3 coins": a number that its coin follows, or that counts coins."""
    if number.unit == "base":
        return True
    place = next(at for at, tag in enumerate(tags) if tag is number)
    return place + 1 < len(tags) and tags[place + 1].kind == "symbol"


def _verb_place(tags: list[Tag]) -> int | None:
    """Where the verb of a change is: first, or behind "please", "can you" and the like."""
    for place, tag in enumerate(tags[:5]):
        if tag.text in _CHANGING:
            return place
        if tag.kind != "word" or tag.text not in _BEFORE:
            return None
    return None


_BEFORE: Final = words("please pls can could will would you and then now also i want to i'd like just")
