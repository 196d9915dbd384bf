"""Sentences of the engines, with a receipt for each of their figures."""

from __future__ import annotations

from agents.figures import parse_figure, pieces
from engines.domain.evidence import EvidenceValue, ValueUnit


def quoted(text: str, label: str, *, stem: str = "figure") -> tuple[str, dict[str, EvidenceValue]]:
    """A sentence whose figures are references, `{figure_1}` and so on, and what these refer to.

    Args:
        text: as an engine wrote it; its braces become parentheses.
        label: what the figures are, as their receipts say it.
        stem: begins their names.
    """
    values: dict[str, EvidenceValue] = {}
    words = []
    for piece in pieces(text.replace("{", "(").replace("}", ")")):
        if piece.kind == "figure":
            name = f"{stem}_{len(values) + 1}"
            values[name] = _figure(piece.text, label)
            words.append(f"{{{name}}}")
        else:
            words.append(piece.text)
    return "".join(words), values


def _figure(text: str, label: str) -> EvidenceValue:
    figure = parse_figure(text)
    unit: ValueUnit = "percent" if figure.percent else "points"
    return EvidenceValue(f"{figure.value:f}", unit, text, label)
