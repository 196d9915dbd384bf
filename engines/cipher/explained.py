"""What an explanation is made of: conditions with value and threshold, and the smallest changes that turn it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Operator = Literal["<", "<=", ">", ">=", "is", "crossed"]

PRICES: Final = ("close", "high", "low", "open")
PIVOT: Final = "pivot_"
# Script comparisons carry this absolute tolerance.
TOLERANCE: Final = 1e-10


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing an event needs at its candle.

    Attributes:
        name: stable, machine readable, unique in its explanation.
        text: what is needed, in words without figures measured: `wt2 at or below -53`.
        value, threshold: what was measured and what it is held against, in the same unit; NaN where undefined.
        operator: how; `is` compares yes (1) and no (0), `crossed` needs value to have changed its side of threshold.
        passed: False also where something is undefined.
        setting: parameter that holds the threshold; empty where none does.
    """

    name: str
    text: str
    value: float
    operator: Operator
    threshold: float
    passed: bool
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Flip:
    """The smallest change of one input, found by search and verified by recomputing, that turns the event.

    Attributes:
        input: `open`, `high`, `low` or `close` of the candle, the same with `pivot_` in front of the candle at which a
            divergence has its pivot, or the name of a parameter.
        before, after: quote units, or the parameter's.
        change_percent: after against before, signed; None where before is zero.
    """

    input: str
    before: float
    after: float
    change_percent: float | None

    @property
    def is_price(self) -> bool:
        """True for a price of the candle, False for a parameter."""
        return self.input.removeprefix(PIVOT) in PRICES

    def words(self, *, happened: bool) -> str:
        """Say it in one sentence: "With the low 0.4 % lower it would have fired."."""
        would = "would not have fired" if happened else "would have fired"
        if not self.is_price or self.change_percent is None:
            return f"With {self.input} at {self.after:g} instead of {self.before:g} it {would}."
        way = "lower" if self.after < self.before else "higher"
        when = " two candles earlier" if self.input.startswith(PIVOT) else ""
        price = self.input.removeprefix(PIVOT)
        return f"With the {price}{when} {percent_words(self.change_percent)} {way} it {would}."


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an event was, or was not, on a candle.

    Attributes:
        open_time, close_time: of that candle; nothing later is used.
        happened: True exactly when all conditions passed.
        conditions: in the order in which they are told.
        flips: prices before parameters, smaller changes first; empty where no change of one input turns it.
        note: what else there is to say, whole sentences; empty where there is nothing.
        pivot_time, previous_pivot_time: open times of the two candles a divergence compares, None where it has none.
    """

    event: str
    symbol: str
    timeframe: str
    open_time: datetime
    close_time: datetime
    happened: bool
    conditions: tuple[Condition, ...]
    flips: tuple[Flip, ...]
    note: str
    pivot_time: datetime | None = None
    previous_pivot_time: datetime | None = None

    @property
    def missing(self) -> tuple[Condition, ...]:
        """The conditions that did not hold."""
        return tuple(condition for condition in self.conditions if not condition.passed)

    def flip_words(self) -> str:
        """One sentence: the smallest change that would have turned it, or that no price of the candle would have."""
        if self.flips and self.flips[0].is_price:
            return self.flips[0].words(happened=self.happened)
        where = "of this candle or the one two earlier " if is_late(self.event) else "of this candle "
        none = f"No change of one price {where}would have " + ("prevented" if self.happened else "made") + " it."
        settings = [flip.words(happened=self.happened) for flip in self.flips]
        return " ".join([none, *settings[:1]])


def is_late(event: str) -> bool:
    """Whether an event has a pivot two candles before the one that confirms it."""
    return "_div" in event or event == "gold_dot"


def compare(
    name: str,
    text: str,
    value: float,
    operator: Operator,
    threshold: float,
    *,
    setting: str = "",
    tolerance: float = TOLERANCE,
) -> Condition:
    """Hold a value against a threshold, with a script's tolerance; undefined never passes."""
    difference = value - threshold
    passed = {
        "<": difference < -tolerance,
        "<=": difference <= tolerance,
        ">": difference > tolerance,
        ">=": difference >= -tolerance,
    }[operator]
    return Condition(name, text, float(value), operator, float(threshold), bool(passed), setting)


def state(name: str, text: str, *, holds: bool, wanted: bool = True) -> Condition:
    """A yes or no."""
    return Condition(name, text, float(holds), "is", float(wanted), holds == wanted)


def all_passed(conditions: Sequence[Condition]) -> bool:
    """Whether the event was there."""
    return all(condition.passed for condition in conditions)


def percent_words(percent: float) -> str:
    """A change without its sign, with as many decimals as it takes: `0.4 %`, `0.012 %`, `12 %`."""
    size = abs(percent)
    if size >= 10:
        return f"{size:.0f} %"
    decimals = 1 if size >= 0.1 else min(8, 1 - math.floor(math.log10(size))) if size else 1
    return f"{size:.{decimals}f} %"
