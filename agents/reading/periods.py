"""The stretch of time that a profile is asked of: `last week`, `yesterday's London session`, `since monday`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from agents.reading import moods
from agents.reading.moments import moment_in
from agents.reading.tagging import Tag
from agents.reading.types import ReadingContext

_SESSIONS: Final = {
    "london": "london",
    "new york": "new_york",
    "ny": "new_york",
    "nyc": "new_york",
    "us": "new_york",
    "american": "new_york",
    "tokyo": "tokyo",
    "asia": "asia",
    "asian": "asia",
}
_CITY: Final = {"european": "Europe", "hong kong": "Hong Kong"}
_ANY: Final = (
    "london|new york|ny|nyc|us|american|asian?|tokyo|europe(?:an)?|frankfurt|sydney|singapore|hong kong|chicago"
)
_PLACE: Final = re.compile(
    rf"\b({_ANY})(?:'s)? (?:trading )?sessions?\b|\bsessions? (?:of|in) ({_ANY})\b"
    r"|\b(london|new york|ny|asian?|tokyo|european?)\b"
)
_UNIT: Final = "week|month|quarter|year|weekend"
_STRETCH: Final = re.compile(
    rf"\b(?:last|previous|prior|past|this|current) (?:{_UNIT})\b|\b(?:week|month|quarter|year) to date\b|\bweekend\b"
    r"|\b(?:last|past|previous) \d+[mhdwM]\b"
)
_MONTH: Final = re.compile(
    r"\b(january|february|march|april|june|july|august|september|sept|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec|(?<=of )may|(?<=in )may)\b(?: (\d{4})\b)?"
)
_BEFORE: Final = re.compile(r"\b(day|week|month|session) before\b(?: (?!yesterday\b)(.+))?")
_COUNTED: Final = re.compile(r"\b(\d+)([dwM])\b|\b(\d+) (?:\w+ ){0,2}sessions?\b")
_DAYS_OF: Final = {"d": 1, "w": 7, "M": 30}
_LAST_SESSION: Final = re.compile(rf"\b(?:last|previous|prior) (?:(?:{_ANY}) )?(?:trading )?session\b")
_DAY_BEFORE: Final = re.compile(r"\b(?:previous|prior) day\b")
_LETTERS: Final = re.compile(r"\b(?:tpos?|market profile|letters)\b")
_ANCHORS: Final = frozenset({"since", "from"})
_UNTIL: Final = frozenset({"to", "until", "till", "through"})
_NOW: Final = frozenset({"now", "today", "here", "date"})
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}|\b\d{1,2} ?[ap]\.?m\b|\b(?:noon|midday|midnight)\b")
_PARTS: Final = re.compile(r"\b(?:morning|afternoon|evening|night|tonight)\b")
_BETWEEN: Final = re.compile(r"\bbetween\b")
_TWO_TIMES: Final = (
    "Two times are read here as `from monday to wednesday`; the levels below are of the last candles instead."
)
# Anchors that are no time: they would have to be looked for in the candles.
_EVENTS: Final = re.compile(
    r"\b(?:highs?|lows?|top|bottom|ath|atl|dip|crash|halving|breakout|open|opening|pivot|swing)\b"
)
_ZONES: Final = {"london": "Europe/London", "new_york": "America/New_York", "tokyo": "Asia/Tokyo", "asia": "Asia/Tokyo"}
_OWN_DAY: Final = re.compile(r"(?:yesterday|today|day|week|month|quarter|year|weekend|\w+day)'?s")
# What the usual answer tells of the session that is under way.
_OF_TODAY: Final = re.compile(
    r"\b(?:vwap|initial balance|ib|single prints?|poor (?:high|low)|session|dpoc|developing)\b"
)


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """What a clause says of time.

    Attributes:
        period: argument of the tool, plain JSON data; None where the usual candles are meant.
        uncovered: the first sentence of an answer that cannot be of that time; else empty.
    """

    period: dict[str, Any] | None = None
    uncovered: str = ""


def asked_period(tags: list[Tag], context: ReadingContext) -> AskedPeriod:
    """The stretch of time that a clause about a profile names."""
    tags = [_plain(tag) for tag in tags]
    text = moods.text_of(tags)
    at = moment_in(tags)[0] or ("yesterday" if _DAY_BEFORE.search(text) else "")
    if "naked" in text.split():
        return AskedPeriod(uncovered=_naked(_stretch_words(tags) or at))
    if _BETWEEN.search(text) and at:
        return AskedPeriod(uncovered=_TWO_TIMES)
    if "composite" in text.split():
        return AskedPeriod(_composite(text, at))
    anchored = _anchored(tags, text)
    if anchored is not None:
        return anchored
    place = _PLACE.search(text)
    if place and not _CLOCK.search(at):
        return _of_place(next(group for group in place.groups() if group), text, at)
    if _LAST_SESSION.search(text):
        return AskedPeriod({"kind": "session", "from": "last"})
    if before := _BEFORE.search(text):
        return AskedPeriod(_before(before, context))
    stretch = _stretch_words(tags)
    if stretch:
        return AskedPeriod({"kind": "range", "from": stretch})
    return _of_day(text, at)


def names_stretch(tags: list[Tag], context: ReadingContext) -> bool:
    """True for "and the day before?": a stretch of time, which goes on with the levels spoken of."""
    found = asked_period(tags, context)
    return found.period is not None or bool(found.uncovered)


def _plain(tag: Tag) -> Tag:
    """ "yesterday's" is yesterday."""
    owned = tag.kind == "word" and _OWN_DAY.fullmatch(tag.text) and tag.text not in {"days", "weeks", "months", "years"}
    return replace(tag, text=tag.text.removesuffix("s").removesuffix("'")) if owned else tag


def _naked(named: str) -> str:
    if not named:
        return ""
    return f"Naked points of control are told of every session among the last candles here, not of `{named}` alone."


def _uncovered(what: str) -> str:
    return (
        f"A profile of `{what}` cannot be read here: the levels below are of the last candles. Ask for a day, a week, "
        "a month, `since monday`, `from monday to wednesday` or `yesterday's London session`."
    )


def _composite(text: str, at: str) -> dict[str, Any]:
    """Whole sessions as one: of so many days, or of a named stretch, which is a range."""
    counted, place = _COUNTED.search(text), _PLACE.search(text)
    name = _SESSIONS.get(next((group for group in place.groups() if group), "")) if place else None
    stretch = _STRETCH.search(text)
    if counted is None and stretch:
        return {"kind": "range", "from": stretch[0]}
    if counted is None and at and not place:
        return {"kind": "range", "from": at}
    count = None
    if counted:
        count = int(counted[3]) if counted[3] else int(counted[1]) * _DAYS_OF[counted[2]]
    given = {"kind": "composite", "count": count, "session": name}
    return {key: value for key, value in given.items() if value is not None}


def _anchored(tags: list[Tag], text: str) -> AskedPeriod | None:
    """ "since monday", "from 3 november 14:00", "from monday to wednesday"; None where it says nothing of the kind."""
    place = next((index for index, tag in enumerate(tags) if tag.text in _ANCHORS), None)
    named = "anchored" in text.split() or (place is not None and tags[place].text == "since")
    after = tags if place is None else tags[place + 1 :]
    if place is None and not named:
        return None
    end = next((index for index, tag in enumerate(after) if tag.text in _UNTIL), None)
    begins = _time_words(after if end is None else after[:end])
    if not begins or (named and _EVENTS.search(moods.text_of(after))):
        return AskedPeriod(uncovered=_uncovered(f"since {_said(after)}".strip())) if named else None
    until = [] if end is None else after[end + 1 :]
    ends = _time_words(until)
    if ends and not {tag.text for tag in until} & _NOW:
        return AskedPeriod({"kind": "range", "from": begins, "to": ends})
    return AskedPeriod({"kind": "anchored", "from": begins})


def _said(tags: list[Tag]) -> str:
    return " ".join(tag.text for tag in tags if tag.kind in {"word", "number", "clock"})[:40]


def _time_words(tags: list[Tag]) -> str:
    """An instant or a stretch, as the tool reads it."""
    return _stretch_words(tags) or moment_in(tags)[0]


def _stretch_words(tags: list[Tag]) -> str:
    """ "last week", "this month", "last 5d", "november 2025"; nothing of a single day."""
    text = moods.text_of(tags)
    if found := _STRETCH.search(text):
        return found[0]
    at, rest = moment_in(tags)
    month = _MONTH.search(moods.text_of(rest))
    # The "march" of "march 8" is told by the moment.
    return month[0].replace("sept ", "sep ") if month and month[1][:3] not in at.split() else ""


def _of_place(place: str, text: str, at: str) -> AskedPeriod:
    session = _SESSIONS.get(place)
    if session is None:
        return AskedPeriod(
            uncovered=f"Sessions of {_CITY.get(place, place.title())} are not kept here, only those of London, New "
            "York, Tokyo and Asia and days of any zone: the levels below are of the last candles."
        )
    day = " ".join(word for word in at.split() if word not in place.split())
    if day and f"{place} time" in text:
        return AskedPeriod({"kind": "session", "from": day, "timezone": _ZONES[session]})
    if not day and _LAST_SESSION.search(text):
        day = "last"
    return AskedPeriod({"kind": "session", "session": session} | ({"from": day} if day else {}))


def _before(match: re.Match[str], context: ReadingContext) -> dict[str, Any]:
    """ "the day before": of the period that was spoken of, or else today."""
    last = dict(context.last_period)
    unit = "day" if match[1] == "session" else match[1]
    spoken = str(last.get("from") or {"day": "today", "week": "this week", "month": "this month"}[unit])
    begins = f"{unit} before {match[2] or ('yesterday' if spoken == 'last' else spoken)}"
    if unit != "day":
        return {"kind": "range", "from": begins}
    session = last.get("session") if not match[2] else None
    return {"kind": "session"} | ({"session": session} if session else {}) | {"from": begins}


def _of_day(text: str, at: str) -> AskedPeriod:
    """A whole day, or a part of one; "today" only where the usual answer does not speak of it anyway."""
    if not at:
        return AskedPeriod({"kind": "session", "from": "today"} if _LETTERS.search(text) else None)
    if at == "today" and _OF_TODAY.search(text) and not _LETTERS.search(text):
        return AskedPeriod()
    if _PARTS.search(at):
        return AskedPeriod({"kind": "range", "from": at})
    if _CLOCK.search(at):
        return AskedPeriod(uncovered=_uncovered(at))
    if _PLACE.search(at):
        return AskedPeriod({"kind": "range", "from": at})  # a day by the clocks of a place
    return AskedPeriod({"kind": "session", "from": at})
