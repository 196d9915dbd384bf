"""Facts of a volume profile as one sentence each, for a question that names one: "yesterday's POC", "naked POCs"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

_SESSIONS: Final = "sessions need candles of four hours or less behind the profile"


def profile_facts(evidence: Sequence[dict[str, Any]], facts: Sequence[str]) -> list[str]:
    """One sentence for each fact that was asked for and each profile, with references for its figures."""
    profiles = [item for item in evidence if item.get("kind") == "volume"]
    return [_FACTS[fact](item) for item in profiles for fact in facts if fact in _FACTS]


def _naked(item: dict[str, Any]) -> str:
    found = [
        f"{_at(item, f'naked_{side}')} ({_at(item, f'naked_{side}_distance')}) of {_at(item, f'naked_{side}_session')}"
        for side in ("above", "below")
        if _has(item, f"naked_{side}")
    ]
    if found:
        return f"Nearest naked points of control of {_market(item)}: {', '.join(found)}."
    if _has(item, "session_poc"):
        return f"No naked point of control of {_market(item)} in these candles: price came back to every one."
    return f"No naked point of control can be told for {_market(item)}: {_SESSIONS}."


def _vwap(item: dict[str, Any]) -> str:
    if not _has(item, "vwap"):
        return f"There is no volume-weighted average price of {_market(item)} yet."
    label = item["values"]["vwap"]["label"]
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
    if _has(item, "single_low"):
        low, high = _at(item, "single_low"), _at(item, "single_high")
        return f"The nearest single prints of {_market(item)} in this session are {low} to {high}."
    return f"No single prints of {_market(item)} in this session."


_FACTS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "naked": _naked,
    "volume vwap": _vwap,
    "initial balance": _balance,
    "yesterday": lambda item: _day(item, "yesterday", "Yesterday's"),
    "session": lambda item: _day(item, "session", "The session's"),
    "nodes": _nodes,
    "single prints": _single_prints,
}
FACTS: Final = tuple(_FACTS)


def _market(item: dict[str, Any]) -> str:
    return f"{item.get('symbol')} {item.get('timeframe')}"


def _has(item: dict[str, Any], name: str) -> bool:
    return name in item.get("values", {})


def _at(item: dict[str, Any], name: str) -> str:
    return f"{{{item.get('id') or item.get('kind')}.{name}}}"
