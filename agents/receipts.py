"""Receipts: every figure of a reply is filled in from evidence, matched to evidence, or marked unsourced."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from agents.figures import Figure, Piece, figures, parse_figure, pieces, says
from agents.state import EvidenceRecord

UNSOURCED: Final = "*unsourced*"
_ROUGHLY: Final = re.compile(r"(?:about|around|roughly|nearly|almost|approximately|some|[~≈])\s*$", re.IGNORECASE)
_LOCAL_NAME: Final = re.compile(r"\{([A-Za-z_]\w*)\}")
_SOURCE_PARTS: Final = (
    "tool",
    "tool_call_id",
    "arguments",
    "symbol",
    "timeframe",
    "as_of",
    "market",
    "simulated",
    "parameters",
)
_WORDS: Final = frozenset({"time", "text"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """A reply: `text` with receipt markers, `plain` without them, and the receipts as plain JSON."""

    text: str
    plain: str
    receipts: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """A number that evidence holds; `rank` is lower for what a tool measured than for what it was asked."""

    record: EvidenceRecord
    name: str
    text: str
    value: Decimal
    percent: bool
    rank: int


def render(
    text: str, evidence: Sequence[EvidenceRecord], *, user_words: Sequence[str] = (), settings: Sequence[str] = ()
) -> Rendered:
    """Fill in a draft's references and find the source of every figure that was typed.

    Args:
        text: a draft with references such as `{cipher-1.wt1}`; one without an id means the newest
            evidence that has the name.
        evidence: of the thread, oldest first.
        user_words: the person's own messages; their figures need no source.
        settings: figures of the desk's settings as an answer prints them, such as `0.5 %`.

    Returns:
        Each sourced figure is followed by ` [n]`, the same source always by the same n; one that
        matches nothing by ` *unsourced*`. Code and addresses stay as they are. Never raises.
    """
    own = [figure for words in user_words for figure in figures(words)]
    printed = [figure for words in settings for figure in figures(words)]
    return _Renderer(evidence, own, printed).render(text)


def qualified(text: str, evidence_id: str) -> str:
    """An evidence's own wording, its `{name}` references made to `{id.name}`."""
    return _LOCAL_NAME.sub(lambda match: f"{{{evidence_id}.{match[1]}}}", text)


@dataclass(slots=True)
class _Renderer:
    evidence: Sequence[EvidenceRecord]
    own: Sequence[Figure]
    settings: Sequence[Figure]
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    _receipts: list[dict[str, Any]] = field(default_factory=list)
    _sources: tuple[_Source, ...] = ()

    def render(self, text: str) -> Rendered:
        self._sources = tuple(_sources(self.evidence))
        marked: list[str] = []
        plain: list[str] = []
        before, last = "", ""
        for piece in pieces(text):
            words, marker = self._one(piece, before, last)
            if piece.kind != "text" or piece.text.strip():
                last = marker
            if marker and words:
                marked.append(f"{words} {marker}")
            else:
                marked.append(words)
            plain.append(words)
            before = piece.text
        return Rendered("".join(marked), "".join(plain), tuple(self._receipts))

    def _one(self, piece: Piece, before: str, last: str) -> tuple[str, str]:
        """The words of a piece and its marker; `last` is the marker just before it."""
        if piece.kind == "reference":
            words, marker = self._reference(piece.name)
            # A model that types a figure and then its reference means one figure.
            return ("", marker) if marker == last != "" and marker != UNSOURCED else (words, marker)
        if piece.kind == "figure":
            return piece.text, self._typed(piece.text, before)
        return ("", "") if piece.kind == "marker" else (piece.text, "")

    def _reference(self, name: str) -> tuple[str, str]:
        evidence_id, _, field_name = name.rpartition(".")
        for record in reversed(self.evidence):
            value = record["values"].get(field_name)
            if value is None or evidence_id not in {"", record["id"]}:
                continue
            text = str(value["text"])
            if value["unit"] in _WORDS or value["value"] is None:
                return text, ""
            return text, self._receipt(record, field_name, text, value)
        return field_name or name, UNSOURCED

    def _typed(self, text: str, before: str) -> str:
        figure = parse_figure(text)
        roughly = _ROUGHLY.search(before) is not None
        source = _nearest(text, figure, self._sources, roughly=roughly)
        if source is not None:
            value = source.record["values"].get(source.name)
            return self._receipt(source.record, source.name, text, value or _given(source))
        if any(figure.value in {own.value, abs(own.value)} for own in self.own):
            return ""
        known = any((figure.value, figure.percent) == (value.value, value.percent) for value in self.settings)
        return "" if known else UNSOURCED

    def _receipt(self, record: EvidenceRecord, name: str, text: str, value: dict[str, Any]) -> str:
        key, plain = (record["id"], name), dict(record)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            source = {"evidence": record["id"], "field": name, **{part: plain[part] for part in _SOURCE_PARTS}}
            self._receipts.append(
                {
                    "n": self._numbers[key],
                    "text": text,
                    "value": value["value"],
                    "unit": value["unit"],
                    "label": value["label"],
                    "source": source,
                }
            )
        return f"[{self._numbers[key]}]"


def _sources(evidence: Sequence[EvidenceRecord]) -> Iterator[_Source]:
    """Every number that evidence holds, newest evidence first."""
    for record in reversed(evidence):
        for name, value in record["values"].items():
            number = _decimal(value["value"])
            if number is not None and value["unit"] not in _WORDS:
                percent = value["unit"] == "percent"
                yield _Source(record, name, str(value["text"]), number, percent, 0)
                if value["unit"] == "ratio":
                    yield _Source(record, name, str(value["text"]), number * 100, percent=True, rank=1)
        for part in (record["parameters"], record["arguments"]):
            for name, given in part.items():
                number = _decimal(given)
                if number is not None:
                    yield _Source(record, name, str(given), number, percent=False, rank=2)


def _nearest(text: str, figure: Figure, sources: Sequence[_Source], *, roughly: bool) -> _Source | None:
    """The source that a typed figure most likely came from; the newest of equals."""
    fitting = [
        source
        for source in sources
        if (source.percent == figure.percent or (source.percent and figure.step < 1))
        and says(figure, source.value, roughly=roughly and source.rank == 0)
    ]
    return min(
        fitting,
        key=lambda source: (
            source.rank,
            source.percent != figure.percent,
            source.text != text,
            abs(abs(source.value) - abs(figure.value)),
        ),
        default=None,
    )


def _given(source: _Source) -> dict[str, Any]:
    label = source.name.replace("_", " ")
    return {"value": source.text, "unit": "ratio" if source.percent else "points", "label": f"{label} (given)"}


def _decimal(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool) or not isinstance(value, str | float | int | Decimal):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
