"""The panel's facts as one sentence each, for a question that names one: "is there a green dot on BTC 4h?"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

_OVERSOLD_RSI: Final = 30.0
_OVERBOUGHT_RSI: Final = 70.0
_MARKS: Final = {
    "gold dot": ("last_gold", "gold dot"),
    "divergence": ("last_divergence", "divergence"),
    "hidden divergence": ("last_hidden", "hidden divergence"),
    "rsi divergence": ("last_rsi_divergence", "RSI divergence"),
}
_ON_THIS: Final = "on this candle"


def named_facts(evidence: Sequence[dict[str, Any]], facts: Sequence[str]) -> list[str]:
    """One sentence for each fact that was asked for and each panel that has it, with references for its figures."""
    panels = [item for item in evidence if item.get("kind") == "cipher"]
    return [sentence for item in panels for fact in facts if fact in _FACTS and (sentence := _FACTS[fact](item, fact))]


def _dot(item: dict[str, Any], colour: str) -> str:
    """Whether the last candle has this dot; evidence holds only the last dot of either colour."""
    last, where = _words(item, "last_dot"), f"on the last candle of {_market(item)}"
    if last is None:
        return f"No {colour} {where}; there is none in these candles."
    if last != colour:
        return f"No {colour} {where}; the last dot was a {last}, {{{_at(item, 'last_dot_age')}}}."
    if _words(item, "last_dot_age") == _ON_THIS:
        return f"Yes, a {colour} {where}, at {{{_at(item, 'last_dot_wt2')}}}."
    return f"No {colour} {where}; the last one was {{{_at(item, 'last_dot_age')}}}, at {{{_at(item, 'last_dot_wt2')}}}."


def _mark(item: dict[str, Any], fact: str) -> str:
    """Whether the last candle has a mark of this kind; else the newest one, where it is drawn and since when known."""
    prefix, what = _MARKS[fact]
    last, where = _words(item, prefix), f"on the last candle of {_market(item)}"
    if last is None:
        return f"No {what} {where}; there is none in these candles."
    drawn = f"drawn at {{{_at(item, f'{prefix}_pivot')}}}, knowable since {{{_at(item, f'{prefix}_time')}}}"
    warning = "; its author meant it as a warning" if fact == "gold dot" else ""
    if _words(item, f"{prefix}_age") == _ON_THIS:
        return f"Yes, a {last} {where}, {drawn}{warning}."
    return f"No {what} {where}; the last one was a {last} {{{_at(item, f'{prefix}_age')}}}, {drawn}{warning}."


def _schaff(item: dict[str, Any], _: str) -> str:
    if _value(item, "stc") is None:
        return ""
    return f"Schaff cycle of {_market(item)} is {{{_at(item, 'stc')}}}, from `0` to `100`."


def _rsi(item: dict[str, Any], _: str) -> str:
    rsi = _value(item, "rsi")
    if rsi is None:
        return ""
    state = (
        "oversold (`30` or less)"
        if rsi <= _OVERSOLD_RSI
        else "overbought (`70` or more)"
        if rsi >= _OVERBOUGHT_RSI
        else "neither oversold (`30`) nor overbought (`70`)"
    )
    return f"RSI of {_market(item)} is {{{_at(item, 'rsi')}}}, {state}."


def _stoch(item: dict[str, Any], _: str) -> str:
    k, d = _value(item, "stoch_k"), _value(item, "stoch_d")
    if k is None or d is None:
        return ""
    return (
        f"Stoch RSI of {_market(item)}: K {{{_at(item, 'stoch_k')}}} {_against(k, d)} D {{{_at(item, 'stoch_d')}}}, "
        "from `0` to `100`."
    )


def _money_flow(item: dict[str, Any], _: str) -> str:
    flow = _value(item, "money_flow")
    if flow is None:
        return ""
    return f"Money flow of {_market(item)} is {{{_at(item, 'money_flow')}}}, {_against(flow, 0.0)} zero."


def _waves(item: dict[str, Any], _: str) -> str:
    fast, slow = _value(item, "wt1"), _value(item, "wt2")
    if fast is None or slow is None:
        return ""
    return (
        f"Wave trend of {_market(item)}: fast wave {{{_at(item, 'wt1')}}} {_against(fast, slow)} slow "
        f"{{{_at(item, 'wt2')}}}."
    )


_FACTS: Final[dict[str, Callable[[dict[str, Any], str], str]]] = {
    "green dot": _dot,
    "red dot": _dot,
    "gold dot": _mark,
    "divergence": _mark,
    "hidden divergence": _mark,
    "rsi divergence": _mark,
    "schaff": _schaff,
    "rsi": _rsi,
    "stoch": _stoch,
    "money flow": _money_flow,
    "waves": _waves,
}


def _against(one: float, other: float) -> str:
    return "over" if one > other else "under" if one < other else "at"


def _market(item: dict[str, Any]) -> str:
    return f"{item.get('symbol')} {item.get('timeframe')}"


def _at(item: dict[str, Any], name: str) -> str:
    return f"{item.get('id') or item.get('kind')}.{name}"


def _words(item: dict[str, Any], name: str) -> str | None:
    value = item.get("values", {}).get(name)
    return str(value.get("text")) if value else None


def _value(item: dict[str, Any], name: str) -> float | None:
    number = item.get("values", {}).get(name, {}).get("value")
    return float(number) if isinstance(number, int | float) and not isinstance(number, bool) else None
