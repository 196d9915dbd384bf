"""An engine's dated view of a market, in reasons that can be weighed, quoted and contradicted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engines.domain.evidence import EvidenceValue

Values = Mapping[str, EvidenceValue]


@dataclass(frozen=True, slots=True)
class Reason:
    """One observation.

    Attributes:
        weight: in [-1, 1]; above zero it speaks for a rise, below for a fall, at zero it is only told.
        text: what was seen, with `{name}` references to `values`.
        turns: what would end it, in the same form; empty where nothing short would.
    """

    name: str
    weight: float
    text: str
    values: Values
    turns: str = ""

    def spoken(self) -> str:
        """The text with its figures filled in."""
        return fill(self.text, self.values)


@dataclass(frozen=True, slots=True)
class Signal:
    """What an engine reads at the close of one candle.

    Attributes:
        confirmed_at: that close; nothing later is in it.
        reasons: strongest first.
        caveat: why there is little or nothing to read, in words; empty otherwise.
    """

    symbol: str
    timeframe: str
    confirmed_at: datetime
    reasons: tuple[Reason, ...] = ()
    caveat: str = field(default="")

    @property
    def strength(self) -> float:
        """Sum of the weights, in [-1, 1]."""
        return round(sum(reason.weight for reason in self.reasons), 12)


def strongest_first(reasons: list[Reason]) -> tuple[Reason, ...]:
    """In the order in which they are told; equals keep theirs."""
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.weight)))


def fill(text: str, values: Values) -> str:
    """A text with the words of its references filled in."""
    return text.format_map({name: value.text for name, value in values.items()})


def points(value: float, label: str, *, signed: bool = False) -> EvidenceValue:
    """An indicator as an evidence value: two decimals with a sign for what swings around zero, else one."""
    if math.isnan(value):
        return EvidenceValue(None, "points", "undefined", label)
    text = f"{value:+.2f}" if signed else f"{value:.1f}"
    return EvidenceValue(value, "points", "0.00" if text in {"-0.00", "+0.00"} else text, label)


def moment(time: datetime, label: str) -> EvidenceValue:
    """A time as an evidence value, with its date."""
    return EvidenceValue(time.isoformat(), "time", f"{time:%Y-%m-%d %H:%M} UTC", label)


def distance(price: float, level: float, label: str) -> EvidenceValue:
    """How far a level is from the price, in percent of the price: `1.2 % below`."""
    percent = (level / price - 1.0) * 100.0
    where = "above" if percent > 0 else "below"
    words = "at the price" if abs(percent) < 0.05 else f"{abs(percent):.1f} % {where}"
    return EvidenceValue(percent, "percent", words, label)
