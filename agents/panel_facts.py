"""The panel's facts as one sentence each, for a question that names one: "is there a green dot on BTC 4h?"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

_MARKS: Final = {
    "gold dot": ("last_gold", "gold dot"),
    "divergence": ("last_divergence", "divergence"),
    "hidden divergence": ("last_hidden", "hidden divergence"),
    "rsi divergence": ("last_rsi_divergence", "RSI divergence"),
    "bullish divergence": ("last_bull_divergence", "bullish divergence"),
    "bearish divergence": ("last_bear_divergence", "bearish divergence"),
    "bullish hidden divergence": ("last_bull_hidden", "hidden bullish divergence"),
    "bearish hidden divergence": ("last_bear_hidden", "hidden bearish divergence"),
    "bullish rsi divergence": ("last_bull_rsi_divergence", "bullish RSI divergence"),
    "bearish rsi divergence": ("last_bear_rsi_divergence", "bearish RSI divergence"),
}
_PERIODS: Final = {"today": "today (UTC)", "week": "this week, since Monday (UTC)"}
# Where the panel colours the RSI, for evidence that does not say.
_BANDS: Final = {"rsi_oversold": 30.0, "rsi_overbought": 60.0}
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


def _list(item: dict[str, Any], fact: str) -> str:
    """The newest dots of one colour by the closes of their candles."""
    _, colour, _, most = fact.split()
    names = [f"{colour}_{number}" for number in range(1, int(most) + 1)]
    found = [f"{{{_at(item, name)}}}" for name in names if _words(item, name)]
    if not found:
        return f"No {colour} dot on {_market(item)} in these candles."
    return f"The last {colour} dots on {_market(item)} closed at {', '.join(found)}."


def _number(item: dict[str, Any], fact: str) -> str:
    """How many dots of one colour there were, in the period that was named or else in these candles."""
    _, colour, _, *period = fact.split()
    if period and _words(item, f"{colour}_{period[0]}") is not None:
        return f"Dots on {_market(item)} {_PERIODS[period[0]]}: {{{_at(item, f'{colour}_{period[0]}')}}} {colour}."
    told = f"{{{_at(item, f'{colour}_count')}}} {colour} since {{{_at(item, 'dots_since')}}}"
    short = " (these candles do not reach back to the beginning of that period)" if period else ""
    return f"Dots on {_market(item)}: {told}{short}."


def _schaff(item: dict[str, Any], _: str) -> str:
    if _value(item, "stc") is None:
        return ""
    return f"Schaff cycle of {_market(item)} is {{{_at(item, 'stc')}}}, from `0` to `100`."


def _rsi(item: dict[str, Any], _: str) -> str:
    rsi = _value(item, "rsi")
    if rsi is None:
        return ""
    given = {**_BANDS, **item.get("parameters", {})}
    low, high = float(given["rsi_oversold"]), float(given["rsi_overbought"])
    state = (
        f"oversold ({low:g} or less)"
        if rsi <= low
        else f"overbought ({high:g} or more)"
        if rsi >= high
        else f"neither oversold ({low:g}) nor overbought ({high:g})"
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
    **dict.fromkeys(_MARKS, _mark),
    **{f"list {colour} dot {most}": _list for colour in ("green", "red", "gold") for most in range(2, 6)},
    **{f"count {colour} dot{when}": _number for colour in ("green", "red", "gold") for when in ("", " week", " today")},
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
