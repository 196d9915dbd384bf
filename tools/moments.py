"""Times as people say them, on a market's own clock: `14:00`, `this morning`, `monday`, `3 candles ago`. All UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from engines.domain.timeframe import Timeframe, duration_ms
from engines.errors import InvalidRequest

REMEDY: Final = (
    "Write it in UTC, such as `14:00`, `yesterday 14:00`, `this morning`, `2026-03-10 14:00` or `3 candles ago`."
)
# What stands where no time was meant; the last closed candle is the newest there is to speak of.
_NOW: Final = re.compile(
    r"(?:|null|none|undefined|n/?a|now|(?:the )?(?:last|latest|newest|current)(?: closed)?(?: candle)?)"
)

# Years that a zone or a day's length cannot push off the calendar.
_YEARS: Final = range(1900, 9001)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPANS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AGO: Final = re.compile(
    r"(?:about |around )?(\d{1,5}) ?(candles?|bars?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:ee)?k?s?) ago"
)
_CLOCK: Final = re.compile(r"(?<![\d-])(\d{1,2}):(\d{2})(?::\d{2})?(?: ?([ap])\.?m)?(?=z|\b)|\b(\d{1,2}) ?([ap])\.?m\b")
_DAY: Final = re.compile(
    rf"\b(?:(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})|(\d{{1,2}})(?:st|nd|rd|th)? ({'|'.join(_MONTHS)})[a-z]*(?: (\d{{4}}))?"
    rf"|({'|'.join(_MONTHS)})[a-z]* (\d{{1,2}})(?:st|nd|rd|th)?(?: (\d{{4}}))?)\b"
)
_WORDS: Final = re.compile(rf"\b(?:today|yesterday|(?:last )?(?:{'|'.join(_WEEKDAYS)}))\b")
_ORDINAL: Final = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b")
_DAYS_AGO: Final = re.compile(
    r"\b(?:(?:the )?day before yesterday|(?P<days>\d{1,4}) ?d(?:ays?)? ago|(?P<weeks>\d{1,3}) ?w(?:ee)?ks? ago)\b"
)
# Places whose clocks are meant by their names; letters such as EST or CST mean several, so they are refused.
_PLACES: Final = {
    "America/New_York": "new york|nyc|ny|eastern",
    "America/Chicago": "chicago",
    "America/Los_Angeles": "los angeles|san francisco|pacific",
    "Europe/London": "london",
    "Europe/Paris": "paris",
    "Europe/Berlin": "berlin|frankfurt",
    "Europe/Zurich": "zurich",
    "Asia/Tokyo": "tokyo",
    "Asia/Hong_Kong": "hong kong",
    "Asia/Singapore": "singapore",
    "Australia/Sydney": "sydney",
    "Asia/Dubai": "dubai",
}
_PLACE: Final = re.compile(rf"\b(?:in )?(?:{'|'.join(f'({names})' for names in _PLACES.values())})(?: time)?\b")
_REST: Final = re.compile(r"\b(?:at|on|in|this|during|the|utc|gmt|z|candle|close|of)\b|[,.]")
# Hours of the day that its parts are, from and to; a night ends on the morning after.
PARTS: Final = {
    "morning": (6, 12),
    "afternoon": (12, 18),
    "evening": (18, 24),
    "tonight": (18, 30),
    "night": (18, 30),
}
_PART: Final = re.compile(rf"\b(last )?({'|'.join(PARTS)})\b")


def means_now(text: str | None) -> bool:
    """True for no time at all, and for `now`, `latest` and the `null` that models write for one."""
    return text is None or _NOW.fullmatch(text.strip().lower()) is not None


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, aware UTC; `since` is the beginning where a whole day, or a part of one, was named."""

    at: datetime
    since: datetime | None = None


def read_moment(text: str, *, now: datetime, timeframe: Timeframe, clocks: tzinfo = UTC) -> Moment:
    """The instant, the whole day, or the part of a day that a text means.

    A time without a day is the most recent one; a day without a time is all of it, as far as it has passed. A morning
    is 06:00 to 12:00, an afternoon to 18:00, an evening to 24:00, a night 18:00 to 06:00. A named place such as
    `New York time` gives its clocks.

    Args:
        now: the market's time.
        timeframe: what `3 candles ago` counts, from the last closed candle on.
        clocks: those meant where the text names no place.

    Raises:
        InvalidRequest: it is no time, can be read in two ways, or lies in the future.
    """
    words = " ".join(text.strip().lower().split())
    found = _iso(text.strip()) or _ago(words, now, timeframe) or _said(words, now, clocks)
    if found is None:
        raise InvalidRequest(f"`{text}` is not a time that can be read in one way.", remedy=REMEDY)
    begins = found.at if found.since is None else max(found.since, min(found.at, now))
    if begins > now:
        raise InvalidRequest(
            f"{begins:%Y-%m-%d %H:%M} UTC is in the future: this market's time is {now:%Y-%m-%d %H:%M} UTC.",
            remedy="Ask for a time that has passed.",
        )
    return found


def _iso(text: str) -> Moment | None:
    """ISO 8601 with a time of day; without a zone it is UTC, as everything here."""
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text):
        return None
    try:
        found = datetime.fromisoformat(text.upper().removesuffix("UTC").strip())
        if found.year not in _YEARS:
            return None
        return Moment((found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _ago(words: str, now: datetime, timeframe: Timeframe) -> Moment | None:
    match = _AGO.fullmatch(words)
    if match is None:
        return None
    count, unit = int(match[1]), match[2]
    if unit[0] in {"c", "b"}:
        length = timedelta(milliseconds=duration_ms(timeframe))
        # The last closed candle is none ago, so one before it closed a candle's length earlier.
        return Moment(now - (now - datetime(1970, 1, 5, tzinfo=UTC)) % length - count * length)
    return Moment(now - count * _SPANS[unit[0]])


def _said(words: str, now: datetime, clocks: tzinfo) -> Moment | None:
    """A time of day, a part of one, a day, or both, on the clocks of the place that is named, else those given."""
    where, words = _where(words, clocks)
    local = now.astimezone(where)
    clock, rest = _clock(words)
    part, rest = _part(rest)
    day, rest = _day(rest, local)
    if _REST.sub(" ", rest).strip() or (clock is None and day is None and part is None):
        return None
    if part is not None:
        return _of_part(part, clock, day, local)
    if day is None:
        assert clock is not None
        today = datetime.combine(local.date(), clock, where)
        return _utc(today if today <= local else today - timedelta(days=1))
    if clock is None:
        end = (day + timedelta(days=1)).astimezone(UTC)
        return Moment(max(day.astimezone(UTC), min(end, now)), since=day.astimezone(UTC))
    return _utc(datetime.combine(day.date(), clock, where))


def _part(words: str) -> tuple[re.Match[str] | None, str]:
    """The part of a day that is named, and the words without it."""
    match = _PART.search(words)
    return match, words if match is None else f"{words[: match.start()]} {words[match.end() :]}"


def _of_part(part: re.Match[str], clock: time | None, day: datetime | None, local: datetime) -> Moment | None:
    """Hours of a day, as far as they have passed; with a time of day that instant, where it lies in them."""
    first, last = PARTS[part[2]]
    today = datetime.combine(local.date(), time(0), local.tzinfo)
    if part[1]:
        # "Last night" on the morning after is the one that began yesterday; "last monday night" names its day.
        day = today - timedelta(days=1) if day is None else day
    elif day is None:
        # Of "night" alone the one that is or was; "this evening" before it has come is refused as the future.
        begun = part[2] != "night" or _at_hour(today, first) <= local
        day = today if begun else today - timedelta(days=1)
    if clock is None:
        end = min(_at_hour(day, last), local)
        return Moment(max(_at_hour(day, first), end).astimezone(UTC), since=_at_hour(day, first).astimezone(UTC))
    hours = [hour for hour in range(clock.hour, 48, 12) if first <= hour < last]
    # "9 in the evening" is 21:00; a time from 13:00 on is one already.
    if not hours or (clock.hour > 12 and hours[0] not in {clock.hour, clock.hour + 24}):
        return None
    return _utc(_at_hour(day, hours[0]) + timedelta(minutes=clock.minute))


def _at_hour(day: datetime, hour: int) -> datetime:
    """An hour of a local day by its clocks; from 24 on of the day after."""
    date = day.date() + timedelta(days=hour // 24)
    return datetime.combine(date, time(hour % 24), day.tzinfo)


def _utc(local: datetime) -> Moment:
    return Moment(local.astimezone(UTC))


def _where(words: str, clocks: tzinfo) -> tuple[tzinfo, str]:
    """The clocks that a time is on, and the words without them."""
    match = _PLACE.search(words)
    if match is None:
        return (UTC if re.search(r"\b(?:utc|gmt)\b|\dz\b", words) else clocks), words
    assert match.lastindex is not None
    name = list(_PLACES)[match.lastindex - 1]
    return ZoneInfo(name), f"{words[: match.start()]} {words[match.end() :]}"


def _clock(words: str) -> tuple[time | None, str]:
    for word, at in (("noon", time(12)), ("midday", time(12)), ("midnight", time(0))):
        if re.search(rf"\b{word}\b", words):
            return at, re.sub(rf"\b{word}\b", " ", words)
    match = _CLOCK.search(words)
    if match is None:
        return None, words
    hour, minute, half = int(match[1] or match[4]), int(match[2] or 0), match[3] or match[5]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0) if 1 <= hour <= 12 else 99
    if hour > 23 or minute > 59:
        return None, words
    return time(hour, minute), words[: match.start()] + " " + words[match.end() :]


def _day(words: str, now: datetime) -> tuple[datetime | None, str]:
    """Midnight at the beginning of the day that is named, and the words without it."""
    midnight = datetime.combine(now.date(), time(0), now.tzinfo)
    match = _DAYS_AGO.search(words)
    if match:
        back = int(match["days"] or 7 * int(match["weeks"] or 0) or 2)
        return midnight - timedelta(days=back), f"{words[: match.start()]} {words[match.end() :]}"
    match = _WORDS.search(words)
    if match:
        name, rest = match[0].removeprefix("last "), words[: match.start()] + " " + words[match.end() :]
        if name in _WEEKDAYS:
            back = (now.weekday() - _WEEKDAYS.index(name)) % 7
            return midnight - timedelta(days=back or 7 * match[0].startswith("last ")), rest
        return midnight - timedelta(days=name == "yesterday"), rest
    match = _DAY.search(words)
    if match is None:
        return _day_of_month(words, midnight)
    rest = words[: match.start()] + " " + words[match.end() :]
    year, month, day = _date_parts(match)
    if year is not None and year not in _YEARS:
        return None, words
    try:
        found = datetime(year or now.year, month, day, tzinfo=now.tzinfo)
        return (found.replace(year=now.year - 1) if year is None and found > now else found), rest
    except ValueError:
        return None, words


def _day_of_month(words: str, midnight: datetime) -> tuple[datetime | None, str]:
    """The newest day with that number: "the 20th" of this month where it has come, else of the last that had one."""
    match = _ORDINAL.search(words)
    if match is None or not 1 <= int(match[1]) <= 31:
        return None, words
    found = midnight
    while found.day != int(match[1]):
        found -= timedelta(days=1)
    return found, f"{words[: match.start()]} {words[match.end() :]}"


def _date_parts(match: re.Match[str]) -> tuple[int | None, int, int]:
    if match[1]:
        return int(match[1]), int(match[2]), int(match[3])
    name, day, year = (match[5], match[4], match[6]) if match[5] else (match[7], match[8], match[9])
    return (int(year) if year else None), _MONTHS.index(name) + 1, int(day)
