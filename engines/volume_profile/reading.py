"""What the last close's place in the profile says, weighed, and its levels as quotable values."""

from __future__ import annotations

from typing import Final

from engines.domain.evidence import EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.signals import Reason, Signal, distance
from engines.volume_profile.profile import VolumeProfile

# A convention, not the result of any optimisation: outside value the market has moved on, inside it leans at most.
OUTSIDE_WEIGHT: Final = 0.20
INSIDE_WEIGHT: Final = 0.10
# Closer to the POC than this share of the price is on it.
ON_POC: Final = 0.0005

# The three levels in words, with references to `profile_values`.
LEVELS: Final = "point of control {poc} ({poc_distance}), value area {val} ({val_distance}) to {vah} ({vah_distance})"

_LABELS: Final = {"poc": "point of control", "vah": "value area high", "val": "value area low"}


def profile_values(profile: VolumeProfile, instrument: Instrument) -> dict[str, EvidenceValue]:
    """POC, VAH and VAL with their distances from the last close, and that close."""
    close = float(profile.candles.close[-1])
    values = {"close": EvidenceValue(close, "price", instrument.price_text(close), "last close")}
    for name, label in _LABELS.items():
        level = float(getattr(profile, name))
        values[name] = EvidenceValue(level, "price", instrument.price_text(level), label)
        values[f"{name}_distance"] = distance(close, level, f"from the last close to the {label}")
    return values


def read_profile(profile: VolumeProfile, instrument: Instrument) -> Signal:
    """Weigh where the last close stands against the value area and the point of control.

    Returns:
        A signal whose strength is in [-0.2, 0.2].
    """
    candles, values = profile.candles, profile_values(profile, instrument)
    close = float(candles.close[-1])
    if close > profile.vah:
        weight, text = OUTSIDE_WEIGHT, "price {close} is above value, which ends at {vah}"
    elif close < profile.val:
        weight, text = -OUTSIDE_WEIGHT, "price {close} is below value, which begins at {val}"
    else:
        gap = close - profile.poc
        side = "on" if abs(gap) <= ON_POC * close else "over" if gap > 0 else "under"
        weight = {"on": 0.0, "over": INSIDE_WEIGHT, "under": -INSIDE_WEIGHT}[side]
        text = f"price {{close}} is {side} the point of control {{poc}}, inside value"
    reason = Reason("value", weight, text, values)
    return Signal(candles.symbol, candles.timeframe, candles.as_of, (reason,))


def nearest_levels(profile: VolumeProfile) -> tuple[str | None, str | None]:
    """Names of the nearest level under and over the last close, None where there is none."""
    close = float(profile.candles.close[-1])
    levels = sorted((float(getattr(profile, name)), name) for name in _LABELS)
    under = [name for level, name in levels if level < close * (1 - ON_POC)]
    over = [name for level, name in levels if level > close * (1 + ON_POC)]
    return (under[-1] if under else None), (over[0] if over else None)
