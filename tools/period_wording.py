"""The profile of a stretch of time in the desk's words: its levels, its average, and a session's letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from engines.domain.evidence import EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.signals import moment
from engines.volume_profile.acceptance import read_acceptance
from engines.volume_profile.desk import DeskProfile
from engines.volume_profile.reading import level_values, price_value
from engines.volume_profile.summary import Levels
from engines.volume_profile.telling import tell_levels
from engines.volume_profile.tpo import TpoProfile
from engines.volume_profile.vwap import compute_vwap
from tools.periods import Span

Values = dict[str, EvidenceValue]
_MOST_SPANS: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A profile and what it is of.

    Attributes:
        desk: the profile, held against the chart's last candles; `lower` are those whose volume was spread.
        begins, ends: of those candles.
        over: nothing more will be traded in that stretch.
        whole: the candles reach back to its beginning.
        letters: the market profile of a session; None of everything else.
    """

    desk: DeskProfile
    instrument: Instrument
    span: Span
    begins: datetime
    ends: datetime
    over: bool
    whole: bool
    letters: TpoProfile | None

    @property
    def close(self) -> float:
        """The chart's last close."""
        return float(self.desk.candles.close[-1])


@dataclass(frozen=True, slots=True)
class Words:
    """An answer: its first sentence, the lines under it, and the values both refer to."""

    headline: str
    brief: str
    values: Values


def told_of(told: Told) -> Words:
    """Say where volume was traded in that stretch, and where the price stands to it."""
    profile, values = told.desk.profile, Values()
    symbol = told.desk.candles.symbol
    values["period"] = EvidenceValue(told.span.words, "text", told.span.words, "what the profile is of")
    values["from"] = moment(told.begins, "open of its first candle")
    values["to"] = moment(told.ends, "close of its last candle")
    place = "above" if told.close > profile.vah else "below" if told.close < profile.val else "inside"
    headline = (
        f"The point of control of {symbol} {{period}} is {{poc}} ({{poc_distance}}), value {{val}} "
        f"({{val_distance}}) to {{vah}} ({{vah_distance}}); price {{close}} at the {{as_of}} close is {place} value."
    )
    lines = [
        _extent(told),
        _shares(told, values),
        _average(told, values),
        *_nodes(told, values),
        *(_letters(told, told.letters, values) if told.letters is not None else ()),
    ]
    return Words(headline, "\n".join(line for line in lines if line), values)


def _extent(told: Told) -> str:
    """From when to when, whether that is all of it, and by whose clocks."""
    state = "complete" if told.over else "so far"
    if not told.whole:
        state += ", without its beginning, which this market has no candles of"
    hours = told.span.hours
    clocks = ""
    if hours is not None and hours.closes is not None:
        city = told.span.timezone.rpartition("/")[2].replace("_", " ")
        utc = f"UTC{_offset(told.begins, told.span.timezone)}"
        each = "Each session is" if told.span.parts else "The session is"
        clocks = f" {each} {hours.opens} to {hours.closes} by the clocks of {city} (`{utc}` then)."
    return f"From {{from}} to {{to}}, {state}.{clocks}"


def _offset(time: datetime, timezone: str) -> str:
    """How far a zone's clocks are ahead of UTC at a time: `+01:00`, empty where they agree."""
    text = time.astimezone(ZoneInfo(timezone)).strftime("%z")
    return "" if text in {"+0000", "-0000"} else f"{text[:3]}:{text[3:]}"


def _shares(told: Told, values: Values) -> str:
    profile = told.desk.profile
    inside = float(profile.volume_by_row[profile.val_row : profile.vah_row + 1].sum())
    for name, part, label in (
        ("value_share", inside, "volume inside the value area"),
        ("up_share", float(profile.up_by_row.sum()), "volume of candles that closed at or above their open"),
    ):
        percent = part / profile.total_volume * 100
        values[name] = EvidenceValue(percent, "percent", f"{percent:.1f} %", label)
    return (
        "Value holds {value_share} of the volume; {up_share} of all volume came in rising candles "
        f"(built from {told.desk.built_from} candles)."
    )


def _average(told: Told, values: Values) -> str:
    """The average by volume over the stretch, from its first candle on."""
    lower = told.desk.lower
    vwap = float(compute_vwap(lower, told.begins).vwap[-1])
    values |= level_values("vwap", vwap, told.close, told.instrument, "VWAP over that time")
    return "VWAP over that time {vwap} ({vwap_distance})."


def _nodes(told: Told, values: Values) -> list[str]:
    """High and low volume nodes around the price."""
    profile = told.desk.profile
    acceptance = read_acceptance(told.desk.candles, profile.val, profile.vah)
    found = [each for each in tell_levels(Levels(told.desk, told.instrument, acceptance, None)) if each.name == "nodes"]
    for each in found:
        values |= each.values
    return [f"{each.text[0].upper()}{each.text[1:]}." for each in found]


def _letters(told: Told, letters: TpoProfile, values: Values) -> list[str]:
    """Time by price: the value area of letters, initial balance, single prints and how the ends were left."""
    close, instrument = told.close, told.instrument
    for name, label in (("poc", "point of control"), ("val", "value area low"), ("vah", "value area high")):
        level = float(getattr(letters, name))
        values |= level_values(f"tpo_{name}", level, close, instrument, f"TPO {label}, by time")
    count = len(letters.blocks)
    values["tpo_blocks"] = EvidenceValue(count, "count", str(count), "letters, one a block of time")
    return [
        f"TPO (letters of {letters.params.block_minutes}m): point of control {{tpo_poc}} ({{tpo_poc_distance}}), value "
        "area {tpo_val} to {tpo_vah}, {tpo_blocks} letters.",
        _balance(told, letters, values),
        _single_prints(told, letters, values),
        _ends(told, letters, values),
    ]


def _balance(told: Told, letters: TpoProfile, values: Values) -> str:
    low, high = letters.initial_balance
    values["balance_low"] = price_value(low, told.instrument, "initial balance low")
    values["balance_high"] = price_value(high, told.instrument, "initial balance high")
    how = {
        (True, True): "extended on both sides",
        (True, False): "extended upward only",
        (False, True): "extended downward only",
        (False, False): "not left" if told.over else "not left yet",
    }[letters.high > high, letters.low < low]
    if len(letters.blocks) < letters.params.initial_balance_blocks and not told.over:
        how = "still forming"
    return f"Initial balance {{balance_low}} to {{balance_high}}, {how}."


def _single_prints(told: Told, letters: TpoProfile, values: Values) -> str:
    """The nearest single prints; the very nearest under the names that a question for them looks up."""
    spans = sorted(letters.single_prints, key=lambda span: _away(span, told.close))[:_MOST_SPANS]
    parts = []
    for number, span in enumerate(spans, 1):
        prefix = "single" if number == 1 else f"single_{number}"
        for name, edge in zip((f"{prefix}_low", f"{prefix}_high"), span, strict=True):
            values |= level_values(name, edge, told.close, told.instrument, "edge of single prints")
        parts.append(f"{{{prefix}_low}} to {{{prefix}_high}}")
    if not parts:
        return "No single prints."
    more = " and more" if len(letters.single_prints) > len(parts) else ""
    return f"Single prints: {', '.join(parts)}{more}."


def _away(span: tuple[float, float], close: float) -> float:
    return 0.0 if span[0] <= close <= span[1] else min(abs(close - edge) for edge in span)


def _ends(told: Told, letters: TpoProfile, values: Values) -> str:
    parts = []
    for side, price, poor, tail in (
        ("high", letters.high, letters.poor_high, letters.tail_high_rows),
        ("low", letters.low, letters.poor_low, letters.tail_low_rows),
    ):
        values |= level_values(f"tpo_{side}", price, told.close, told.instrument, f"{side} of that session")
        how = f"a poor {side}" if poor else f"a tail at the {side}" if 0 < tail < len(letters.counts) else f"the {side}"
        parts.append(f"{how} {{tpo_{side}}} ({{tpo_{side}_distance}})")
    return f"It left {' and '.join(parts)}."
