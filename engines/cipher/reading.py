"""What the panel's last candle says, weighed: the same observations for an analysis and for an order's evidence."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.cipher.panel import CipherEvent, CipherPanel
from engines.cipher.params import VUMANCHU_B
from engines.cipher.reading_events import MEMORY, TURN_WEIGHT, event_values, schaff, turn_reasons
from engines.domain.evidence import EvidenceValue
from engines.domain.signals import Reason, Signal, points, strongest_first

# The weights are a convention, not the result of any optimisation: waves and dots first, as the panel is read by eye.
# With the volume profile's 0.20 the strongest agreement of both engines is 1.
WAVE_WEIGHT: Final = 0.25
MONEY_FLOW_WEIGHT: Final = 0.15
RSI_WEIGHT: Final = 0.10
STOCH_WEIGHT: Final = 0.05

OVERSOLD_RSI: Final = VUMANCHU_B.rsi_oversold
OVERBOUGHT_RSI: Final = VUMANCHU_B.rsi_overbought
NEUTRAL_RSI: Final = (45.0, 55.0)

_LABELS: Final = {
    "wt1": "fast wave",
    "wt2": "slow wave",
    "vwap": "fast minus slow wave",
    "money_flow": "money flow",
    "rsi": "RSI",
    "stoch_k": "Stoch RSI K",
    "stoch_d": "Stoch RSI D",
    "stc": "Schaff trend cycle",
}
_SIGNED: Final = frozenset({"wt1", "wt2", "vwap", "money_flow"})


def panel_values(panel: CipherPanel) -> dict[str, EvidenceValue]:
    """Every column at the last closed candle, by its name."""
    latest = panel.latest()
    return {name: points(latest[name], label, signed=name in _SIGNED) for name, label in _LABELS.items()}


def last_dot_values(panel: CipherPanel) -> dict[str, EvidenceValue]:
    """Colour, age, level and time of the newest dot, however old; nothing where there was none."""
    dot = panel.last_event("green_dot", "red_dot")
    if dot is None:
        return {}
    colour = dot.name.replace("_", " ")
    values = {"last_dot": EvidenceValue(colour, "text", colour, "last dot")}
    return values | _event_values(panel, dot, "last_dot")


def read_panel(panel: CipherPanel, *, cipher_a: CipherPanel | None = None) -> Signal:
    """Weigh waves, the last dot, divergence and symbol, money flow, RSI and Stoch RSI at the last closed candle.

    No look-ahead: every event is read from the candle that confirmed it on. Undefined values give no reason, and a flat
    market gives none at all but says so in `caveat`. A gold dot and the Schaff cycle are told with no weight.

    Args:
        panel: of Cipher B.
        cipher_a: the other panel of the same candles, where its blood diamond is to be read too.

    Returns:
        A signal whose strength is in [-0.8, 0.8]. What would end a reason is in its `turns`.
    """
    candles = panel.candles
    if panel.flat[-1]:
        caveat = f"{candles.symbol} {candles.timeframe} has not moved for so long that its waves mean nothing"
        return Signal(candles.symbol, candles.timeframe, candles.as_of, caveat=caveat)
    turns = turn_reasons(panel, _dot(panel), cipher_a)
    found = [_wave(panel), *turns, _money_flow(panel), _rsi(panel), _stoch(panel), schaff(panel)]
    reasons = strongest_first([reason for reason in found if reason is not None])
    return Signal(candles.symbol, candles.timeframe, candles.as_of, reasons)


def _wave(panel: CipherPanel) -> Reason | None:
    difference = float(panel.vwap[-1])
    if np.isnan(difference) or difference == 0.0:
        return None
    rises = difference > 0
    values = {name: panel_values(panel)[name] for name in ("wt1", "wt2")}
    cross = panel.last_event("cross_up" if rises else "cross_down")
    way, over = ("up", "over") if rises else ("down", "under")
    told = f"wave trend points {way}"
    if cross is not None:
        values |= _event_values(panel, cross, "cross")
        told = f"wave trend crossed {way} {{cross_age}} from {{cross_wt2}}"
    return Reason(
        "wave",
        WAVE_WEIGHT if rises else -WAVE_WEIGHT,
        f"{told} (fast wave {{wt1}} {over} slow {{wt2}})",
        values,
        turns=f"the waves crossing {'down' if rises else 'up'}",
    )


def _dot(panel: CipherPanel) -> Reason | None:
    dot = panel.last_event("green_dot", "red_dot")
    if dot is None or len(panel.wt1) - 1 - dot.index > MEMORY:
        return None
    green = dot.name == "green_dot"
    return Reason(
        "dot",
        TURN_WEIGHT if green else -TURN_WEIGHT,
        f"{'green' if green else 'red'} dot {{last_dot_age}} at {{last_dot_wt2}}, knowable since {{last_dot_time}}",
        _event_values(panel, dot, "last_dot"),
        turns=f"a {'red' if green else 'green'} dot",
    )


def _money_flow(panel: CipherPanel) -> Reason | None:
    flow = panel.money_flow
    if np.isnan(flow[-1]) or flow[-1] == 0.0:
        return None
    above = bool(flow[-1] > 0)
    recent = flow[-4:-1]
    returned = bool(np.any(recent <= 0 if above else recent >= 0))
    side, other = ("above", "under") if above else ("under", "above")
    return Reason(
        "money_flow",
        MONEY_FLOW_WEIGHT if above else -MONEY_FLOW_WEIGHT,
        f"money flow {'back ' if returned else ''}{side} zero at {{money_flow}}",
        {"money_flow": panel_values(panel)["money_flow"]},
        turns=f"money flow {other} zero",
    )


def _rsi(panel: CipherPanel) -> Reason | None:
    rsi = float(panel.rsi[-1])
    low, high = NEUTRAL_RSI
    if np.isnan(rsi) or low <= rsi <= high:
        return None
    if rsi <= OVERSOLD_RSI:
        weight, words = RSI_WEIGHT, "is oversold"
    elif rsi >= OVERBOUGHT_RSI:
        weight, words = -RSI_WEIGHT, "is overbought"
    elif rsi > high:
        weight, words = RSI_WEIGHT / 2, "is on the strong side"
    else:
        weight, words = -RSI_WEIGHT / 2, "is on the weak side"
    return Reason("rsi", weight, f"RSI {{rsi}} {words}", {"rsi": panel_values(panel)["rsi"]})


def _stoch(panel: CipherPanel) -> Reason | None:
    difference = float(panel.stoch_k[-1] - panel.stoch_d[-1])
    if np.isnan(difference) or abs(difference) < 1e-9:
        return None
    rises = difference > 0
    return Reason(
        "stoch",
        STOCH_WEIGHT if rises else -STOCH_WEIGHT,
        f"Stoch RSI K {{stoch_k}} {'over' if rises else 'under'} D {{stoch_d}}",
        {name: panel_values(panel)[name] for name in ("stoch_k", "stoch_d")},
    )


def _event_values(panel: CipherPanel, event: CipherEvent, prefix: str) -> dict[str, EvidenceValue]:
    label = f"slow wave at the last {event.name.replace('_', ' ')}"
    return {
        **event_values(panel, event, prefix),
        f"{prefix}_wt2": points(float(panel.wt2[event.index]), label, signed=True),
    }
