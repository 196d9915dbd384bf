"""The words of one order: side, symbol, quantity, unit, type and prices, each only where the words say it."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from agents.reading import doubts
from agents.reading.prices import Role, Roles, find_roles
from agents.reading.scheduling import put_off_in_order
from agents.reading.sizing import take_sizing
from agents.reading.symbols import Listing
from agents.reading.tagging import Tag
from agents.reading.types import Missing, OrderWords
from agents.reading.validity import take_validity
from agents.reading.verbs import Verb, verb_at, verbs_in
from agents.reading.vocabulary import VOCABULARY

# From here on a bare number behind a symbol is as likely a price or money as a count of coins.
_LARGE: Final = Decimal(100)
_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,9}")
_ALL: Final = frozenset({"all", "everything", "entire", "whole", "full", "100%"})
_ACCOUNT: Final = frozenset({"account", "equity", "portfolio", "capital"})
_HOLDING: Final = frozenset(
    {"position", "positions", "holding", "holdings", "bag", "bags", "it", "stack", "coins", "that"}
)
_BEFORE_SYMBOLS: Final = frozenset(["on", "of", "in", "to", "for", "with", "and", "or", "into", "some", "more", "&"])
_SPENDING: Final = frozenset({"spend", "invest", "put", "allocate", "for", "with", "worth"})


def read_order(tags: list[Tag], listing: Listing, *, verb: Verb | None, last_symbol: str | None) -> OrderWords:
    """Read one order clause.

    Args:
        tags: the clause.
        listing: the market's symbols.
        verb: the verb of an earlier clause that this one continues ("buy 1 btc and 2 eth"), or None.
        last_symbol: what "it" and a bare quantity refer to, or None.
    """
    tags, validity = take_validity(tags)
    tags, sizing = take_sizing(tags)
    verbs = verbs_in(tags)
    kinds = {v for _, v in verbs} or ({verb} if verb else set())
    symbol, symbol_doubt = _symbol(tags, listing)
    order = OrderWords(symbol=symbol, doubt=symbol_doubt)
    if len(kinds) > 1:
        return replace(order, doubt=doubts.BOTH_SIDES)
    if kinds:
        kind = next(iter(kinds))
        order = replace(order, side="buy" if kind == "buy" else "sell", closes=kind == "close")
    elif sizing.amount is not None:
        # Spot: only a purchase puts money at risk.
        order = replace(order, side="buy")
    order = replace(order, quantity=sizing.amount, unit=sizing.unit, stop_atr=sizing.stop_atr)
    order = replace(order, time_in_force=validity.force, good_till=validity.good_till)
    if validity.is_unclear:
        unclear = doubts.until_when(validity.unread) if validity.unread else doubts.HOW_LONG
        order = replace(order, doubt=order.doubt or unclear)
    roles = find_roles(tags)
    order = _with_amount(order, tags, roles)
    order = _with_prices(order, tags, roles, verbs)
    if order.symbol is None and last_symbol and not order.doubt and _refers_back(tags):
        order = replace(order, symbol=last_symbol)
    order = _with_quantity(order, roles)
    order = _with_certain_unit(order, tags, listing.quote_currency)
    doubt = (
        doubts.of_protection(tags)
        or put_off_in_order(tags)
        or doubts.in_words(tags, order)
        or order.doubt
        or doubts.in_values(order)
    )
    order = replace(order, doubt=doubt, named=tuple(roles.unfilled))
    return replace(order, missing=first_missing(order))


def first_missing(order: OrderWords) -> Missing | None:
    """The first thing an order still needs, in the order in which it is asked for."""
    if order.side is None:
        return "side"
    if order.symbol is None:
        return "symbol"
    if order.fraction is None and order.quantity is None:
        return "quantity"
    if order.order_type == "limit" and order.limit_price is None:
        return "limit_price"
    if order.order_type == "stop" and order.stop_price is None:
        return "stop_price"
    stop_is_open = order.stop_loss is None and order.stop_atr is None
    by_risk = order.unit in {"risk", "risk_quote"}
    if stop_is_open and (by_risk or ({"stop", "stop_loss"} & set(order.named) and order.order_type != "stop")):
        return "stop_loss"
    if "take_profit" in order.named and order.take_profit is None:
        return "take_profit"
    return None


def _symbol(tags: list[Tag], listing: Listing) -> tuple[str | None, str]:
    """The one symbol of an order; a word nobody knows behind a number is taken for one, so that the market answers."""
    strong = any(t.kind == "symbol" and t.strong for t in tags)
    names: list[str] = []
    for before, t in pairwise([Tag("punct", "", ""), *tags]):
        placed = before.kind == "number" or before.text in _BEFORE_SYMBOLS
        if t.kind == "symbol" and (t.strong or placed or not strong):
            names.append(t.text)
        elif before.kind == "number" and t.kind == "word" and t.text not in VOCABULARY and _NAME.fullmatch(t.text):
            names.append(listing.of_asset(t.text.upper()))
    names = list(dict.fromkeys(names))
    if len(names) > 1:
        return None, doubts.several_symbols(names)
    return (names[0], "") if names else (None, "")


def _refers_back(tags: list[Tag]) -> bool:
    """Only known words: a word nobody knows may be the symbol that was meant."""
    return all(t.kind != "word" or t.text in VOCABULARY or re.fullmatch(r"[0-9]+(st|nd|rd|th)", t.text) for t in tags)


def _with_amount(order: OrderWords, tags: list[Tag], roles: Roles) -> OrderWords:
    """Fractions: of a position, of the account, or of one coin."""
    if order.side is None:
        return order
    for i, t in enumerate(tags):
        if t.kind == "fraction":
            return _fraction(order, tags, i)
        if t.kind == "number" and t.unit == "percent" and t in roles.quantities:
            changed = _percentage(order, tags, i, roles)
            if changed is not None:
                return changed
    words = {t.text for t in tags if t.kind == "word"}
    if words & _ALL:
        return _everything(order, tags, words)
    if order.closes and not roles.quantities and not roles.free:
        partial = any(t.text in {"reduce", "trim", "profit", "profits"} for t in tags)
        return order if partial else replace(order, fraction=Decimal(1))
    return order


def _after(tags: list[Tag], index: int) -> list[Tag]:
    return [t for t in tags[index + 1 : index + 6] if t.text not in {"of", "the", "a", "an"}]


def _fraction(order: OrderWords, tags: list[Tag], index: int) -> OrderWords:
    value = tags[index].value or Decimal(0)
    rest = _after(tags, index)
    following = tags[index + 1].text if index + 1 < len(tags) else ""
    mine = bool(rest) and rest[0].text == "my"
    target = [t for t in rest if t.text != "my"]
    if target and target[0].text in _ACCOUNT and not order.closes:
        return replace(order, quantity=value * 100, unit="percent")
    of_one = following in {"a", "an"} or [t.text for t in tags[index + 1 : index + 3]] in (["of", "a"], ["of", "an"])
    if target and target[0].kind == "symbol" and of_one:
        return replace(order, quantity=value, unit="base")
    if order.side == "sell":
        held = mine or following == "of" or (bool(target) and target[0].text in _HOLDING)
        if order.closes or held or not target:
            return replace(order, fraction=value) if not _is_money(target) else replace(order, doubt=doubts.OF_WHAT)
        return replace(order, doubt=doubts.OF_WHAT)
    if target and target[0].kind == "symbol" and not mine and following != "of":
        return replace(order, quantity=value, unit="base")
    return replace(order, doubt=doubts.OF_WHAT)


def _is_money(target: list[Tag]) -> bool:
    return bool(target) and target[0].text in {"cash", "usdt", "usd", "money", "funds", "balance", "dollars"}


def _percentage(order: OrderWords, tags: list[Tag], index: int, roles: Roles) -> OrderWords | None:
    rest = _after(tags, index)
    following = tags[index + 1].text if index + 1 < len(tags) else ""
    target = [t for t in rest if t.text != "my"]
    value = tags[index].value
    if value is None:
        return None
    if order.side == "buy":
        return None if not _is_money(target) else replace(order, doubt=doubts.OF_WHAT)
    if target and target[0].text in _ACCOUNT:
        return None
    held = following == "of" or "my" in {t.text for t in rest[:1]} or (target and target[0].text in _HOLDING)
    mine = any(t.text == "my" for t in tags)
    if order.closes or held or mine:
        roles.quantities.remove(tags[index])
        return replace(order, fraction=value / 100)
    return replace(order, doubt=doubts.OF_WHAT)


def _everything(order: OrderWords, tags: list[Tag], words: set[str]) -> OrderWords:
    if order.side == "sell":
        if any(t.kind == "number" and t.unit != "percent" for t in tags):
            return order
        return replace(order, fraction=Decimal(1))
    if words & _ACCOUNT:
        return replace(order, quantity=Decimal(100), unit="percent")
    if {"all", "entire", "whole"} & words:
        return replace(order, doubt=doubts.OF_WHAT) if not any(t.kind == "number" for t in tags) else order
    return order


def _with_certain_unit(order: OrderWords, tags: list[Tag], quote_currency: str) -> OrderWords:
    """ "invest 1000 in eth" and "eth for 500" leave open whether coins or money are meant."""
    if order.doubt or order.quantity is None:
        return order
    quote = (order.symbol or "").partition("/")[2]
    if order.unit == "quote" and quote and quote != quote_currency and not quote[:3] == quote_currency[:3] == "USD":
        return replace(order, doubt=doubts.money(f"{order.quantity} {quote_currency}"))
    for i, t in enumerate(tags):
        if t.kind != "number" or t.unit or t.value != order.quantity:
            continue
        before, after = (tags[i - 1].text if i else ""), (tags[i + 1].text if i + 1 < len(tags) else "")
        spent = before in _SPENDING or after in {
            "in",
            "into",
            "on",
            "of",
            "worth",
        }
        if spent and not (i + 1 < len(tags) and tags[i + 1].kind == "symbol"):
            return replace(order, doubt=doubts.of_what(t.raw, order.symbol))
    return order


def _stop_order(tags: list[Tag], verbs: list[tuple[int, Verb]]) -> bool:
    """ "sell stop", "stop buy", "stop order": the stop is the order itself, not its protection."""
    texts = [t.text for t in tags]
    for i, text in enumerate(texts):
        if text != "stop" or texts[i + 1 : i + 2] in (["loss"], ["-"]):
            continue
        if texts[i + 1 : i + 2] in (["order"], ["entry"], ["market"]):
            return True
        if any(place in {i - 1, i + 1} and verb_at(tags, place) is not None for place, _ in verbs):
            return True
    return False


def _with_prices(order: OrderWords, tags: list[Tag], roles: Roles, verbs: list[tuple[int, Verb]]) -> OrderWords:
    stop_order = _stop_order(tags, verbs)
    found: dict[str, Tag] = {}
    for role, number in roles.priced:
        name = _price_name(role, order, stop_order=stop_order, tags=tags)
        if name == "for":
            (roles.quantities if number.unit else roles.free).append(number)
        elif name is None:
            return replace(order, doubt=order.doubt or doubts.which_stop(number.raw))
        elif name in found:
            return replace(order, doubt=order.doubt or doubts.two_numbers(found[name].raw, number.raw))
        elif number.unit in {"percent", "other"}:
            return replace(order, doubt=order.doubt or doubts.price_unit(number.raw))
        elif number.value is None:
            return replace(order, doubt=order.doubt or doubts.number(number.raw))
        else:
            found[name] = number
    prices: dict[str, Any] = {name: number.value for name, number in found.items()}
    kind: Any = "stop" if stop_order else "limit" if "limit_price" in prices or "limit" in roles.unfilled else "market"
    if not stop_order and "stop_price" in prices:
        kind = "stop"
    doubt = order.doubt
    if kind == "stop" and ("limit_price" in prices or "limit" in roles.unfilled):
        doubt = doubt or doubts.STOP_LIMIT
    if roles.at_market and kind != "market" and not (stop_order and "limit_price" not in prices):
        doubt = doubt or doubts.MARKET_AND_PRICE
    if roles.at_nothing and kind == "market" and not roles.at_market:
        kind = "limit"
    return replace(order, order_type=kind, doubt=doubt, **prices)


def _price_name(role: Role, order: OrderWords, *, stop_order: bool, tags: list[Tag]) -> str | None:
    if role in {"stop_loss", "take_profit", "for"}:
        return role
    if role == "trigger":
        return "stop_price"
    if role in {"limit", "at"}:
        return "stop_price" if stop_order and role == "at" else "limit_price"
    if stop_order:
        return "stop_price"
    shorting = any(t.text == "short" for t in tags)
    return "stop_loss" if order.side != "sell" or shorting else None


def _with_quantity(order: OrderWords, roles: Roles) -> OrderWords:
    if order.doubt:
        return order
    quantities, free = list(roles.quantities), list(roles.free)
    has_amount = order.fraction is not None or order.quantity is not None
    if not quantities and not has_amount and free:
        quantities = [free.pop(0)] if len(free) == 1 or order.order_type != "market" else []
    if len(free) == 1 and (quantities or has_amount):
        number = free.pop()
        if order.order_type == "limit" and order.limit_price is None and number.value is not None:
            order = replace(order, limit_price=number.value)
        elif order.order_type == "stop" and order.stop_price is None and number.value is not None:
            order = replace(order, stop_price=number.value)
        else:
            free = [number]
    if free or len(quantities) + has_amount > 1:
        first, second = (free + quantities + [None, None])[:2]
        return replace(order, doubt=doubts.two_numbers(first.raw if first else "", second.raw if second else ""))
    if not quantities:
        return order
    number = quantities[0]
    unmarked = number not in roles.quantities and number.value is not None and number.value >= _LARGE
    if unmarked and order.side is not None:
        return replace(order, doubt=doubts.of_what(number.raw, order.symbol))
    if number.value is None:
        return replace(order, quantity=None, doubt=doubts.number(number.raw))
    if number.unit == "other":
        return replace(order, doubt=doubts.money(number.raw))
    order = replace(order, quantity=number.value, unit=number.unit or "base")
    if roles.disputed and order.stop_price is not None and number.value >= order.stop_price:
        return replace(order, doubt=doubts.two_numbers(number.raw, str(order.stop_price)))
    return order
