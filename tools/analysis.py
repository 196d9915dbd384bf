"""How an analysis is worded: its lean, the reasons for and against, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.signals import Reason, fill
from engines.domain.timeframe import TIMEFRAMES, Timeframe

# Checked by `parse_timeframe`, whose error lists what there is; the schema tells a model the same.
TimeframeName = Annotated[
    str,
    Field(
        description="Length of one candle: " + ", ".join(TIMEFRAMES) + ".", json_schema_extra={"enum": [*TIMEFRAMES]}
    ),
]

HIGHER: Final[dict[Timeframe, Timeframe]] = {
    "1m": "15m",
    "3m": "15m",
    "5m": "1h",
    "15m": "1h",
    "30m": "4h",
    "1h": "4h",
    "2h": "1d",
    "4h": "1d",
    "6h": "1d",
    "12h": "1d",
    "1d": "1w",
}


@dataclass(frozen=True, slots=True)
class Lean:
    """A score in words; `sign` is 1 for up, -1 for down, 0 for neither."""

    score: float
    sign: int
    words: str

    @property
    def value(self) -> EvidenceValue:
        """The score as an evidence value."""
        text = f"{self.score:+.1f}" if self.sign else "0.0"
        return EvidenceValue(self.score, "ratio", text, "sum of the weighted reasons, from -1 to 1")


def lean(reasons: Iterable[Reason]) -> Lean:
    """Sum the reasons' weights and say what they come to, by the score's first decimal."""
    score = round(sum(reason.weight for reason in reasons), 12)
    # The words follow the figure as it is shown, so that one and the same +0.3 is never both weak and clear.
    tenths = abs(round(float(f"{score:.1f}") * 10))
    if tenths == 0:
        return Lean(score, 0, "shows no lean")
    strength = "weakly" if tenths <= 3 else "clearly" if tenths <= 6 else "strongly"
    return Lean(score, 1 if score > 0 else -1, f"leans {'up' if score > 0 else 'down'}, {strength}")


def for_and_against(reasons: Sequence[Reason], sign: int) -> list[str]:
    """Two lines, strongest reason first: with the lean and against it, or up and down where there is none."""
    names = {1: ("For", "Against"), -1: ("Against", "For"), 0: ("Up", "Down")}[sign]
    ordered = sorted(reasons, key=lambda reason: -abs(reason.weight))
    up = [reason.text for reason in ordered if reason.weight > 0]
    down = [reason.text for reason in ordered if reason.weight < 0]
    lines = [(names[0], up), (names[1], down)]
    if sign < 0:
        lines.reverse()
    told = [f"{name}: {'; '.join(texts) if texts else 'nothing'}." for name, texts in lines]
    neutral = [reason.text for reason in ordered if reason.weight == 0]
    return [*told, *([f"Neither: {'; '.join(neutral)}."] if neutral else [])]


def turning_points(reasons: Sequence[Reason], sign: int, closes: tuple[str, str]) -> str:
    """One line: what would change the lean.

    Args:
        closes: what a close under and over the nearest levels is called, such as `a 4h close under {val}`; empty
            where there is no level on that side.
    """
    under, over = closes
    if sign == 0:
        either = [words for words in (over, under) if words]
        return f"Would lean after: {', or '.join(either)}." if either else ""
    with_it = [r for r in sorted(reasons, key=lambda r: -abs(r.weight)) if r.weight * sign > 0 and r.turns]
    changes = [words for words in (under if sign > 0 else over, *(reason.turns for reason in with_it[:2])) if words]
    return f"Changes its mind: {_either(changes)}." if changes else ""


def content(evidence: Evidence) -> str:
    """What a model reads of it: the wording with figures filled in, then every value by its name."""
    wording = fill(f"{evidence.headline}\n{evidence.brief}", evidence.values)
    listed = "\n".join(f"{name} = {value.text} ({value.label})" for name, value in evidence.values.items())
    return f"{wording}\n\n{listed}"


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, or {words[-1]}"
