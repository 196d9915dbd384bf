"""A stop or target for what is held: the order that does it, written so that it can be sent."""

from __future__ import annotations

from typing import Final

from agents.reading import doubts
from agents.reading.numbers import plain
from agents.reading.prices import find_roles
from agents.reading.tagging import Tag
from agents.reading.types import ReadingContext
from agents.reading.vocabulary import words

_MOVING: Final = words("move change raise lower adjust shift trail update")
_ROLES: Final = ("stop", "stop_loss", "trigger", "take_profit")


def protection(tags: list[Tag], context: ReadingContext) -> str:
    """What to write for "set a stop loss at 75000 for my BTC": a sale of its own, with the quantity that is held."""
    role, number = next((role, number) for role, number in find_roles(tags).priced if role in _ROLES)
    if number.unit == "percent":
        return f"{doubts.PERCENT} {doubts.PROTECTION}"
    held = dict(context.holdings)
    named = next((t.text for t in tags if t.kind == "symbol"), None)
    symbol = named or (context.last_symbol if context.last_symbol in held else None)
    symbol = symbol or (next(iter(held)) if len(held) == 1 else None)
    if symbol is None or number.value is None or number.value <= 0 or (held and symbol not in held):
        return doubts.PROTECTION
    base = symbol.partition("/")[0]
    price, quantity = plain(number.value), held.get(symbol, "0.05")
    whole = f", for all {base} you hold" if symbol in held else f", with the quantity of {base} it is for"
    if role == "take_profit":
        return (
            f"A target for what you hold is an order of its own here: write `sell {quantity} {base} at {price}`{whole}."
        )
    moved = f" A stop that rests already stays until `cancel my {base} stop`." if _MOVING & _words(tags) else ""
    order = f"`sell stop {price}, {quantity} {base}`"
    return f"A stop for what you hold is an order of its own here: write {order}{whole}.{moved}"


def _words(tags: list[Tag]) -> set[str]:
    return {t.text for t in tags if t.kind == "word"}
