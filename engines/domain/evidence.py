"""Evidence: what a tool measured, in a form that figures in an answer can point at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

# `price`, `base` and `quote` are formatted with the instrument's steps, `percent` holds 1.2 for 1.2 %.
ValueUnit = Literal["price", "base", "quote", "percent", "points", "ratio", "count", "time", "text"]


@dataclass(frozen=True, slots=True)
class EvidenceValue:
    """One value: plain data only, so it survives every checkpoint.

    Attributes:
        value: a decimal in text for exact money and prices, a float for indicators, ISO text for times.
        text: how an answer prints it; the renderer uses it as it is.
        label: what it is, in a few words.
    """

    value: str | float | int | bool | None
    unit: ValueUnit
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One tool result that a reply may quote, as `{id.name}`.

    Attributes:
        id: unique in its thread, such as `cipher-1`; given by the graph, empty before that.
        kind: prefix of the id: `cipher`, `volume`, `quote`, `portfolio`, `orders`, `ticket`, `fill`.
        as_of: ISO time of the latest instant it knows.
        brief: the tool's own compact wording, with `{name}` references to its values; several lines.
        headline: one sentence that answers the question by itself, with `{name}` references.
        chart: what a chart of it needs (symbol, timeframe, as_of, ...), or None.
    """

    kind: str
    tool: str
    arguments: dict[str, Any]
    symbol: str | None
    timeframe: str | None
    as_of: str
    market: str
    simulated: bool
    headline: str
    brief: str
    values: dict[str, EvidenceValue]
    parameters: dict[str, Any] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()
    chart: dict[str, Any] | None = None
    id: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_plain`."""
        values = {name: EvidenceValue(**value) for name, value in data["values"].items()}
        return cls(**{**data, "values": values, "next_steps": tuple(data["next_steps"])})
