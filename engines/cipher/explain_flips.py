"""The smallest change of one input that turns an event, found by search and verified by recomputing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from engines.cipher.explained import PRICES, Condition, Flip
from engines.cipher.params import CipherAParams, CipherParams
from engines.domain.candles import Floats
from engines.errors import InvalidRequest

Params = CipherParams | CipherAParams
# Open, high, low and close of one candle, quote units.
Candle = tuple[float, float, float, float]

_PLACES: Final = {"open": 0, "high": 1, "low": 2, "close": 3}
# A high is tried up to twice itself and a low down to half; open and close stay between them.
_FARTHEST: Final = 2.0
# Nothing is assumed to be monotone, so the whole way is scanned before the first turn on it is narrowed down.
_SCAN: Final = np.unique(np.concatenate((np.geomspace(1e-6, 1.0, 36), np.linspace(0.0, 1.0, 29)[1:])))
_CLOSER: Final = np.linspace(0.0, 1.0, 18)[1:-1]
_HALVINGS: Final = 40
_LEVEL_DECIMALS: Final = 2


def price_flips(fires: Callable[[Candle], bool], candle: Candle, *, prefix: str = "") -> list[Flip]:
    """The smallest change of each price that turns the event, the smallest of all first.

    Args:
        fires: whether the event is there with other prices of its candle.
        prefix: of the inputs' names, where the candle is not the one the event is on.
    """
    happened = fires(candle)
    found = []
    for name in PRICES:
        place = _PLACES[name]

        def turns(price: float, place: int = place) -> bool:
            return fires(_with(candle, place, price)) != happened

        before = candle[place]
        ends = (_nearest(turns, before, limit) for limit in _limits(name, candle))
        prices = [price for price in ends if price is not None]
        if prices:
            found.append(_flip(f"{prefix}{name}", before, min(prices, key=lambda price: abs(price - before))))
    return sorted(found, key=lambda flip: abs(flip.after - flip.before))


def setting_flips(
    fires: Callable[[Params], bool], params: Params, conditions: Sequence[Condition], *, happened: bool
) -> list[Flip]:
    """For each parameter that holds a threshold, the nearest value to two decimals that turns the event.

    Args:
        fires: whether the event is there with other parameters.
    """
    found: dict[str, Flip] = {}
    for condition in conditions:
        if not condition.setting or condition.passed != happened or math.isnan(condition.value):
            continue
        before = float(getattr(params, condition.setting))
        after = _level_beyond(condition)
        try:
            changed: dict[str, Any] = {condition.setting: after}
            turned = fires(replace(params, **changed)) != happened
        except InvalidRequest:
            continue
        if turned and after != before:
            flip = _flip(condition.setting, before, after)
            known = found.get(condition.setting, flip)
            found[condition.setting] = min(known, flip, key=lambda each: abs(each.after - each.before))
    return sorted(found.values(), key=lambda flip: abs(flip.after - flip.before))


def _with(candle: Candle, place: int, price: float) -> Candle:
    open_, high, low, close = (price if at == place else each for at, each in enumerate(candle))
    return open_, high, low, close


def _limits(name: str, candle: Candle) -> tuple[float, float]:
    """How far down and up a price can go on a candle that can be."""
    open_, high, low, close = candle
    if name == "high":
        return max(open_, close), high * _FARTHEST
    if name == "low":
        return low / _FARTHEST, min(open_, close)
    return low, high


def _nearest(turns: Callable[[float], bool], before: float, limit: float) -> float | None:
    """The turning price nearest to `before` on the way to `limit`, None where there is none."""
    way = limit - before
    if way == 0.0:
        return None
    found = _first_turn(turns, before, way, _SCAN)
    if found is None:
        return None
    while (closer := _first_turn(turns, before, found - before, _CLOSER)) is not None:
        found = closer
    return _rounded(turns, before, found, limit)


def _first_turn(turns: Callable[[float], bool], before: float, way: float, shares: Floats) -> float | None:
    """The first share of the way that turns, narrowed down from the share in front of it."""
    held = 0.0
    for share in shares:
        if turns(before + float(share) * way):
            turned = float(share)
            for _ in range(_HALVINGS):
                middle = (held + turned) / 2.0
                held, turned = (held, middle) if turns(before + middle * way) else (middle, turned)
            return before + turned * way
        held = float(share)
    return None


def _rounded(turns: Callable[[float], bool], before: float, exact: float, limit: float) -> float:
    """The price with no more digits than the change needs, a little farther on; as it is where that does not turn."""
    change = exact - before
    if change == 0.0:
        return exact
    decimals = 2 - math.floor(math.log10(abs(change)))
    step = 10.0**-decimals
    up = change > 0
    price = round((math.ceil if up else math.floor)(exact / step) * step, max(0, decimals))
    inside = price <= limit if up else price >= limit
    return price if inside and turns(price) else exact


def _level_beyond(condition: Condition) -> float:
    """The nearest level, to two decimals, that turns the condition."""
    unit = 10.0**-_LEVEL_DECIMALS
    strict = condition.operator in {"<", ">"}
    below = condition.operator in {"<", "<="}
    # A value under its level passes more easily the higher the level is.
    upward = below != condition.passed
    level = round((math.ceil if upward else math.floor)(condition.value / unit) * unit, _LEVEL_DECIMALS)
    touching = abs(level - condition.value) <= 1e-9
    if touching and strict != condition.passed:
        level = round(level + (unit if upward else -unit), _LEVEL_DECIMALS)
    return level


def _flip(name: str, before: float, after: float) -> Flip:
    percent = (after / before - 1.0) * 100.0 if before else None
    return Flip(name, before, after, percent if before >= 0 or percent is None else -percent)
