"""Levels that are told and not weighed: nodes, naked points of control, and how the session has been built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from engines.domain.evidence import EvidenceValue
from engines.domain.signals import Reason, moment
from engines.volume_profile.reading import level_values, price_value
from engines.volume_profile.summary import Levels
from engines.volume_profile.tpo import TpoProfile

Values = dict[str, EvidenceValue]
_SIDES: Final[tuple[tuple[Literal["above", "below"], int], ...]] = (("above", 1), ("below", -1))


def tell_levels(levels: Levels) -> tuple[Reason, ...]:
    """What else lies around the price, in a trader's words.

    Returns:
        Reasons of weight 0, each with the figures its text refers to: `nodes`, `naked`, `drift`, `migration`,
        `balance`, `single_prints` and `extremes`; only those there is something to tell of.
    """
    found = (
        _nodes(levels),
        _naked(levels),
        _drift(levels),
        _migration(levels),
        _balance(levels),
        _single_prints(levels),
        _extremes(levels),
    )
    return tuple(reason for reason in found if reason is not None)


def _told(name: str, parts: Sequence[str], values: Values, prefix: str = "") -> Reason | None:
    return Reason(name, 0.0, prefix + ", ".join(parts), values) if parts else None


def _nodes(levels: Levels) -> Reason | None:
    """The nearest high and low volume node on both sides."""
    parts, values = [], Values()
    for kind, long, nodes in zip(("hvn", "lvn"), ("high", "low"), levels.desk.profile.nodes, strict=True):
        for side, sign in _SIDES:
            prices = [node.price for node in nodes if (node.price - levels.close) * sign > 0]
            if prices:
                name = f"{kind}_{side}"
                label = f"nearest {long} volume node {side}"
                nearest = min(prices, key=lambda price: abs(price - levels.close))
                values |= level_values(name, nearest, levels.close, levels.instrument, label)
                parts.append(f"{kind.upper()} {{{name}}} ({{{name}_distance}})")
    return _told("nodes", parts, values, "nearest volume nodes: ")


def _naked(levels: Levels) -> Reason | None:
    """The nearest naked point of control on both sides, with the session that left it, not the one just ended."""
    known = levels.desk.candles.as_of
    parts, values = [], Values()
    for side, sign in _SIDES:
        alive = [each for each in levels.naked if (each.price - levels.close) * sign > 0 and each.born < known]
        if alive:
            nearest = min(alive, key=lambda each: abs(each.price - levels.close))
            name, label = f"naked_{side}", f"nearest naked point of control {side}"
            values |= level_values(name, nearest.price, levels.close, levels.instrument, label)
            values[f"{name}_session"] = EvidenceValue(
                nearest.session, "time", nearest.session, f"session of the {label}"
            )
            parts.append(f"{{{name}}} ({{{name}_distance}}) of {{{name}_session}}")
    return _told("naked", parts, values, "nearest naked points of control: ")


def _drift(levels: Levels) -> Reason | None:
    """Where the session's point of control is, and where it came from."""
    drift = levels.drift
    if drift is None:
        return None
    values = level_values(
        "session_poc", drift.poc, levels.close, levels.instrument, "session's point of control so far"
    )
    values["session_poc_since"] = moment(drift.since, "when the session's point of control came there")
    if drift.before is None:
        return Reason(
            "drift", 0.0, "the session's point of control has stood at {session_poc} since its opening", values
        )
    values["session_poc_before"] = price_value(
        drift.before, levels.instrument, "session's point of control before that"
    )
    way = "up" if drift.poc > drift.before else "down"
    text = f"the session's point of control moved {way} from {{session_poc_before}} to {{session_poc}}"
    return Reason("drift", 0.0, text + " at {session_poc_since}", values)


def _migration(levels: Levels) -> Reason | None:
    """How the session's value lies to that of the session before."""
    sessions = levels.sessions.sessions if levels.sessions else ()
    before, now = (each.profile for each in sessions[-2:]) if len(sessions) > 1 else (None, None)
    if now is None or before is None or not sessions[-2].complete:
        return None
    values = {
        f"{when}_{name}": price_value(float(getattr(profile, name)), levels.instrument, f"{words} of the {label}")
        for when, label, profile in (("session", "session so far", now), ("previous", "session before", before))
        for name, words in (("val", "value area low"), ("vah", "value area high"))
    }
    if now.val >= before.vah or now.vah <= before.val:
        how, end = f"lies wholly {'above' if now.val >= before.vah else 'below'}", ""
    elif now.val >= before.val and now.vah <= before.vah:
        how, end = "lies inside", ""
    elif now.val <= before.val and now.vah >= before.vah:
        how, end = "reaches around", ""
    else:
        how, end = "overlaps", f", and lies {'higher' if now.val > before.val else 'lower'}"
    text = f"the session's value {{session_val}} to {{session_vah}} {how} that of the session before"
    return Reason("migration", 0.0, f"{text}, {{previous_val}} to {{previous_vah}}{end}", values)


def _balance(levels: Levels) -> Reason | None:
    """The initial balance, and which side of it the session has left."""
    letters = levels.letters
    if letters is None or len(letters.blocks) <= letters.params.initial_balance_blocks:
        return None
    low, high = letters.initial_balance
    values = {
        "balance_low": price_value(low, levels.instrument, "initial balance low"),
        "balance_high": price_value(high, levels.instrument, "initial balance high"),
    }
    up, down = letters.high > high, letters.low < low
    how = {
        (True, True): "extended on both sides",
        (True, False): "extended upward only",
        (False, True): "extended downward only",
        (False, False): "not left yet",
    }[up, down]
    return Reason("balance", 0.0, f"initial balance {{balance_low}} to {{balance_high}}, {how}", values)


def _single_prints(levels: Levels) -> Reason | None:
    """The nearest single prints of the session, which price went through once and fast."""
    if levels.letters is None or not levels.letters.single_prints:
        return None
    close = levels.close
    nearest = min(
        levels.letters.single_prints,
        key=lambda span: 0.0 if span[0] <= close <= span[1] else min(abs(close - edge) for edge in span),
    )
    values = Values()
    for name, edge in zip(("single_low", "single_high"), nearest, strict=True):
        values |= level_values(name, edge, close, levels.instrument, f"{name[7:]} end of the nearest single prints")
    text = "nearest single prints of the session {single_low} to {single_high} ({single_low_distance})"
    return Reason("single_prints", 0.0, text, values)


def _extremes(levels: Levels) -> Reason | None:
    """Poor highs and lows, of the session before where they still stand, and tails of the session."""
    parts, values = [], Values()
    now, before = levels.letters, levels.letters_before
    if now is not None:
        parts += _poor(levels, now, "session", "the session so far", values)
        for side, rows in (("high", now.tail_high_rows), ("low", now.tail_low_rows)):
            if 0 < rows < len(now.counts):
                parts.append(f"a tail at the session's {side} {{session_{side}}}")
                values |= _end(levels, now, side, "session", "the session so far")
    if before is not None and now is not None:
        standing = {"high": now.high <= before.high, "low": now.low >= before.low}
        parts += _poor(levels, before, "previous", "the session before", values, standing)
    return _told("extremes", parts, values)


def _poor(
    levels: Levels, letters: TpoProfile, when: str, label: str, values: Values, standing: dict[str, bool] | None = None
) -> list[str]:
    """Parts of text for poor ends that were not passed since; their figures go to `values`."""
    parts = []
    for side, poor in (("high", letters.poor_high), ("low", letters.poor_low)):
        if poor and (standing is None or standing[side]):
            values |= _end(levels, letters, side, when, label)
            parts.append(f"a poor {side} of {label} at {{{when}_{side}}} ({{{when}_{side}_distance}})")
    return parts


def _end(levels: Levels, letters: TpoProfile, side: str, when: str, label: str) -> Values:
    price = letters.high if side == "high" else letters.low
    return level_values(f"{when}_{side}", price, levels.close, levels.instrument, f"{side} of {label}")
