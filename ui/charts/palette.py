"""Colours of a chart: one set for dark pages, one for light ones, apart for the common kinds of colour blindness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they stand for; the `_area` ones are see-through."""

    page: str
    label: str
    text: str
    faint: str
    grid: str
    rise: str
    fall: str
    rise_area: str
    fall_area: str
    fast: str
    slow: str
    fast_area: str
    slow_area: str
    difference: str
    difference_area: str
    level: str
    value_area: str
    average: str
    gold: str
    cycle: str


DARK: Final = Palette(
    page="#12151b",
    label="rgba(18,21,27,0.78)",
    text="#d7dce5",
    faint="#8d96a6",
    grid="#2a303b",
    rise="#3fc1b0",
    fall="#f0885a",
    rise_area="rgba(63,193,176,0.42)",
    fall_area="rgba(240,136,90,0.42)",
    fast="#8ab4f8",
    slow="#e0b35a",
    fast_area="rgba(96,150,240,0.26)",
    slow_area="rgba(38,58,110,0.55)",
    difference="#c9a7f5",
    difference_area="rgba(201,167,245,0.38)",
    level="#c9a7f5",
    value_area="rgba(138,180,248,0.10)",
    average="#f29ac1",
    gold="#ffd447",
    cycle="#7bd88f",
)
LIGHT: Final = Palette(
    page="#ffffff",
    label="rgba(255,255,255,0.82)",
    text="#20242c",
    faint="#6a7280",
    grid="#e3e6ec",
    rise="#0b7a6e",
    fall="#c2490f",
    rise_area="rgba(11,122,110,0.34)",
    fall_area="rgba(194,73,15,0.34)",
    fast="#1a5fb4",
    slow="#8a5a00",
    fast_area="rgba(26,95,180,0.18)",
    slow_area="rgba(120,150,205,0.30)",
    difference="#6a3fb0",
    difference_area="rgba(106,63,176,0.26)",
    level="#6a3fb0",
    value_area="rgba(26,95,180,0.08)",
    average="#b3266e",
    gold="#e0a800",
    cycle="#2f7d32",
)
