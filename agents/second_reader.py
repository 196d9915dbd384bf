"""The second reader: what the person's own words say, read without a model, held against what a model proposed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from agents.reading import OrderWords, Reading, ReadingContext, read
from agents.reading.doubts import is_put_off
from agents.reading.numbers import plain
from agents.reading.talk import speaks_of_trading
from engines.errors import InvalidRequest
from tools.good_till import end_of

_PRICES: Final = {
    "limit_price": "limit price",
    "stop_price": "trigger price",
    "stop_loss": "stop-loss",
    "take_profit": "take-profit",
    "stop_atr": "stop distance in ATR",
}
_UNREAD: Final = "The second reader could not read {what} in your words."


def asked_for_order(user_words: str, context: ReadingContext) -> bool:
    """True when the person asks for an order, a close or a cancellation in this message.

    Negated, supposed and reported orders and consent in words ("yes do it") are not asked for. Answers that complete
    an order of the message before are. In other languages a verb of trading is enough: `compare` then says that the
    order could not be read. Never raises.
    """
    reading = read(user_words, context)
    if reading.asks_for_order:
        return True
    return reading.small_talk in {"language", "unknown", "off_topic"} and speaks_of_trading(user_words)


def compare(user_words: str, tool: str, intent: Mapping[str, Any], context: ReadingContext) -> tuple[str, ...]:
    """Where the person's words, read without a model, differ from the arguments a model gave an order tool.

    Args:
        user_words: the person's own message of this turn.
        tool: `propose_order`, `propose_close`, `propose_cancel` or `propose_replace`.
        intent: the arguments a model gave it.
        context: what the thread knew when the message came.

    Returns:
        One sentence per difference; empty when both readers agree. What cannot be read for certain is a difference
        too. Never raises.
    """
    reading = read(user_words, context)
    if tool == "propose_cancel":
        return _cancel_differences(reading, intent)
    if tool == "propose_replace":
        return _change_differences(reading, intent, context)
    if not reading.orders:
        return (_UNREAD.format(what="an order"),)
    found = [_order_differences(order, tool, intent, context) for order in reading.orders]
    return min(found, key=len)


def quoted_words(user_words: str, context: ReadingContext) -> str:
    """The person's words that an order of this message was read from, the earlier messages it completes included.

    Messages are joined by an ellipsis: `buy btc … 0.02`. Never raises.
    """
    said = max((order.said for order in read(user_words, context).orders), key=len, default=())
    earlier = [" ".join(words.split()) for words in said[:-1]]
    return " … ".join([*earlier, user_words])


def _cancel_differences(reading: Reading, intent: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = [r.args for r in reading.requests if r.tool == "propose_cancel"]
    if not wanted:
        return (_UNREAD.format(what="what to cancel"),)
    given = {name: value for name, value in intent.items() if value not in (None, "")}
    if any(args == given for args in wanted):
        return ()
    return (f"You wrote to cancel {_cancelled(wanted[0])}; the ticket cancels {_cancelled(given)}.",)


def _change_differences(reading: Reading, intent: Mapping[str, Any], context: ReadingContext) -> tuple[str, ...]:
    wanted = [r.args for r in reading.requests if r.tool == "propose_replace"]
    if not wanted:
        return (_UNREAD.format(what="what to change"),)
    given = _changed(intent, context)
    if any(_changed(args, context) == given for args in wanted):
        return ()
    return (f"You wrote to change {_listed(_changed(wanted[0], context))}; the ticket has {_listed(given)}.",)


def _changed(args: Mapping[str, Any], context: ReadingContext) -> dict[str, str]:
    """A change in one form; the market of an order that is named by its id says nothing more."""
    told = {name: value for name, value in args.items() if value not in (None, "")}
    if "order_id" in told:
        told.pop("symbol", None)
    out = {name: str(value) for name, value in told.items()}
    for name in ("price", "quantity", "stop_loss", "take_profit"):
        number = _decimal(told.get(name))
        out |= {name: plain(number)} if number is not None else {}
    if "good_till" in told:
        out["good_till"] = _good(None, told["good_till"], None, context)
    return out


def _listed(change: Mapping[str, str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in sorted(change.items()))


def _cancelled(args: Mapping[str, Any]) -> str:
    if args.get("order_id"):
        return f"order {args['order_id']}"
    what = f"{args['only']}s" if args.get("only") else "orders"
    return f"the {args['symbol']} {what}" if args.get("symbol") else f"all {what}"


def _order_differences(
    order: OrderWords, tool: str, intent: Mapping[str, Any], context: ReadingContext
) -> tuple[str, ...]:
    closing = tool == "propose_close"
    out: list[str] = []
    side = "sell" if closing else intent.get("side")
    if order.side is None:
        out.append(_UNREAD.format(what="the side"))
    elif order.side != side:
        out.append(f"You wrote {order.side}; the ticket says {side}.")
    if order.symbol is None:
        out.append(_UNREAD.format(what="the market"))
    elif order.symbol != intent.get("symbol"):
        out.append(f"You wrote {order.symbol}; the ticket says {intent.get('symbol')}.")
    out += _amount(order, tool, intent, context)
    if closing:
        if order.order_type != "market" or any(getattr(order, name) is not None for name in _PRICES):
            out.append("You wrote a price; the ticket closes at the market.")
        if order.time_in_force is not None or order.good_till is not None:
            out.append("You wrote how long it is good; the ticket closes at the market, at once.")
    else:
        out += _type_and_prices(order, intent, context)
        out += _validity(order, intent, context)
    if is_put_off(order.doubt):
        out.append("You wrote of a later time; the ticket is carried out from its approval on.")
    elif order.doubt and not out:
        out.append(_UNREAD.format(what="the order for certain"))
    return tuple(out)


def _amount(order: OrderWords, tool: str, intent: Mapping[str, Any], context: ReadingContext) -> list[str]:
    given = _stated(tool, intent, context, order.symbol)
    if order.quantity is None and order.fraction is None:
        return [_UNREAD.format(what="the quantity")]
    written = _written(order, context)
    return [] if _same_amount(order, tool, intent) else [f"You wrote {written}; the ticket says {given}."]


def _same_amount(order: OrderWords, tool: str, intent: Mapping[str, Any]) -> bool:
    if tool == "propose_close":
        fraction = _decimal(intent.get("fraction"))
        return order.fraction is not None and fraction is not None and abs(order.fraction - fraction) < Decimal("0.001")
    same_unit = (order.unit or "base") == (intent.get("unit") or "base")
    return order.quantity is not None and same_unit and order.quantity == _decimal(intent.get("quantity"))


def _written(order: OrderWords, context: ReadingContext) -> str:
    if order.fraction is not None:
        return f"{plain(order.fraction * 100)} % of the position"
    return _quantity(order.quantity, order.unit, order.symbol, context)


def _stated(tool: str, intent: Mapping[str, Any], context: ReadingContext, symbol: str | None) -> str:
    if tool == "propose_close":
        fraction = _decimal(intent.get("fraction"))
        return f"{plain(fraction * 100)} % of the position" if fraction is not None else "an unreadable part"
    named = intent.get("symbol") or symbol
    return _quantity(_decimal(intent.get("quantity")), intent.get("unit"), str(named or ""), context)


def _quantity(value: Decimal | None, unit: str | None, symbol: str | None, context: ReadingContext) -> str:
    if value is None:
        return "no quantity"
    base, _, quote = (symbol or "").partition("/")
    money = quote or context.quote_currency
    suffixes = {
        "quote": money,
        "percent": "% of the account",
        "risk": "% of the account at risk",
        "risk_quote": f"{money} at risk",
    }
    suffix = suffixes.get(str(unit), base)
    return f"{plain(value)} {suffix}".strip()


def _type_and_prices(order: OrderWords, intent: Mapping[str, Any], context: ReadingContext) -> list[str]:
    out = []
    kind = intent.get("order_type") or "market"
    if order.order_type != kind:
        out.append(f"You wrote a {order.order_type} order; the ticket is a {kind} order.")
    for name, label in _PRICES.items():
        written, given = getattr(order, name), _decimal(intent.get(name))
        if written == given:
            continue
        if written is None and _answers_silence(name, order):
            out.append(_UNREAD.format(what=f"the {label}"))
        elif written is None and given is not None:
            out.append(f"You wrote no {label}; the ticket says {plain(given)}.")
        elif written is not None:
            stated = plain(given) if given is not None else "none"
            money = "" if name == "stop_atr" else f" {context.quote_currency}"
            out.append(f"You wrote a {label} of {plain(written)}{money}; the ticket says {stated}.")
    return out


def _validity(order: OrderWords, intent: Mapping[str, Any], context: ReadingContext) -> list[str]:
    """How long it is good; a model that says what the type does by itself adds nothing."""
    given = _good(intent.get("time_in_force"), intent.get("good_till"), intent.get("order_type"), context)
    written = _good(order.time_in_force, order.good_till, order.order_type, context)
    unsaid = order.time_in_force is None and order.good_till is None
    if given == written or (unsaid and not intent.get("time_in_force") and not intent.get("good_till")):
        return []
    if unsaid:
        return [f"You wrote nothing about how long it is good; the ticket says {given}."]
    return [f"You wrote that it is {written}; the ticket says {given}."]


def _good(force: Any, good_till: Any, order_type: Any, context: ReadingContext) -> str:
    if good_till:
        if context.now is None:
            return f"good till {good_till}"
        try:
            return f"good till {end_of(str(good_till), context.now):%Y-%m-%d %H:%M} UTC"
        except InvalidRequest:
            return f"good till {good_till}"
    return str(force or ("IOC" if (order_type or "market") == "market" else "GTC"))


def _answers_silence(name: str, order: OrderWords) -> bool:
    """The words name this price without a number that could be read."""
    return name in order.named or (name == "stop_loss" and "stop" in order.named) or order.missing == name


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
