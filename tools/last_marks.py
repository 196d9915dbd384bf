"""The newest marks of a panel, however old: what a question that names one is answered from."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from engines.cipher import CipherEvent, CipherPanel
from engines.cipher.reading_events import age_words
from engines.domain.evidence import EvidenceValue
from engines.domain.signals import moment
from engines.domain.timeframe import from_ms, to_ms
from tools.mark_wording import mark_name

_MARKS: Final = {
    "last_divergence": ("wt_bull_div", "wt_bear_div", "wt_bull_div2", "wt_bear_div2"),
    "last_hidden": ("wt_hidden_bull_div", "wt_hidden_bear_div"),
    "last_rsi_divergence": ("rsi_bull_div", "rsi_bear_div"),
    "last_gold": ("gold_dot",),
    "last_bull_divergence": ("wt_bull_div", "wt_bull_div2"),
    "last_bear_divergence": ("wt_bear_div", "wt_bear_div2"),
    "last_bull_hidden": ("wt_hidden_bull_div",),
    "last_bear_hidden": ("wt_hidden_bear_div",),
    "last_bull_rsi_divergence": ("rsi_bull_div",),
    "last_bear_rsi_divergence": ("rsi_bear_div",),
}
# Dots that may be counted and listed; so many of them are listed at most.
_COUNTED: Final = {"green": "green_dot", "red": "red_dot", "gold": "gold_dot"}
LISTED: Final = 5


def last_mark_values(panel: CipherPanel) -> dict[str, EvidenceValue]:
    """Name, age, pivot and time of the newest wave, hidden and RSI divergence and gold dot; nothing where none was."""
    values: dict[str, EvidenceValue] = {}
    for prefix, names in _MARKS.items():
        event = panel.last_event(*names)
        if event is not None:
            values |= _values(panel, _stricter(panel, event), prefix)
    return values


def dot_values(panel: CipherPanel) -> dict[str, EvidenceValue]:
    """Of each colour of dot the newest times, and how many there were today, this week and in these candles; UTC."""
    values: dict[str, EvidenceValue] = {}
    now = panel.candles.as_of
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = {"today": to_ms(today), "week": to_ms(today - timedelta(days=today.weekday()))}
    first = int(panel.candles.open_time[0])
    for colour, name in _COUNTED.items():
        known = [event.confirmed_time for event in panel.events(0, (name,))]
        for number, time in enumerate(reversed(known[-LISTED:]), 1):
            values[f"{colour}_{number}"] = moment(from_ms(time), f"close of a candle with a {colour} dot")
        values[f"{colour}_count"] = _count(len(known), f"{colour} dots in these candles")
        for period, begin in begins.items():
            # A period that these candles do not reach back to cannot be counted.
            if begin >= first:
                count = sum(time > begin for time in known)
                values[f"{colour}_{period}"] = _count(count, f"{colour} dots since {from_ms(begin):%Y-%m-%d %H:%M} UTC")
    values["dots_since"] = moment(from_ms(first), "open of the first of these candles")
    return values


def _count(count: int, label: str) -> EvidenceValue:
    return EvidenceValue(count, "count", str(count), label)


def _stricter(panel: CipherPanel, event: CipherEvent) -> CipherEvent:
    """Of the two ranges of a divergence on one candle, the main one."""
    name = event.name.removesuffix("2")
    if name == event.name or not panel.flags(name)[event.confirmed_index]:
        return event
    return next(found for found in panel.events(event.confirmed_index, (name,)) if found.index == event.index)


def _values(panel: CipherPanel, event: CipherEvent, prefix: str) -> dict[str, EvidenceValue]:
    name, age = mark_name(event.name), age_words(panel, event)
    ago = len(panel.candles) - 1 - event.confirmed_index
    opened = from_ms(int(panel.candles.open_time[event.pivot_index]))
    return {
        prefix: EvidenceValue(name, "text", name, "the last one"),
        f"{prefix}_age": EvidenceValue(ago, "count" if ago else "text", age, f"candles since the last {name}"),
        f"{prefix}_pivot": moment(opened, f"open of the candle the last {name} is drawn at"),
        f"{prefix}_time": moment(from_ms(event.confirmed_time), f"when the last {name} became knowable"),
    }
