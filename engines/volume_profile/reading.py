"""What the last close's place in the profile says, weighed, and its levels as quotable values."""

from __future__ import annotations

from typing import Final

from engines.domain.evidence import EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.signals import Reason, Signal, distance, strongest_first
from engines.volume_profile.profile import VolumeProfile
from engines.volume_profile.summary import Levels

# A convention, not the result of any optimisation: outside value the market has moved on, inside it leans at most.
# Place in value counts for half of a reading of levels, acceptance and the average's side for a quarter each.
OUTSIDE_WEIGHT: Final = 0.10
INSIDE_WEIGHT: Final = 0.05
ACCEPTANCE_WEIGHT: Final = 0.05
AVERAGE_WEIGHT: Final = 0.05
# Closer to a level than this share of the price is on it.
ON_POC: Final = 0.0005

# The three levels in words, with references to `profile_values`.
LEVELS: Final = "point of control {poc} ({poc_distance}), value area {val} ({val_distance}) to {vah} ({vah_distance})"

_LABELS: Final = {"poc": "point of control", "vah": "value area high", "val": "value area low"}


def profile_values(profile: VolumeProfile, instrument: Instrument) -> dict[str, EvidenceValue]:
    """POC, VAH and VAL with their distances from the last close, and that close."""
    close = float(profile.candles.close[-1])
    values = {"close": price_value(close, instrument, "last close")}
    for name, label in _LABELS.items():
        values |= level_values(name, float(getattr(profile, name)), close, instrument, label)
    return values


def price_value(price: float, instrument: Instrument, label: str) -> EvidenceValue:
    """A price as an evidence value, in the instrument's steps."""
    return EvidenceValue(price, "price", instrument.price_text(price), label)


def level_values(name: str, level: float, close: float, instrument: Instrument, label: str) -> dict[str, EvidenceValue]:
    """A level by its name, and its distance from the last close as `<name>_distance`."""
    return {
        name: price_value(level, instrument, label),
        f"{name}_distance": distance(close, level, f"from the last close to the {label}"),
    }


def read_levels(levels: Levels) -> Signal:
    """Weigh the place in value, acceptance or rejection at its edges, and the side of the average price.

    Of 0.20 at most, place in value takes 0.10 outside and 0.05 inside, acceptance and the average 0.05 each.

    Returns:
        A signal whose strength is in [-0.2, 0.2]; an average that is at the price gives no reason.
    """
    candles = levels.desk.candles
    found = [_place(levels.desk.profile, levels.instrument), _acceptance(levels), _average(levels)]
    reasons = strongest_first([reason for reason in found if reason is not None])
    return Signal(candles.symbol, candles.timeframe, candles.as_of, reasons)


def nearest_levels(profile: VolumeProfile) -> tuple[str | None, str | None]:
    """Names of the nearest level under and over the last close, None where there is none."""
    close = float(profile.candles.close[-1])
    levels = sorted((float(getattr(profile, name)), name) for name in _LABELS)
    under = [name for level, name in levels if level < close * (1 - ON_POC)]
    over = [name for level, name in levels if level > close * (1 + ON_POC)]
    return (under[-1] if under else None), (over[0] if over else None)


def _place(profile: VolumeProfile, instrument: Instrument) -> Reason:
    close = float(profile.candles.close[-1])
    if close > profile.vah:
        weight, text = OUTSIDE_WEIGHT, "price {close} is above value, which ends at {vah}"
    elif close < profile.val:
        weight, text = -OUTSIDE_WEIGHT, "price {close} is below value, which begins at {val}"
    else:
        gap = close - profile.poc
        side = "on" if abs(gap) <= ON_POC * close else "over" if gap > 0 else "under"
        weight = {"on": 0.0, "over": INSIDE_WEIGHT, "under": -INSIDE_WEIGHT}[side]
        text = f"price {{close}} is {side} the point of control {{poc}}, inside value"
    return Reason("value", weight, text, profile_values(profile, instrument))


def _acceptance(levels: Levels) -> Reason | None:
    """Accepted outside value, or turned back at an edge of it; nothing where value was not left."""
    found = levels.acceptance
    if found.place == "inside" and found.left is None:
        return None
    above = (found.left or found.place) == "above"
    edge, side = ("vah", "over") if above else ("val", "under")
    closes = _count(found.closes, "close in a row", "closes in a row", f"closes {found.place} value")
    values = {name: profile_values(levels.desk.profile, levels.instrument)[name] for name in ("close", edge)}
    values["value_closes"] = closes
    if found.place != "inside":
        weight = (ACCEPTANCE_WEIGHT if above else -ACCEPTANCE_WEIGHT) if found.accepted else 0.0
        told = f"accepted {found.place} value" if found.accepted else f"not yet accepted {found.place} value"
        back = "under" if above else "over"
        turns = f"a close back inside value, {back} {{{edge}}}"
        return Reason("acceptance", weight, f"{told}: {{value_closes}} {side} {{{edge}}}", values, turns=turns)
    values["excursion"] = price_value(
        found.furthest, levels.instrument, f"furthest price {found.left} value since it was last left"
    )
    values["excursion_age"] = candles_ago(found.age, f"when price was last {found.left} value")
    if found.accepted:
        text = f"back inside value from {found.left}: {{value_closes}} after {{excursion}}"
    else:
        way, back = ("up", "under") if above else ("down", "over")
        text = f"rejected {found.left} value: traded {way} to {{excursion}} and closed back {back} {{{edge}}}"
    text += ", last out there {excursion_age}"
    # Whether it was turned back at once or after a stay outside: the way leads back through value.
    return Reason("acceptance", -ACCEPTANCE_WEIGHT if above else ACCEPTANCE_WEIGHT, text, values)


def _average(levels: Levels) -> Reason | None:
    average, close = levels.average, levels.close
    if average is None:
        return None
    label = f"{average.period}'s VWAP"
    values = {"close": price_value(close, levels.instrument, "last close")}
    values |= level_values("vwap", average.vwap, close, levels.instrument, label)
    gap = close - average.vwap
    if abs(gap) <= ON_POC * close:
        return Reason("vwap", 0.0, f"price {{close}} is on the {label} {{vwap}}", values)
    side, weight = ("over", AVERAGE_WEIGHT) if gap > 0 else ("under", -AVERAGE_WEIGHT)
    text = f"price is {side} the {label} {{vwap}}"
    if average.sigma > 0:
        deviations = abs(gap) / average.sigma
        values["vwap_deviations"] = EvidenceValue(
            deviations, "ratio", f"{deviations:.1f}", f"deviations between the last close and the {label}"
        )
        text += ", {vwap_deviations} deviations away"
    back = "under" if gap > 0 else "over"
    return Reason("vwap", weight, text, values, turns=f"a close {back} the {label} {{vwap}}")


def candles_ago(age: int, label: str) -> EvidenceValue:
    """How long ago in candles, in words."""
    words = "on this candle" if age == 0 else "1 candle ago" if age == 1 else f"{age} candles ago"
    return EvidenceValue(words, "text", words, label)


def _count(count: int, one: str, many: str, label: str) -> EvidenceValue:
    return EvidenceValue(count, "count", f"{count} {one if count == 1 else many}", label)
