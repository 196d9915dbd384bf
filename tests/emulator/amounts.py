"""Exact decimal amounts: how venues write them and cut them to a grid."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal, InvalidOperation

ZERO = Decimal(0)
PRECISION = 60
"""Digits of the decimal context: products of venue amounts stay exact, so nothing is lost or made by rounding."""


def plain(value: Decimal) -> str:
    """Write without exponent and without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def fixed(value: Decimal, places: int) -> str:
    """Write with exactly `places` decimals; more digits than that are cut."""
    return format(value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN), "f")


def on_grid(value: Decimal, step: Decimal) -> bool:
    """Whether the value is a whole number of steps."""
    return value % step == 0


def floored(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above the value."""
    return (value / step).to_integral_value(rounding=ROUND_FLOOR) * step


def places_of(step: Decimal) -> int:
    """Decimals of a grid such as 0.01."""
    return max(0, -int(step.normalize().as_tuple().exponent))


def parse_amount(text: str | None) -> Decimal | None:
    """A finite amount, or None for anything that is not one."""
    try:
        value = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None
