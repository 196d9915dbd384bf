"""Reading a venue's documents: what is not there, or is no number, proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from engines.domain.orders import Side
from engines.execution.venues.failures import Unproven


def table(document: Any, *path: str) -> Mapping[str, Any]:
    """The table at a path of a document."""
    found = _at(document, path)
    if not isinstance(found, dict):
        raise Unproven(f"There is no table {'.'.join(path)!r} in the venue's answer.")
    return found


def rows(document: Any, *path: str) -> list[Mapping[str, Any]]:
    """The list of tables at a path of a document."""
    found = _at(document, path)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Unproven(f"There is no list {'.'.join(path)!r} in the venue's answer.")
    return found


def text(row: Mapping[str, Any], name: str) -> str:
    """A text or whole number of a table, as text; never empty."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise Unproven(f"The venue's answer has no {name!r}.")
    return str(value)


def amount(row: Mapping[str, Any], name: str) -> Decimal:
    """A finite decimal of a table; texts are read as they stand."""
    value = row.get(name)
    try:
        number = Decimal(str(value)) if isinstance(value, str | int | float) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Unproven(f"The venue's answer has {name} {value!r}, which is no number.")
    return number


def positive(row: Mapping[str, Any], name: str) -> Decimal | None:
    """A decimal of a table, None where it is zero, empty or not there: venues write "no price" in all three ways."""
    value = row.get(name)
    return (amount(row, name) or None) if value not in {None, ""} else None


def side_of(row: Mapping[str, Any], name: str) -> Side:
    """`buy` or `sell`, however the venue writes it."""
    word = text(row, name).lower()
    if word == "buy":
        return "buy"
    if word == "sell":
        return "sell"
    raise Unproven(f"The venue's answer has the side {word!r}.")


def plain(value: Decimal) -> str:
    """A decimal without exponent and without zeros at its end."""
    return format(value.normalize(), "f") if value else "0"


def moment(milliseconds: Decimal) -> datetime:
    """A venue's time as aware UTC."""
    try:
        return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Unproven(f"The venue's answer has the time {milliseconds}, which is none.") from error


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
