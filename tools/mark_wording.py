"""An explanation in the desk's words: the answer, what held, what did not, what would have turned it."""

from __future__ import annotations

import math
import re
from typing import Any, Final, Literal

from engines.cipher.explained import PIVOT, Condition, Explanation, Flip, percent_words
from engines.domain.candles import CandleFrame
from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.signals import moment
from tools.subjects import Subject

# How the candle was found: at the time asked for; the last closed one; the newest that has the mark; the one of a day
# that has it, or came nearest; the last one before a time whose candle is still forming, or is not there; the one that
# opened at the time asked for and has the mark, where the one that closed then has not.
Place = Literal["asked", "last", "newest", "day", "nearest", "forming", "gap", "opened"]

_COUNTS: Final = (
    "none",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_OF: Final = {"wt": "wave", "rsi": "RSI", "stoch": "Stoch RSI"}
_NAMES: Final = {
    "cross_up": "upward wave cross",
    "cross_down": "downward wave cross",
    "buy_div_dot": "buy divergence dot",
    "sell_div_dot": "sell divergence dot",
    "sommi_bull": "bullish Sommi flag",
    "sommi_bear": "bearish Sommi flag",
    "sommi_bull_diamond": "bullish Sommi diamond",
    "sommi_bear_diamond": "bearish Sommi diamond",
    "red_x": "red X",
    "green_x": "green X",
    "yellow_x_up": "yellow X up",
    "yellow_x_down": "yellow X down",
    "yellow_x_down_rsi_above_70": "yellow X down (RSI above)",
    "ribbon_bullish": "bullish ribbon",
}
_PASSED: Final = {"crossed": "the waves crossed", "final": "the candle was final"}
# Conditions that compare prices; all others compare points of an oscillator.
_PRICED: Final = ("price", "ema", "over_ema", "body", "ribbon")
_LENGTH: Final = re.compile(r"(?<=EMA )\d+")
_MOST_DECIMALS: Final = 8


def mark_name(event: str) -> str:
    """What a trader calls it: `green dot`, `hidden bullish RSI divergence`."""
    if event in _NAMES:
        return _NAMES[event]
    source, _, rest = event.partition("_")
    if source in _OF and "_div" in event:
        side = "bullish" if "bull" in rest else "bearish"
        second = " in the second range" if event.endswith("_div2") else ""
        return f"{'hidden ' if 'hidden' in rest else ''}{side} {_OF[source]} divergence{second}"
    return event.replace("_", " ")


def explained_evidence(
    explanation: Explanation,
    subject: Subject,
    instrument: Instrument,
    candles: CandleFrame,
    place: Place,
    *,
    params: dict[str, Any],
    at: str | None,
) -> Evidence:
    """The explanation as evidence: every figure in it is a value with its own receipt.

    Args:
        candles: up to and including the one that is explained.
        at: the time as it was asked for, where there was one.
    """
    values: dict[str, EvidenceValue] = {
        "as_of": moment(explanation.close_time, "close of the candle that is explained"),
        "close": _price(float(candles.close[-1]), "close of that candle", instrument),
    }
    if place == "opened":
        values["opened"] = moment(explanation.open_time, "open of the candle that is explained")
    answer = _answer(explanation, subject, place, at, sum(each.passed for each in explanation.conditions))
    flip = _flip_line(explanation, instrument, values)
    first, second = (flip, answer) if subject.flips else (answer, flip)
    lines = [
        _held_line(explanation, instrument, values),
        _missing_line(explanation, instrument, values),
        second,
        _pivot_line(explanation, values),
        explanation.note,
        _side_line(explanation, subject),
    ]
    symbol, timeframe = explanation.symbol, explanation.timeframe
    arguments = {"subject": mark_name(explanation.event), "symbol": symbol, "timeframe": timeframe, "at": at}
    return Evidence(
        kind="explain",
        tool="explain_decision",
        arguments={name: value for name, value in arguments.items() if value},
        symbol=symbol,
        timeframe=timeframe,
        as_of=explanation.close_time.isoformat(),
        market=candles.market,
        simulated=candles.simulated,
        headline=first + (" *Simulated market.*" if candles.simulated else ""),
        brief="\n".join(line for line in lines if line),
        values=values,
        parameters=params,
        next_steps=(
            "What would have flipped it?",
            f"Cipher {symbol} {timeframe}",
            f"Volume profile {symbol} {timeframe}",
        ),
        chart={"symbol": symbol, "timeframe": timeframe, "as_of": explanation.close_time.isoformat()},
    )


def _side_line(explanation: Explanation, subject: Subject) -> str:
    if len(subject.events) == 1 or explanation.happened:
        return ""
    return f"Read as the {mark_name(explanation.event)}: that is the side of zero the waves are on."


def _answer(explanation: Explanation, subject: Subject, place: Place, at: str | None, held: int) -> str:
    """One sentence: whether it is there, on which candle, and how many conditions held."""
    name, there = mark_name(explanation.event), explanation.happened
    market = f"{explanation.symbol} {explanation.timeframe}"
    total = len(explanation.conditions)
    count = f"all {_count(total)} conditions held" if there else f"{_count(held)} of {_count(total)} conditions held"
    article = "an" if name[0] in "aeiou" else "a"
    if there:
        told = f"{article.capitalize()} {name} printed on {market} at the {{as_of}} close: {count}."
        told = f"There was one: {told[0].lower()}{told[1:]}" if subject.absent else told
    elif subject.absent or subject.flips:
        told = f"No {name} on {market} at the {{as_of}} close: {count}."
    else:
        told = f"There was no {name} on {market} at the {{as_of}} close: {count}."
    return _where(explanation, place, at, told)


def _where(explanation: Explanation, place: Place, at: str | None, told: str) -> str:
    """The answer with what has to be said of the candle it is about."""
    lower = told[0].lower() + told[1:]
    match place:
        case "opened":
            return f"It is on the candle opened at {{opened}}, known at its {{as_of}} close: {lower}"
        case "forming":
            asked = f"The {explanation.timeframe} candle that holds {at} is still forming, so nothing on it is decided"
            return f"{asked}; of the last closed one: {lower}"
        case "gap":
            return f"No {explanation.timeframe} candle closed around {at}; of the last one before it: {lower}"
        case "nearest":
            return f"Not on any {explanation.timeframe} candle within that time ({at}); the nearest: {lower}"
        case "newest":
            return f"Not on the last candle; the newest one: {lower}"
        case _:
            return told


def _held_line(explanation: Explanation, instrument: Instrument, values: dict[str, EvidenceValue]) -> str:
    told = []
    for number, condition in enumerate(explanation.conditions, 1):
        if not condition.passed:
            continue
        figures = ""
        if condition.operator not in {"is", "crossed"} and condition.name != "direction":
            _note(condition, number, instrument, values)
            figures = f" ({{c{number}}})"
        told.append(f"{_PASSED.get(condition.name) or _needed(condition, number, values)}{figures}")
    return f"Held: {'; '.join(told)}." if told else "None of its conditions held."


def _missing_line(explanation: Explanation, instrument: Instrument, values: dict[str, EvidenceValue]) -> str:
    told = []
    for number, condition in enumerate(explanation.conditions, 1):
        if condition.passed:
            continue
        _note(condition, number, instrument, values)
        told.append(_lacking(condition, number, values))
    if not told:
        return ""
    name = mark_name(explanation.event)
    return f"Did not hold: {'; '.join(told)}." if len(told) > 1 else f"The one that did not: a {name} needs {told[0]}."


def _lacking(condition: Condition, number: int, values: dict[str, EvidenceValue]) -> str:
    """A condition that did not hold, with what was measured instead."""
    needed = _needed(condition, number, values)
    if condition.operator == "is":
        return f"{needed}, which was not so"
    if math.isnan(condition.value) or math.isnan(condition.threshold):
        return f"{needed}, which is undefined here"
    if condition.operator == "crossed":
        return f"the waves to cross on this candle, and they did not (wt1 - wt2 was {{c{number}}})"
    if condition.setting or not condition.threshold:
        return f"{needed}; it was {{c{number}}}"
    return f"{needed}; it was {{c{number}}} against {{t{number}}}"


def _needed(condition: Condition, number: int, values: dict[str, EvidenceValue]) -> str:
    """The condition's text; the threshold that stands in it becomes a value of its own."""
    printed = f"{condition.threshold:g}"
    other = f"{-condition.threshold:g}"
    for figure in (printed, other):
        head, found, tail = condition.text.partition(f" {figure}")
        if condition.setting and found and not tail[:1].isdigit():
            values[f"t{number}"] = EvidenceValue(float(figure), "points", figure, f"threshold ({condition.setting})")
            return f"{head} {{t{number}}}{tail}"
    return _LENGTH.sub(lambda match: _length(match[0], values), condition.text)


def _length(figure: str, values: dict[str, EvidenceValue]) -> str:
    """A number that is part of a name, such as the 11 of EMA 11."""
    values[f"length_{figure}"] = EvidenceValue(int(figure), "count", figure, "candles of the average (a setting)")
    return f"{{length_{figure}}}"


def _note(condition: Condition, number: int, instrument: Instrument, values: dict[str, EvidenceValue]) -> None:
    """Keep the measured value and what it was held against, with enough digits to tell them apart."""
    if condition.operator == "is":
        return
    priced = condition.name.startswith(_PRICED)
    if priced and not math.isnan(condition.value):
        values[f"c{number}"] = _price(condition.value, condition.text, instrument)
    else:
        # A rise is held against a negative figure and told as a positive one.
        sign = -1.0 if condition.name == "rise" else 1.0
        text = _points(sign * condition.value, sign * condition.threshold)
        value = None if math.isnan(condition.value) else sign * condition.value
        values[f"c{number}"] = EvidenceValue(value, "points", text, condition.text)
    if condition.setting or math.isnan(condition.threshold):
        return
    if priced:
        values[f"t{number}"] = _price(condition.threshold, f"held against: {condition.text}", instrument)
    else:
        text = _points(condition.threshold, condition.value)
        values[f"t{number}"] = EvidenceValue(condition.threshold, "points", text, f"held against: {condition.text}")


def _points(value: float, other: float) -> str:
    """One decimal, more where fewer would make two different figures look the same."""
    if math.isnan(value):
        return "undefined"
    for decimals in range(1, _MOST_DECIMALS):
        text = f"{value:.{decimals}f}"
        # As numbers: -0.0 beside 0.0 tells nothing apart.
        if math.isnan(other) or value == other or float(text) != float(f"{other:.{decimals}f}"):
            break
    return text.lstrip("-") if not float(text) else text


def _price(price: float, label: str, instrument: Instrument) -> EvidenceValue:
    return EvidenceValue(price, "price", instrument.price_text(price), label)


def _flip_line(explanation: Explanation, instrument: Instrument, values: dict[str, EvidenceValue]) -> str:
    """The smallest change of one price that would have turned it; where none does, of one setting."""
    would = "would not have printed" if explanation.happened else "would have printed"
    flip = explanation.flips[0] if explanation.flips else None
    name = mark_name(explanation.event)
    if flip is not None and flip.is_price and flip.change_percent is not None:
        _note_flip(flip, instrument, values)
        way = "lower" if flip.after < flip.before else "higher"
        prices = "({flip_after} instead of {flip_before})"
        return f"With the {_input(flip)} {{flip_change}} {way} {prices} the {name} {would}."
    none = (
        f"No change of one price of this candle alone would have {'prevented' if explanation.happened else 'made'} it."
    )
    if flip is None:
        return none
    _note_flip(flip, None, values)
    return f"{none} With the setting {_input(flip)} at {{flip_after}} instead of {{flip_before}} it {would}."


def _input(flip: Flip) -> str:
    """What was changed, in words: a price of this candle or of the pivot's, or a setting."""
    if flip.input.startswith(PIVOT):
        return f"pivot candle's {flip.input.removeprefix(PIVOT)}"
    return flip.input.replace("_", " ")


def _note_flip(flip: Flip, instrument: Instrument | None, values: dict[str, EvidenceValue]) -> None:
    for when, value in (("before", flip.before), ("after", flip.after)):
        label = f"{_input(flip)} {'as it was' if when == 'before' else 'that turns it'}"
        if instrument is None:
            values[f"flip_{when}"] = EvidenceValue(value, "points", f"{value:g}", label)
        else:
            values[f"flip_{when}"] = EvidenceValue(value, "price", _exact(value, flip, instrument), label)
    if flip.change_percent is not None:
        text = percent_words(flip.change_percent)
        values["flip_change"] = EvidenceValue(
            abs(flip.change_percent), "percent", text, f"change of the {_input(flip)}"
        )


def _exact(value: float, flip: Flip, instrument: Instrument) -> str:
    """On the tick, unless both prices would then look the same."""
    text = instrument.price_text(value)
    same = instrument.price_text(flip.before) == instrument.price_text(flip.after)
    return f"{value:,.{_MOST_DECIMALS}f}".rstrip("0").rstrip(".") if same else text


def _pivot_line(explanation: Explanation, values: dict[str, EvidenceValue]) -> str:
    """Which two candles a divergence compares, and that it is known only two candles later."""
    if explanation.pivot_time is None:
        return ""
    values["pivot_time"] = moment(explanation.pivot_time, "open of the pivot candle")
    told = "The pivot candle opened at {pivot_time}; it is knowable two candles later"
    if explanation.previous_pivot_time is None:
        return f"{told}."
    values["previous_pivot_time"] = moment(explanation.previous_pivot_time, "open of the earlier pivot candle")
    return f"{told}. It is compared with the one that opened at {{previous_pivot_time}}."


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)
