"""Settings of a volume profile."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from engines.errors import InvalidRequest

MAX_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class ProfileParams:
    """How a profile cuts price into rows, and how much volume its value area holds.

    Attributes:
        rows: number of rows between the lowest low and the highest high; None when `row_height` is given.
        row_height: height of a row in quote units; rows then lie on multiples of it, whatever the range.
        value_area_fraction: share of the volume inside the value area, in (0, 1].

    Raises:
        InvalidRequest: neither or both of rows and row_height are given, or a value is out of its range.
    """

    rows: int | None = 24
    row_height: float | None = None
    value_area_fraction: float = 0.7

    def __post_init__(self) -> None:
        if (self.rows is None) == (self.row_height is None):
            raise InvalidRequest(
                f"rows is {self.rows!r} and row_height {self.row_height!r}.", remedy="Give exactly one of them."
            )
        if self.rows is not None and (type(self.rows) is not int or not 1 <= self.rows <= MAX_ROWS):
            raise InvalidRequest(f"rows is {self.rows!r}.", remedy=f"Use a whole number from 1 to {MAX_ROWS:,}.")
        if self.row_height is not None and not 0 < self.row_height < 1e18:
            raise InvalidRequest(f"row_height is {self.row_height!r}.", remedy="Give a price difference above zero.")
        if not 0 < self.value_area_fraction <= 1:
            raise InvalidRequest(
                f"value_area_fraction is {self.value_area_fraction!r}.",
                remedy="Use a share above 0 and up to 1, as 0.7.",
            )

    def to_plain(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)
