"""Questions about orders whose words can be read in more than one way."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from agents.reading.tagging import Tag
from agents.reading.types import OrderWords
from agents.reading.vocabulary import DOUBT_WORDS, words

BOTH_SIDES: Final = "Buy or sell? The message says both; write one order, for example `buy 0.05 BTC`."
OF_WHAT: Final = (
    "A part of what? Write, for example, `sell half my BTC`, `buy BTC with 5 % of my account`, or the quantity itself."
)
STOP_LIMIT: Final = (
    "Limit or stop? There is no stop-limit order here; write `sell 0.1 BTC limit 70,000` "
    "or `sell stop 58,000, 0.1 BTC`."
)
MARKET_AND_PRICE: Final = "At the market or at a price? The message says both."
NOT_SURE_ORDER: Final = "Is that an order? If so, write it without the question mark, for example `buy 0.05 BTC`."
SAID_BY_OTHERS: Final = "Is that an order of yours? If so, write just the order, for example `buy 0.05 BTC`."
TARGET_ATR: Final = "Only the stop can be a distance in ATR; a target is a price: `stop 2 atr, target 70,000`."
PERCENT: Final = "Limits, stops and targets are prices here, not percent: for example `stop 58,000`."
TRAILING: Final = "There is no trailing stop here; a stop is one price, for example `stop 58,000`. Which price?"
RISKED: Final = (
    "How much may it lose, and where is the stop? For example `buy BTC, risk 1 %, stop 58,000` or `risk 500 USDT on "
    "BTC, stop 2 atr`."
)
PROTECTION: Final = (
    "A stop-loss or take-profit is part of an order (`buy 0.05 BTC, stop 58,000`) or a sale of its own "
    "(`sell stop 58,000, 0.05 BTC`). Which order do you want?"
)
HOW_LONG: Final = (
    "How long is it good? The message says two things; for example `good till friday` or `for today only`."
)
TWICE: Final = "The same order was written twice; it was prepared once. Send it again for a second one."
NEGATED: Final = (
    "Part of that says not to trade, so nothing was prepared. Which order do you want, if any? Write just that one."
)

_AT_ONCE: Final = "Orders are prepared at once, not scheduled or repeated"
_CAN_REST: Final = (
    "What can wait is a limit order (`buy 0.05 BTC at 58,000 good till friday`) or a stop order (`buy stop 65,000, "
    "0.05 BTC`), which rests from its approval on; an order at the market is for when its time has come. What is the "
    "order now?"
)

_PROTECTING: Final = words("stop stops sl stoploss loss target tp profit below above under over")
_VAGUE: Final = words("some couple few several bit little lots")
_LEVERAGE: Final = words(
    "leverage leveraged margin isolated perp perps perpetual perpetuals futures future option options"
)
_TIMING: Final = words(
    "until till after before every each daily weekly monthly hourly later tomorrow "
    "tonight yesterday dca ladder laddered "
    "split scale scaled grid twap monday tuesday wednesday thursday friday saturday sunday midnight noon hours minutes "
    "days weeks eventually soon"
)
_CONDITION: Final = words(
    "if when whenever unless once above below under over reaches hits drops falls rises "
    "breaks dips touches crosses while"
)
_INEXACT: Final = words(
    "or either maybe perhaps possibly about around roughly approximately approx circa "
    "nearly almost less between than least most "
    "max maximum minimum any except minus not no"
)


def several_symbols(symbols: list[str]) -> str:
    """Two symbols in one order."""
    return f"Which one: {' or '.join(symbols[:4])}? Write one symbol and one quantity for each order."


def two_numbers(first: str, second: str) -> str:
    """Two numbers that could both be the quantity."""
    both = f"`{_safe(first)}` and `{_safe(second)}`" if first and second else "the numbers"
    return (
        f"I cannot tell {both} apart. Write the price with `at`, for example `buy 0.05 "
        f"BTC at 58,000`; which is the quantity?"
    )


def number(raw: str) -> str:
    """A number that can be read in two ways, or in none."""
    return f"How much is `{_safe(raw)}`? Please write it like `0.5`, or `1,250` for thousands."


def money(raw: str) -> str:
    """A currency or unit in which this market does not trade."""
    return (
        f"`{_safe(raw)}` is not a unit I can order in. How much in coins, in the market's "
        f"quote currency or in percent of the account?"
    )


def of_what(raw: str, symbol: str | None) -> str:
    """A number without a unit, where an amount of money is as likely as one of coins."""
    base, _, quote = (symbol or "BTC/USDT").partition("/")
    said = _safe(raw)
    return f"`{said}` of what? Write `{said} {base}` or `{said} {quote}`; a price is written with `at`."


def price_unit(raw: str) -> str:
    """A price that is given as a percentage or in another currency."""
    return f"Which price is `{_safe(raw)}`? I take stops, targets and limits as prices, for example `stop 58,000`."


def which_stop(raw: str) -> str:
    """A bare stop beside a sale."""
    return (
        f"Is `{_safe(raw)}` the trigger of a stop order or a stop-loss? Write `sell stop "
        f"{_safe(raw)}` or `stop loss {_safe(raw)}`."
    )


def of_protection(tags: list[Tag]) -> str:
    """A question about a stop or target that is no price: percent, trailing, or worked out from a risk."""
    said = {t.text for t in tags if t.kind == "word"}
    if said & {"trailing", "trail"}:
        return TRAILING
    if said & {"risk", "risking"} and any(tag.kind == "number" for tag in tags):
        return RISKED
    if said & {"atr", "atrs"}:
        # The stop's has been taken out of the words.
        return TARGET_ATR
    for index, tag in enumerate(tags):
        if tag.kind != "number" or tag.unit != "percent":
            continue
        around = {t.text for t in [*tags[max(0, index - 2) : index], *tags[index + 1 : index + 3]]}
        if around & _PROTECTING and not around & {"account", "equity", "portfolio", "of"}:
            return f"{PERCENT} Which price is `{_safe(tag.raw)}`?"
    return ""


def in_words(tags: list[Tag], order: OrderWords) -> str:
    """A question about the first word that says more than a ticket can hold; empty when there is none."""
    amount = order.quantity is not None or order.fraction is not None
    for index, tag in enumerate(tags):
        if tag.kind in {"timeframe", "clock"}:
            return timing(tag.raw)
        if tag.kind == "word" and any(c.isdigit() for c in tag.text):
            return number(tag.raw)
        if tag.kind != "word" or tag.text not in DOUBT_WORDS or (tag.text in _VAGUE and not amount):
            continue
        if tag.text == "no" and any(
            t.text in {"stop", "sl", "tp", "limit", "take", "target"} for t in tags[index + 1 : index + 3]
        ):
            continue
        return _about(tag)
    return ""


def _about(tag: Tag) -> str:
    if tag.text in _LEVERAGE:
        return (
            "This desk trades spot, without leverage or futures. What is the order without it, "
            "for example `buy 0.05 BTC`?"
        )
    if tag.text in _TIMING:
        return timing(tag.raw)
    if tag.text in _CONDITION:
        return condition(tag.raw)
    if tag.text in _INEXACT:
        return f"`{_safe(tag.raw)}` leaves the order open. What exactly: one side, one quantity, one symbol?"
    return f"I am not sure how to read `{_safe(tag.raw)}` in an order. How much, for example `0.05 BTC` or `500 USDT`?"


def timing(raw: str) -> str:
    """Words that put an order off, or repeat it."""
    return f"{_AT_ONCE} (`{_safe(raw)}`). {_CAN_REST}"


def cancelling_later(raw: str) -> str:
    """Words that put a cancellation off."""
    return (
        f"A cancellation is prepared at once, not scheduled (`{_safe(raw)}`). An order that is to end by itself can be "
        "`good till friday`. Cancel now, and which orders?"
    )


def condition(raw: str) -> str:
    """Words that make an order wait for something to happen."""
    return (
        f"I cannot wait for a condition (`{_safe(raw)}`). A limit order (`buy 0.05 BTC at "
        f"58,000`) or a stop order "
        "(`buy stop 65,000, 0.05 BTC`) can; which one?"
    )


def is_put_off(doubt: str) -> bool:
    """True for the question about words that put an order off."""
    return doubt.startswith(_AT_ONCE)


def in_values(order: OrderWords) -> str:
    """A question about a value no order can have; empty when all are possible."""
    if order.quantity is not None and order.quantity <= 0:
        return f"A quantity of `{order.quantity}` cannot be ordered. How much, above zero?"
    if order.unit in {"percent", "risk"} and order.quantity is not None and order.quantity > 100:
        return f"`{order.quantity} %` is more than the whole account. How much?"
    if order.stop_atr is not None and order.stop_atr <= 0:
        return "A stop lies some distance away. How many ATR, for example `stop 2 atr`?"
    if order.stop_atr is not None and order.stop_loss is not None:
        return "The stop is given twice, as a price and in ATR. Which one?"
    if order.unit in {"risk", "risk_quote"} and order.side == "sell":
        return "A sale here ends a holding and risks nothing. How much do you want to sell?"
    if order.fraction is not None and not 0 < order.fraction <= 1:
        return "A close takes more than nothing and at most all of a position. Which part?"
    for name in ("limit_price", "stop_price", "stop_loss", "take_profit"):
        value: Decimal | None = getattr(order, name)
        if value is not None and value <= 0:
            return f"A price of `{value}` cannot be ordered at. Which {name.replace('_', ' ')}?"
    if order.fraction is not None and (order.order_type != "market" or order.stop_loss or order.take_profit):
        return (
            "A part of a position is closed at the market. At a price, which quantity: for "
            "example `sell 0.05 BTC at 70,000`?"
        )
    return _in_validity(order)


def until_when(said: str) -> str:
    """A question about an end that is named in words that are not read."""
    return (
        f"Until when is it good? `{said}` is not read; these are, all in UTC: `good till friday 18:00`, `tomorrow`, "
        "`the 27th`, `27 nov`, `2026-11-27`, `noon`, `the end of the week` or `the month`, and `good for 3 hours`."
    )


def _in_validity(order: OrderWords) -> str:
    """A question about a time that an order of this type cannot be good for."""
    if order.order_type == "market" and (order.time_in_force in {"GTC", "DAY"} or order.good_till):
        return (
            "An order at the market is carried out at once, so there is nothing to keep open. At which price, for "
            "example `buy 0.05 BTC at 58,000 good till friday`?"
        )
    if order.order_type == "stop" and order.time_in_force in {"IOC", "FOK"}:
        return f"A stop order waits for its price and cannot be {order.time_in_force}. How long is it good?"
    if order.fraction is not None and order.time_in_force is not None:
        return (
            "A part of a position is closed at the market, as far as it goes at once. With another rule, which "
            "quantity: for example `sell 0.05 BTC at 70,000 fill or kill`?"
        )
    return ""


def _safe(raw: str) -> str:
    """The person's own words for a quotation: no braces, which point at figures, and short."""
    return raw.replace("{", "(").replace("}", ")")[:40]
