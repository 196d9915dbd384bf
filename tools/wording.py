"""Numbers in words: how the desk prints money, prices, quantities and shares."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from engines.domain.evidence import EvidenceValue
from engines.domain.instruments import Instrument

_CENT = Decimal("0.01")
_TENTH = Decimal("0.1")
_SMALL_SHARE = Decimal("0.095")


def price_text(price: Decimal, instrument: Instrument | None = None) -> str:
    """A price with thousands separators, on the market's tick where the instrument is known."""
    return instrument.price_text(price) if instrument else _grouped(price)


def quantity_text(quantity: Decimal, instrument: Instrument | None = None) -> str:
    """A quantity on the market's lot, without trailing zeros."""
    return _grouped(_on(quantity, instrument.lot_size) if instrument else quantity)


def money_text(amount: Decimal) -> str:
    """An amount in a quote currency, to the cent; small amounts keep two significant digits."""
    if amount and abs(amount) < _CENT:
        return f"{amount:.2g}" if abs(amount) >= Decimal("0.0001") else f"{amount:f}"
    return f"{amount.quantize(_CENT, ROUND_HALF_EVEN):,f}"


def percent_text(percent: Decimal) -> str:
    """A share with one decimal, a small one with two: `1.2 %`, `0.04 %`."""
    step = _CENT if abs(percent) < _SMALL_SHARE else _TENTH
    rounded = percent.quantize(step, ROUND_HALF_EVEN)
    return f"{rounded:f} %" if rounded else "0.0 %"


def signed(text: str) -> str:
    """The same figure with its sign: profit is told apart from loss at a glance."""
    return text if text.startswith("-") or not text.strip("0.,% ") else f"+{text}"


def clock_text(time: datetime) -> str:
    """A time of day in UTC: `16:04:11 UTC`."""
    return f"{time.astimezone(UTC):%H:%M:%S} UTC"


def price(value: Decimal, label: str, instrument: Instrument | None = None) -> EvidenceValue:
    """A price as an evidence value."""
    return EvidenceValue(_plain(value), "price", price_text(value, instrument), label)


def quantity(value: Decimal, label: str, instrument: Instrument | None = None) -> EvidenceValue:
    """A quantity as an evidence value."""
    return EvidenceValue(_plain(value), "base", quantity_text(value, instrument), label)


def money(value: Decimal, label: str, *, show_sign: bool = False) -> EvidenceValue:
    """An amount in the quote currency as an evidence value."""
    text = money_text(value)
    return EvidenceValue(_plain(value), "quote", signed(text) if show_sign else text, label)


def percent(value: Decimal, label: str, *, show_sign: bool = False) -> EvidenceValue:
    """A share as an evidence value; `value` is 1.2 for 1.2 %."""
    text = percent_text(value)
    return EvidenceValue(_plain(value), "percent", signed(text) if show_sign else text, label)


def count(value: int, label: str) -> EvidenceValue:
    """A number of things as an evidence value."""
    return EvidenceValue(value, "count", str(value), label)


def words(text: str, label: str) -> EvidenceValue:
    """Words as an evidence value: filled in without a receipt."""
    return EvidenceValue(text, "text", text, label)


def _on(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_HALF_EVEN) * step


def _grouped(value: Decimal) -> str:
    whole, _, decimals = f"{value:f}".partition(".")
    decimals = decimals.rstrip("0")
    grouped = f"{Decimal(whole):,f}" if whole not in {"", "-", "-0"} else whole or "0"
    return f"{grouped}.{decimals}" if decimals else grouped.replace("-0", "0")


def _plain(value: Decimal) -> str:
    return f"{value:f}"
