"""Facts of a volume profile as one sentence each, for a question that names one: "yesterday's POC", "naked POCs"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

_MOST: Final = 8
_NAKED: Final = re.compile(r"naked_\d+")
_NEAR: Final = re.compile(r"naked_\d+|(?:hvn|lvn)_(?:above|below)|vwap")
_ACCEPTANCE: Final = re.compile(r"(?:Accepted|Not yet accepted|Back inside value from|Rejected) ")
_LEVELS: Final = {"poc": "point of control", "vah": "value area high", "val": "value area low"}
# How the line of the brief begins that tells the same as a fact: it is not said twice.
_SAID: Final = {
    "naked": "Nearest naked points of control:",
    "naked above": "Nearest naked points of control:",
    "naked below": "Nearest naked points of control:",
    "nodes": "Nearest volume nodes:",
    "single prints": "Nearest single prints",
    "tpo": "TPO (",
    "initial balance": "Initial balance",
}
_LETTERS: Final = "letters are printed of single sessions, in candles of an hour or less"
_SESSIONS: Final = "sessions need candles of four hours or less behind the profile"


def profile_facts(evidence: Sequence[dict[str, Any]], facts: Sequence[str]) -> list[str]:
    """One sentence for each fact that was asked for and each profile, with references for its figures."""
    profiles = [item for item in evidence if item.get("kind") == "volume"]
    return [_FACTS[fact](item) for item in profiles for fact in facts if fact in _FACTS]


def _naked(item: dict[str, Any], side: str = "") -> str:
    """Every naked point of control, or those on one side of the price, the nearest first."""
    names = [name for name in item.get("values", {}) if _NAKED.fullmatch(name) and _on(item, name, side)]
    found = [f"{_at(item, name)} ({_at(item, f'{name}_distance')}) of {_at(item, f'{name}_session')}" for name in names]
    which = f"{side} price " if side else ""
    if found:
        shown = ", ".join(found[:_MOST]) + (", and more" if len(found) > _MOST else "")
        kind = "point" if len(found) == 1 else "points"
        return f"Naked {kind} of control {which}of {_market(item)}: {shown}."
    if _has(item, "session_poc"):
        came = "" if side else ": price came back to every one"
        return f"No naked point of control {which}of {_market(item)} in these candles{came}."
    return f"No naked point of control can be told for {_market(item)}: {_SESSIONS}."


def _on(item: dict[str, Any], name: str, side: str) -> bool:
    """True for a level on that side of the last close, and for every one where no side is named."""
    level, close = (float(item["values"][each]["value"]) for each in (name, "close"))
    return not side or (level > close if side == "above" else level < close)


def _poor(item: dict[str, Any], end: str) -> str:
    """Poor highs or lows as the brief tells them: only where they still stand."""
    found = re.findall(
        rf"a poor {end} of the (session so far|session before) at \{{(\w+)\}}", str(item.get("brief", ""))
    )
    if _has(item, "period"):
        return _poor_of_period(item, end)
    if found:
        told = ", ".join(
            f"of the {when} at {_at(item, name)} ({_at(item, f'{name}_distance')})" for when, name in found
        )
        return f"Yes, {_market(item)} has a poor {end} {told}."
    if not _has(item, "session_poc"):
        return f"No poor {end} can be told for {_market(item)}: {_SESSIONS}."
    return f"No poor {end} of {_market(item)} stands in this session or the one before."


def _poor_of_period(item: dict[str, Any], end: str) -> str:
    if not _has(item, f"tpo_{end}"):
        return f"No poor {end} can be told {_at(item, 'period')} of {item.get('symbol')}: {_LETTERS}."
    level = f"{_at(item, f'tpo_{end}')} ({_at(item, f'tpo_{end}_distance')})"
    if f"a poor {end} {{tpo_{end}}}" in str(item.get("brief", "")):
        return f"Yes, {_market(item)} left a poor {end} at {level}."
    return f"No poor {end} of {_market(item)}: the {end} was {level}."


def _tpo(item: dict[str, Any]) -> str:
    """The levels of a session's letters: time by price, where a profile is volume by price."""
    if not _has(item, "tpo_poc"):
        return f"No TPO of {_market(item)} can be told: {_LETTERS}."
    value = f"{_at(item, 'tpo_val')} to {_at(item, 'tpo_vah')}"
    poc = f"{_at(item, 'tpo_poc')} ({_at(item, 'tpo_poc_distance')})"
    return f"The TPO point of control of {_market(item)} is {poc}, its value area {value}, by time."


def _accepted(item: dict[str, Any]) -> str:
    """Acceptance or rejection at the edges of value, in the words of the brief."""
    lines = str(item.get("brief", "")).splitlines()
    told = next((line for line in lines if _ACCEPTANCE.match(line)), "")
    if not told:
        return (
            f"Price {_at(item, 'close')} of {_market(item)} is inside value and has not left it lately: no acceptance."
        )
    return f"{_market(item)}: {_filled(item, told[0].lower() + told[1:])}"


def _filled(item: dict[str, Any], text: str) -> str:
    """A line of the brief with its references made to this evidence's."""
    return re.sub(r"\{(\w+)\}", lambda match: _at(item, match[1]), text)


def _level(item: dict[str, Any], *names: str) -> str:
    told = " to ".join(f"{_at(item, name)} ({_at(item, f'{name}_distance')})" for name in names)
    words = _LEVELS[names[0]] if len(names) == 1 else "value area"
    return f"The {words} of {_market(item)} is {told}."


def _nearest(item: dict[str, Any], side: str) -> str:
    """The nearest level by volume on one side of the price, whatever its kind."""
    values = item.get("values", {})
    names = [name for name in values if (name in _LEVELS or _NEAR.fullmatch(name)) and _on(item, name, side)]
    ordered = sorted(names, key=lambda name: abs(float(values[name]["value"]) - float(values["close"]["value"])))
    told = [f"{values[name]['label']} {_at(item, name)} ({_at(item, f'{name}_distance')})" for name in ordered[:3]]
    if not told:
        return f"No level by volume of {_market(item)} is {side} price {_at(item, 'close')} here."
    return f"The nearest levels by volume {side} price on {_market(item)}: {', '.join(told)}."


def _vwap(item: dict[str, Any]) -> str:
    if not _has(item, "vwap"):
        return f"There is no volume-weighted average price of {_market(item)} yet."
    label = "VWAP" if _has(item, "period") else item["values"]["vwap"]["label"]
    return f"The {label} of {_market(item)} is {_at(item, 'vwap')} ({_at(item, 'vwap_distance')})."


def _balance(item: dict[str, Any]) -> str:
    if _has(item, "balance_low"):
        low, high = _at(item, "balance_low"), _at(item, "balance_high")
        return f"The initial balance of {_market(item)} is {low} to {high}, the session's first hour."
    return f"There is no initial balance of {_market(item)} here: it needs a session's first hour in short candles."


def _day(item: dict[str, Any], when: str, words: str) -> str:
    if not _has(item, f"{when}_poc") or not _has(item, f"{when}_val"):
        return f"{words} levels of {_market(item)} are not among these candles, or {_SESSIONS}."
    poc, away = _at(item, f"{when}_poc"), _at(item, f"{when}_poc_distance")
    value = f"{_at(item, f'{when}_val')} to {_at(item, f'{when}_vah')}"
    return f"{words} point of control of {_market(item)} ({_at(item, f'{when}_day')}) is {poc} ({away}), value {value}."


def _nodes(item: dict[str, Any]) -> str:
    found = [
        f"{kind.upper()} {side} {_at(item, f'{kind}_{side}')} ({_at(item, f'{kind}_{side}_distance')})"
        for kind in ("hvn", "lvn")
        for side in ("above", "below")
        if _has(item, f"{kind}_{side}")
    ]
    return f"Nearest volume nodes of {_market(item)}: {', '.join(found) or 'none stands out'}."


def _single_prints(item: dict[str, Any]) -> str:
    if _has(item, "period") and not _has(item, "tpo_poc"):
        return f"No single prints of {_market(item)} can be told: {_LETTERS}."
    if _has(item, "period"):
        low, high = _at(item, "single_low"), _at(item, "single_high")
        told = f"nearest to the price are {low} to {high}" if _has(item, "single_low") else "there were none"
        return f"Single prints of {_market(item)}: {told}."
    if _has(item, "single_low"):
        low, high = _at(item, "single_low"), _at(item, "single_high")
        return f"The nearest single prints of {_market(item)} in this session{_of_day(item)} are {low} to {high}."
    return f"No single prints of {_market(item)} in this session{_of_day(item)}."


def _of_day(item: dict[str, Any]) -> str:
    return f" ({_at(item, 'session_day')})" if _has(item, "session_day") else ""


def unsaid(brief: str, facts: Sequence[str]) -> str:
    """The brief without lines that a fact has told already."""
    told = tuple(_SAID[fact] for fact in facts if fact in _SAID)
    return "\n".join(line for line in brief.splitlines() if not (told and line.startswith(told)))


_FACTS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "naked": _naked,
    "naked above": lambda item: _naked(item, "above"),
    "naked below": lambda item: _naked(item, "below"),
    "poor high": lambda item: _poor(item, "high"),
    "poor low": lambda item: _poor(item, "low"),
    "acceptance": _accepted,
    "value high": lambda item: _level(item, "vah"),
    "value low": lambda item: _level(item, "val"),
    "value area": lambda item: _level(item, "val", "vah"),
    "nearest above": lambda item: _nearest(item, "above"),
    "nearest below": lambda item: _nearest(item, "below"),
    "volume vwap": _vwap,
    "initial balance": _balance,
    "yesterday": lambda item: _day(item, "yesterday", "Yesterday's"),
    "session": lambda item: _day(item, "session", "The session's"),
    "nodes": _nodes,
    "single prints": _single_prints,
    "tpo": _tpo,
}
FACTS: Final = tuple(_FACTS)


def _market(item: dict[str, Any]) -> str:
    """The market with its timeframe, or with the stretch of time that the profile is of."""
    if _has(item, "period"):
        return f"{item.get('symbol')} {_at(item, 'period')}"
    return f"{item.get('symbol')} {item.get('timeframe')}"


def _has(item: dict[str, Any], name: str) -> bool:
    return name in item.get("values", {})


def _at(item: dict[str, Any], name: str) -> str:
    return f"{{{item.get('id') or item.get('kind')}.{name}}}"
