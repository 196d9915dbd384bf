"""Divergences, warnings and symbols of the last candles, as reasons that may turn the wave's own."""

from __future__ import annotations

from typing import Final

from engines.cipher.panel import CipherEvent, CipherPanel
from engines.domain.candles import CandleFrame, Floats
from engines.domain.evidence import EvidenceValue
from engines.domain.signals import Reason, moment, points
from engines.domain.timeframe import from_ms

# Conventions, not the result of any optimisation. Dots, divergences and symbols tell of the same turn, so together they
# count no more than a dot does.
TURN_WEIGHT: Final = 0.25
DIVERGENCE_WEIGHTS: Final = {"wt_{}_div": 0.15, "wt_{}_div2": 0.10}
SOMMI_WEIGHT: Final = 0.10
BLOOD_WEIGHT: Final = 0.10
# An event counts for this many candles.
MEMORY: Final = 12
SCHAFF_ENDS: Final = (25.0, 75.0)


def turn_reasons(panel: CipherPanel, dot: Reason | None, cipher_a: CipherPanel | None) -> list[Reason]:
    """The dot and whatever else tells of a turn, weights limited so that they sum to 0.25 at most either way."""
    told = [dot, _divergence(panel), _sommi(panel), _blood(cipher_a) if cipher_a is not None else None]
    limited, total = [], 0.0
    for reason in told:
        if reason is None:
            continue
        weight = max(-TURN_WEIGHT, min(TURN_WEIGHT, total + reason.weight)) - total
        total += weight
        limited.append(Reason(reason.name, round(weight, 12), reason.text, reason.values, reason.turns))
    gold = _gold(panel)
    return [*limited, *([gold] if gold is not None else [])]


def schaff(panel: CipherPanel) -> Reason | None:
    """The Schaff cycle at an end of its range; told, never weighed: it may stay there for a long time."""
    value = float(panel.stc[-1])
    low, high = SCHAFF_ENDS
    # Exactly 0 is also what it shows before it has begun.
    if low < value < high or not panel.stc.any():
        return None
    words = "near the top of its range" if value >= high else "near the bottom of its range"
    return Reason("schaff", 0.0, f"Schaff cycle {{stc}} {words}", {"stc": points(value, "Schaff trend cycle")})


def age_words(panel: CipherPanel, event: CipherEvent) -> str:
    """How long ago it became knowable, in candles."""
    age = len(panel.candles) - 1 - event.confirmed_index
    return "on this candle" if age == 0 else "1 candle ago" if age == 1 else f"{age} candles ago"


def _recent(panel: CipherPanel, *names: str) -> CipherEvent | None:
    event = panel.last_event(*names)
    return event if event is not None and len(panel.candles) - 1 - event.confirmed_index <= MEMORY else None


def _divergence(panel: CipherPanel) -> Reason | None:
    weights = {
        pattern.format(side): (weight if side == "bull" else -weight)
        for pattern, weight in DIVERGENCE_WEIGHTS.items()
        for side in ("bull", "bear")
    }
    event = _recent(panel, *weights)
    if event is None or event.previous_pivot_index is None:
        return None
    # Of those on one candle the one within the stricter limit counts.
    stricter = event.name.removesuffix("2")
    name = stricter if panel.flags(stricter)[event.confirmed_index] else event.name
    bull = "bull" in name
    gold = bull and bool(panel.flags("gold_dot")[event.confirmed_index])
    kind, other, way = ("low", "lower", "under") if bull else ("high", "higher", "over")
    prices = panel.candles.low if bull else panel.candles.high
    values = {
        **event_values(panel, event, "divergence"),
        "divergence_pivot_wt2": _wave(panel.wt2, event.pivot_index, f"slow wave at the {kind}"),
        "divergence_previous_wt2": _wave(panel.wt2, event.previous_pivot_index, f"slow wave at the {kind} before"),
        "divergence_previous_time": _opened(panel.candles, event.previous_pivot_index, f"the {kind} before, opened"),
        "divergence_level": _price(float(prices[event.pivot_index]), f"price of the {kind}"),
    }
    text = (
        f"{'bullish' if bull else 'bearish'} divergence: a {other} {kind} in price at {{divergence_pivot_time}} "
        f"but {{divergence_pivot_wt2}} in the slow wave against {{divergence_previous_wt2}} at "
        "{divergence_previous_time}, knowable since {divergence_time}"
    )
    return Reason("divergence", 0.0 if gold else weights[name], text, values, f"a close {way} {{divergence_level}}")


def _gold(panel: CipherPanel) -> Reason | None:
    event = _recent(panel, "gold_dot")
    if event is None:
        return None
    text = "gold dot {gold_age}, a warning: a deeper low often follows it, so its divergence counts for nothing"
    return Reason("gold", 0.0, text, event_values(panel, event, "gold"))


def _sommi(panel: CipherPanel) -> Reason | None:
    event = _recent(panel, "sommi_bull", "sommi_bear", "sommi_bull_diamond", "sommi_bear_diamond")
    if event is None:
        return None
    bull = "bull" in event.name
    side = "bullish" if bull else "bearish"
    what = "diamond" if event.name.endswith("diamond") else "flag"
    return Reason(
        "sommi",
        SOMMI_WEIGHT if bull else -SOMMI_WEIGHT,
        f"{side} Sommi {what} {{sommi_age}}, with the closed candles of its higher timeframes",
        event_values(panel, event, "sommi"),
        turns=f"a {'bearish' if bull else 'bullish'} Sommi {what}",
    )


def _blood(panel: CipherPanel) -> Reason | None:
    event = _recent(panel, "blood_diamond")
    if event is None:
        return None
    text = "blood diamond {blood_age}: the waves and the fastest averages crossed down on one candle"
    return Reason("blood_diamond", -BLOOD_WEIGHT, text, event_values(panel, event, "blood"), "a moon diamond")


def event_values(panel: CipherPanel, event: CipherEvent, prefix: str) -> dict[str, EvidenceValue]:
    """How long ago an event became knowable, when that was, and where its pivot lies if it has one."""
    words = age_words(panel, event)
    what = event.name.replace("_", " ")
    known = moment(from_ms(event.confirmed_time), f"when the last {what} became knowable")
    values = {
        f"{prefix}_age": EvidenceValue(words, "text", words, f"when the last {what} was"),
        f"{prefix}_time": known,
    }
    if event.pivot_index != event.confirmed_index:
        values[f"{prefix}_pivot_time"] = _opened(panel.candles, event.pivot_index, f"pivot of the last {what}, opened")
    return values


def _wave(wave: Floats, row: int, label: str) -> EvidenceValue:
    return points(float(wave[row]), label, signed=True)


def _opened(candles: CandleFrame, row: int, label: str) -> EvidenceValue:
    return moment(from_ms(int(candles.open_time[row])), label)


def _price(value: float, label: str) -> EvidenceValue:
    """A candle's price as the market gave it."""
    return EvidenceValue(value, "price", f"{value:,.10g}", label)
