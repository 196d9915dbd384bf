"""Tokens made into tags: symbols, timeframes, quantities with their units, fractions, and plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from agents.reading import timeframes
from agents.reading.numbers import FRACTION_WORDS, MULTIPLIERS, NUMBER_WORDS, parse_digits, parse_slashed, parse_words
from agents.reading.symbols import NICKNAMES, QUOTE_CURRENCIES, TWO_WORD_NAMES, Listing
from agents.reading.tokens import Token
from agents.reading.vocabulary import (
    BUY_VERBS,
    CANCEL_VERBS,
    CIPHER_WORDS,
    COLOURS,
    PROFILE_WORDS,
    QUOTE_WORDS,
    SELL_VERBS,
    VOCABULARY,
    words,
)

TagKind = Literal[
    "symbol", "timeframe", "number", "fraction", "word", "punct", "order_id", "ticket", "clock", "validity"
]
NumberUnit = Literal["base", "quote", "percent", "other", ""]

_NUMBER: Final = re.compile(
    r"(?P<sign>[-+]?)(?P<money>[$€£¥]?)\s?(?P<inner>[-+]?)(?P<digits>[0-9.,_'/]+)(?P<suffix>[€£¥]|[^\W\d_]*)"
)
_COIN_UNITS: Final = frozenset({"coin", "coins", "token", "tokens", "unit", "units"})
_DOLLAR_WORDS: Final = frozenset({"$", "dollar", "dollars", "buck", "bucks", "usd"})
_EURO_WORDS: Final = frozenset({"€", "eur", "euro", "euros"})
_OTHER_MONEY: Final = frozenset(
    {"£", "¥", "gbp", "pound", "pounds", "quid", "yen", "jpy", "chf", "francs", "cad", "aud", "usdc", "usdt", "tether"}
    | {"busd", "cents", "cent", "sat", "sats", "satoshi", "satoshis", "gwei", "wei"}
)
_PERCENT: Final = frozenset({"%", "percent", "pct", "percents", "procent", "percentage"})
# English words that are tickers too: they need a place where a symbol stands, or capitals.
_AMBIGUOUS: Final = frozenset(
    {"dot", "link", "near", "etc", "op", "uni", "ton", "apt", "arb", "fil", "sui", "cosmos", "gold"}
)
_SYMBOL_PLACES: Final = (
    (
        words(
            "of for on in into some my with vs versus about close exit cipher analyze analyse compare chart than "
            "against and or & , what's whats how's hows poc rsi momentum trend flatten trim reduce portfolio"
        )
        | BUY_VERBS
        | SELL_VERBS
        | QUOTE_WORDS
        | PROFILE_WORDS
        | CIPHER_WORDS
    )
    - COLOURS
    - {"dot", "dots"}
)
_SHOUTED: Final = re.compile(r"[A-Z][A-Z0-9]{1,9}")
_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,11}")


@dataclass(frozen=True, slots=True)
class Tag:
    """One meaningful piece of a message.

    Attributes:
        text: lower case; the symbol or timeframe itself for those kinds.
        raw: as written, for questions about it.
        value: of a number or fraction; None for a number that can be read in two ways.
        unit: of a number, where the words say it.
        strong: for a symbol, whether it is certainly meant as one.
    """

    kind: TagKind
    text: str
    raw: str
    value: Decimal | None = None
    unit: NumberUnit = ""
    strong: bool = True


def tag(tokens: list[Token], listing: Listing) -> list[Tag]:
    """Tags of a tokenized message, in order."""
    shouting = _is_shouting(tokens)
    tags: list[Tag] = []
    position = 0
    while position < len(tokens):
        made, used = _next(tokens, position, listing, shouting=shouting)
        tags.extend(made)
        position += used
    return _with_units(tags, listing.quote_currency)


def _is_shouting(tokens: list[Token]) -> bool:
    words = [t.raw for t in tokens if t.kind == "word" and len(t.raw) > 1]
    return len(words) > 2 and sum(w.isupper() for w in words) * 10 >= len(words) * 7


def _next(tokens: list[Token], position: int, listing: Listing, *, shouting: bool) -> tuple[list[Tag], int]:
    token = tokens[position]
    if token.kind in {"order_id", "ticket", "clock", "punct"}:
        return [Tag(token.kind, token.text, token.raw)], 1
    if token.kind == "odd":
        return [Tag("number", token.text, token.raw)], 1
    if token.kind == "number":
        return _number(tokens, position, listing)
    if token.kind == "pair":
        return _pair(token, listing), 1
    if token.kind == "cashtag":
        name = token.text[1:]
        return [Tag("symbol", listing.of_name(name) or listing.of_asset(name.upper()), token.raw)], 1
    return _word(tokens, position, listing, shouting=shouting)


def _pair(token: Token, listing: Listing) -> list[Tag]:
    base, separator, quote = re.split(r"([/_-])", token.text.removeprefix("$"), maxsplit=1)
    symbol = listing.of_pair(base, quote)
    known = quote.upper() in QUOTE_CURRENCIES or quote in NICKNAMES or symbol in listing.symbols
    if known and (base in NICKNAMES or base not in VOCABULARY):
        return [Tag("symbol", symbol, token.raw)]
    return [Tag("word", base, base), Tag("punct", separator, separator), Tag("word", quote, quote)]


def _number(tokens: list[Token], position: int, listing: Listing) -> tuple[list[Tag], int]:
    token = tokens[position]
    match = _NUMBER.fullmatch(token.raw)
    if match is None:
        return [Tag("number", token.text, token.raw)], 1
    digits, suffix = match["digits"], match["suffix"].lower()
    if "/" in digits:
        value = parse_slashed(digits)
    else:
        value = parse_digits(digits)
    if "-" in {match["sign"], match["inner"]} and value is not None:
        value = -value
    money = match["money"] or (suffix if suffix in {"€", "£", "¥"} else "")
    number = Tag("number", digits, token.raw, value, _money_unit(money, listing.quote_currency) if money else "")
    if not suffix or suffix == money:
        timeframe = _spaced_timeframe(tokens, position, value)
        return ([timeframe[0]], timeframe[1]) if timeframe else _multiplied(tokens, position, number)
    return _suffixed(number, match["suffix"], listing), 1


def _suffixed(number: Tag, suffix: str, listing: Listing) -> list[Tag]:
    lower = suffix.lower()
    if lower in MULTIPLIERS:
        return [replace(number, value=None if number.value is None else number.value * MULTIPLIERS[lower])]
    whole = number.value is not None and number.value == number.value.to_integral_value() and 0 < number.value < 10_000
    if lower in timeframes.UNIT_WORDS and whole and number.value is not None:
        unit = "month" if number.raw == "1M" else lower
        return [Tag("timeframe", timeframes.timeframe_of(int(number.value), unit), number.raw)]
    if lower in {"st", "nd", "rd", "th"}:
        return [Tag("word", number.raw.lower(), number.raw)]
    if lower == "x":
        return [Tag("word", "leverage", number.raw)]
    name = listing.of_name(lower)
    rest = Tag("symbol", name, suffix) if name else Tag("word", lower, suffix)
    return [number, rest]


def _spaced_timeframe(tokens: list[Token], position: int, value: Decimal | None) -> tuple[Tag, int] | None:
    """`4 hour` or `15-min`, and the bare `on the 15`."""
    if value is None or value != value.to_integral_value() or not 0 < value < 10_000:
        return None
    used = 1
    if position + 1 < len(tokens) and tokens[position + 1].text == "-":
        used = 2
    following = tokens[position + used].text if position + used < len(tokens) else ""
    if following in timeframes.UNIT_WORDS and len(following) > (1 if used == 1 else 0):
        raw = f"{tokens[position].raw} {following}"
        return Tag("timeframe", timeframes.timeframe_of(int(value), following), raw), used + 1
    before = [t.text for t in tokens[max(0, position - 2) : position]]
    if before == ["on", "the"] and not following.isalpha() and int(value) in timeframes.BARE:
        return Tag("timeframe", timeframes.BARE[int(value)], tokens[position].raw), 1
    return None


def _multiplied(tokens: list[Token], position: int, number: Tag) -> tuple[list[Tag], int]:
    """`5 k`, `2 thousand`, `1 million`."""
    following = tokens[position + 1].text if position + 1 < len(tokens) else ""
    if following in MULTIPLIERS and number.value is not None:
        raw = f"{number.raw} {following}"
        return [replace(number, raw=raw, value=number.value * MULTIPLIERS[following])], 2
    return [number], 1


def _word(tokens: list[Token], position: int, listing: Listing, *, shouting: bool) -> tuple[list[Tag], int]:
    token = tokens[position]
    following = tokens[position + 1].text if position + 1 < len(tokens) else ""
    before = tokens[position - 1] if position else None
    if (token.text, following) in TWO_WORD_NAMES:
        symbol = listing.of_asset(TWO_WORD_NAMES[token.text, following])
        return [Tag("symbol", symbol, f"{token.raw} {tokens[position + 1].raw}")], 2
    symbol_tag = _named_symbol(token, before, following, listing, shouting=shouting)
    if symbol_tag:
        return [symbol_tag], 1
    code = timeframes.WORDS.get(token.text) or timeframes.from_code(token.text)
    if code:
        return [Tag("timeframe", code, token.raw)], 1
    worded = _worded_number(tokens, position, before)
    if worded:
        return worded
    return [Tag("word", token.text, token.raw)], 1


def _named_symbol(
    token: Token, before: Token | None, following: str, listing: Listing, *, shouting: bool
) -> Tag | None:
    previous = before.text if before else ""
    listed_on = previous in NICKNAMES and token.text not in {"near", "etc", "op"}
    stands_as_symbol = previous in _SYMBOL_PLACES or listed_on or (before is not None and before.kind == "number")
    shouted = _SHOUTED.fullmatch(token.raw) is not None and not shouting
    name = token.text.removesuffix("'s")
    symbol = listing.of_name(name)
    known_word = token.text in VOCABULARY and name not in NICKNAMES
    if symbol and not known_word:
        common = token.text in _AMBIGUOUS or (token.text not in NICKNAMES and token.text.upper() in listing.bases)
        placed = following not in {"to", "the", "me", "a", "its", "my"} and (stands_as_symbol or not previous)
        return Tag("symbol", symbol, token.raw) if not common or shouted or placed else None
    if known_word or not _NAME.fullmatch(token.text) or token.text in NUMBER_WORDS | FRACTION_WORDS.keys():
        return None
    if timeframes.from_code(token.text) or token.text in timeframes.UNIT_WORDS | timeframes.WORDS.keys():
        return None
    if token.text in _OTHER_MONEY | _EURO_WORDS | _DOLLAR_WORDS | _PERCENT or token.text in CANCEL_VERBS:
        return None
    if shouted and len(token.raw) <= 6:
        return Tag("symbol", listing.of_asset(token.raw), token.raw, strong=False)
    named = previous in {"of", "cipher", "quote", "ticker", "price", "analyze", "analyse"} and len(token.text) <= 6
    return Tag("symbol", listing.of_asset(token.text.upper()), token.raw, strong=False) if named else None


def _worded_number(tokens: list[Token], position: int, before: Token | None) -> tuple[list[Tag], int] | None:
    words = [t.text if t.kind == "word" else "" for t in tokens[position : position + 9]]
    if words[0] in {"all", "everything"}:
        return None
    if words[0] in FRACTION_WORDS:
        return [Tag("fraction", words[0], tokens[position].raw, FRACTION_WORDS[words[0]])], 1
    if (
        words[0] == "one"
        and before is not None
        and before.text in {"this", "that", "which", "the", "no", "any", "every"}
    ):
        return None
    if words[0] not in NUMBER_WORDS and words[0] != "a":
        return None
    parsed = parse_words(words)
    if parsed is None:
        # Number words that make no number ("two three") may still be meant as one: let it be asked for.
        return ([Tag("number", words[0], words[0])], 1) if words[0] in NUMBER_WORDS else None
    value, used = parsed
    raw = " ".join(words[:used])
    if words[used : used + 1] and words[used] in FRACTION_WORDS and words[used].endswith("s"):
        return [Tag("fraction", raw, f"{raw} {words[used]}", _times(value, FRACTION_WORDS[words[used]]))], used + 1
    skip = 1 if position + used < len(tokens) and tokens[position + used].text == "-" else 0
    unit = tokens[position + used + skip].text if position + used + skip < len(tokens) else ""
    if unit in timeframes.UNIT_WORDS and len(unit) > 1 and value == value.to_integral_value():
        return [Tag("timeframe", timeframes.timeframe_of(int(value), unit), f"{raw} {unit}")], used + skip + 1
    return [Tag("number", raw, raw, value)], used


def _times(count: Decimal, part: Decimal) -> Decimal:
    return (count * part).quantize(Decimal("0.0001")).normalize()


def _money_unit(word: str, quote_currency: str) -> NumberUnit:
    quote = quote_currency.lower()
    if word == quote or (word == "tether" and quote == "usdt"):
        return "quote"
    if word in _DOLLAR_WORDS:
        return "quote" if "usd" in quote else "other"
    if word in _EURO_WORDS:
        return "quote" if quote == "eur" else "other"
    return "other"


def _with_units(tags: list[Tag], quote_currency: str) -> list[Tag]:
    """Give each number the unit that its next word names, and take that word out."""
    out: list[Tag] = []
    quote = quote_currency.lower()
    money = _DOLLAR_WORDS | _EURO_WORDS | _OTHER_MONEY | {quote}
    position = 0
    while position < len(tags):
        current = tags[position]
        following = tags[position + 1] if position + 1 < len(tags) else None
        position += 1
        if current.kind != "number" or following is None or following.kind not in {"word", "punct"} or current.unit:
            if _names_pair_quote(current, out, money):
                continue
            out.append(current)
            continue
        unit: NumberUnit = ""
        if following.text in _PERCENT:
            unit = "percent"
        elif following.text in money:
            unit = _money_unit(following.text, quote_currency)
        elif following.text in _COIN_UNITS:
            unit = "base"
        elif following.text == "per" and position + 1 < len(tags) and tags[position + 1].text == "cent":
            unit = "percent"
            position += 1
        if unit:
            joint = "" if following.text == "%" else " "
            current = replace(current, unit=unit, raw=f"{current.raw}{joint}{following.raw}")
            position += 1
        out.append(current)
    return out


def _names_pair_quote(current: Tag, out: list[Tag], money: frozenset[str]) -> bool:
    """`BTC USDT` written with a space: the second word only repeats the quote currency of the first."""
    return bool(
        current.kind == "word"
        and current.text in money
        and out
        and out[-1].kind == "symbol"
        and out[-1].text.endswith(f"/{current.text.upper()}")
    )
