"""The newest marks of a panel, however old: what a question that names one is answered from."""

from __future__ import annotations

from typing import Final

from engines.cipher import CipherEvent, CipherPanel
from engines.cipher.reading_events import age_words
from engines.domain.evidence import EvidenceValue
from engines.domain.signals import moment
from engines.domain.timeframe import from_ms
from tools.mark_wording import mark_name

_MARKS: Final = {
    "last_divergence": ("wt_bull_div", "wt_bear_div", "wt_bull_div2", "wt_bear_div2"),
    "last_hidden": ("wt_hidden_bull_div", "wt_hidden_bear_div"),
    "last_rsi_divergence": ("rsi_bull_div", "rsi_bear_div"),
    "last_gold": ("gold_dot",),
}


def last_mark_values(panel: CipherPanel) -> dict[str, EvidenceValue]:
    """Name, age, pivot and time of the newest wave, hidden and RSI divergence and gold dot; nothing where none was."""
    values: dict[str, EvidenceValue] = {}
    for prefix, names in _MARKS.items():
        event = panel.last_event(*names)
        if event is not None:
            values |= _values(panel, _stricter(panel, event), prefix)
    return values


def _stricter(panel: CipherPanel, event: CipherEvent) -> CipherEvent:
    """Of the two ranges of a divergence on one candle, the main one."""
    name = event.name.removesuffix("2")
    if name == event.name or not panel.flags(name)[event.confirmed_index]:
        return event
    return next(found for found in panel.events(event.confirmed_index, (name,)) if found.index == event.index)


def _values(panel: CipherPanel, event: CipherEvent, prefix: str) -> dict[str, EvidenceValue]:
    name, age = mark_name(event.name), age_words(panel, event)
    opened = from_ms(int(panel.candles.open_time[event.pivot_index]))
    return {
        prefix: EvidenceValue(name, "text", name, "the last one"),
        f"{prefix}_age": EvidenceValue(age, "text", age, f"when the last {name} was"),
        f"{prefix}_pivot": moment(opened, f"open of the candle the last {name} is drawn at"),
        f"{prefix}_time": moment(from_ms(event.confirmed_time), f"when the last {name} became knowable"),
    }
