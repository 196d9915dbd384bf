"""The time a question speaks of, out of its tags: `14:00`, `this morning`, `3 candles ago`. Read by the tool."""

from __future__ import annotations

import re
from typing import Final

from agents.reading.tagging import Tag
from agents.reading.timeframes import UNIT_WORDS, is_known
from agents.reading.vocabulary import words

_DAYS: Final = words("today yesterday monday tuesday wednesday thursday friday saturday sunday")
_TIMES: Final = words("noon midday midnight")
_MONTHS: Final = words(
    "jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october "
    "nov november dec december"
)
_PARTS: Final = words("morning afternoon evening night tonight")
# Words that name no stretch of time in particular: the tool asks for the candle instead of picking one.
_VAGUE: Final = words("tomorrow earlier recently")
_ZONES: Final = words(
    "utc gmt z est edt cst cdt mst mdt pst pdt cet cest eet bst ist jst hkt sgt aest local eastern pacific et ct mt pt "
    "central mountain aedt sast msk"
)
# Places whose clocks somebody may mean; two words are one place.
_CITIES: Final = words("ny nyc london chicago paris berlin frankfurt zurich tokyo singapore sydney dubai")
_TWO_WORD_CITIES: Final = {("new", "york"), ("hong", "kong"), ("los", "angeles"), ("san", "francisco")}
_ORDINAL: Final = re.compile(r"\d{1,2}(?:st|nd|rd|th)")
_RANGED: Final = words("range div divs divergence divergences dot dots candle mark time signal")
_HALVES: Final = words("am pm noon midday midnight")
_CANDLES: Final = words("candle candles bar bars")
_BEFORE_A_TIME: Final = words("at on since from around by")
_HOUR: Final = re.compile(r"([01]?\d|2[0-3])h")
_FOUR_DIGITS: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d)")


def moment_in(tags: list[Tag]) -> tuple[str, list[Tag]]:
    """The time as words that the tool reads, empty where there is none, and the tags that are no part of it."""
    spoken: list[str] = []
    rest: list[Tag] = []
    position = 0
    while position < len(tags):
        said, used = _at(tags, position)
        if used:
            spoken += [said]
        else:
            rest.append(tags[position])
        position += used or 1
    return " ".join(spoken), rest


def _at(tags: list[Tag], position: int) -> tuple[str, int]:
    """The part of a time that begins here, and how many tags it takes; none where none does."""
    current = tags[position]
    before = tags[position - 1] if position else None
    after = ([t.text for t in tags[position + 1 : position + 3]] + ["", ""])[:2]
    last = "last " if before is not None and before.text == "last" else ""
    if current.kind == "clock":
        return current.text, 1
    if current.kind == "timeframe":
        if after[0] == "ago":
            return f"{current.text} ago", 2
        hour = _HOUR.fullmatch(current.raw.lower())
        placed = before is not None and before.text in _BEFORE_A_TIME - {"on"}
        return (f"{int(hour[1]):02}:00", 1) if hour and placed and not is_known(current.text) else ("", 0)
    if current.kind == "number":
        return _number(tags, position, after)
    return _word(tags, position, last, after) if current.kind in {"word", "symbol"} else ("", 0)


def _word(tags: list[Tag], position: int, last: str, after: list[str]) -> tuple[str, int]:
    current, before = tags[position], tags[position - 1] if position else None
    place = _place(tags, position)
    if place[1]:
        return place
    # Upper-case zones look like tickers: `CET`. The tool refuses those it does not know, instead of reading UTC.
    if current.raw.lower() in _ZONES and before is not None and (before.kind == "clock" or before.text in _HALVES):
        return current.raw.lower(), 1
    if current.kind != "word":
        return "", 0
    if current.text in _DAYS | _VAGUE | _PARTS:
        return f"{last}{current.text}", 1
    if current.text == "this" and after[0] in _PARTS:
        return f"this {after[0]}", 2
    if current.text in {"in", "during"} and after[0] == "the" and after[1] in _PARTS:
        return after[1], 3
    if current.text in _TIMES:
        return current.text, 1
    if current.text in _ZONES and before is not None and before.kind == "number":
        return current.text, 1
    if current.text in UNIT_WORDS and before is not None and before.text == "last":
        return f"last {current.text}", 1
    return _counted(tags, position, after)


def _counted(tags: list[Tag], position: int, after: list[str]) -> tuple[str, int]:
    current = tags[position]
    if _ORDINAL.fullmatch(current.text):
        return _ordinal(tags, position, after)
    if current.text == "day" and after == ["before", "yesterday"]:
        return "day before yesterday", 3
    if current.text in {"a", "an", "one"} and after[0] in _CANDLES and after[1] == "ago":
        return "1 candle ago", 3
    return "", 0


def _place(tags: list[Tag], position: int) -> tuple[str, int]:
    """A place whose clocks are meant: `New York time`, `12:00 London`; nothing of "the London session"."""
    raw = [t.raw.lower() for t in tags[position : position + 3]] + ["", "", ""]
    used = 2 if (raw[0], raw[1]) in _TWO_WORD_CITIES else 1 if raw[0] in _CITIES else 0
    if raw[0] == "my" and raw[1] == "time":
        return "my time", 2
    if not used or raw[used] in {"session", "sessions", "open", "close"}:
        return "", 0
    return " ".join(raw[:used]), used + (raw[used] == "time")


def _ordinal(tags: list[Tag], position: int, after: list[str]) -> tuple[str, int]:
    """ "the 20th", "20th of november", "nov 20th"; the "2nd range" of a divergence is no day."""
    word, before = tags[position].text, tags[position - 1].text if position else ""
    if after[0] in _MONTHS:
        return f"{word} {after[0][:3]}", 2
    if after[0] == "of" and after[1] in _MONTHS:
        return f"{word} {after[1][:3]}", 3
    if before in _MONTHS:
        return f"{before[:3]} {word}", 1
    if before in {"the", "on"} and after[0] not in _RANGED:
        return word, 1
    return "", 0


def _number(tags: list[Tag], position: int, after: list[str]) -> tuple[str, int]:
    current = tags[position]
    before = tags[position - 1].text if position else ""
    value = current.value
    whole = value is not None and value == value.to_integral_value() and not current.unit
    if value is None or not whole or value < 0:
        return "", 0
    if after[0] in _CANDLES and after[1] == "ago":
        return f"{int(value)} candles ago", 3
    # "9 march" and "march 9"; "may" needs its number beside it to be a month.
    if after[0] in _MONTHS and 1 <= value <= 31:
        return f"{int(value)} {after[0][:3]}", 2
    if before in _MONTHS and 1 <= value <= 31:
        return f"{before[:3]} {int(value)}", 1
    if [t.text for t in tags[max(0, position - 2) : position]] == ["on", "the"] and 1 <= value <= 31:
        return _with_ending(int(value)), 1
    if before in _BEFORE_A_TIME and (digits := _FOUR_DIGITS.fullmatch(current.raw)):
        return f"{digits[1]}:{digits[2]}", 1
    if before in {"at", "around"} and value < 24:
        return f"{int(value):02}:00", 1
    return "", 0


def _with_ending(day: int) -> str:
    """`20th` of 20: a number by itself is an hour."""
    last = day % 10 if day // 10 != 1 else 0
    return f"{day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"
