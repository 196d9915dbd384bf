"""Settings of a market profile."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from engines.errors import InvalidRequest
from engines.volume_profile.params import ProfileParams

BLOCK_MINUTES: Final = (5, 10, 15, 30, 60, 120, 240)


@dataclass(frozen=True, slots=True)
class TpoParams:
    """How a market profile cuts price into rows and time into blocks.

    Attributes:
        rows: number of rows between the lowest low and the highest high; None when `row_height` is given.
        row_height: height of a row in quote units; rows then lie on multiples of it, whatever the range.
        block_minutes: length of one block, which prints one letter.
        initial_balance_blocks: how many first blocks make the initial balance; two of 30 minutes are its hour.
        value_area_fraction: share of the letters inside the value area, in (0, 1].

    Raises:
        InvalidRequest: neither or both of rows and row_height are given, or a value is out of its range.
    """

    rows: int | None = 24
    row_height: float | None = None
    block_minutes: int = 30
    initial_balance_blocks: int = 2
    value_area_fraction: float = 0.7

    def __post_init__(self) -> None:
        self.as_profile()
        if self.block_minutes not in BLOCK_MINUTES:
            raise InvalidRequest(
                f"block_minutes is {self.block_minutes!r}.", remedy=f"Use one of {', '.join(map(str, BLOCK_MINUTES))}."
            )
        if type(self.initial_balance_blocks) is not int or self.initial_balance_blocks < 1:
            raise InvalidRequest(
                f"initial_balance_blocks is {self.initial_balance_blocks!r}.", remedy="Use a whole number from 1."
            )

    def as_profile(self) -> ProfileParams:
        """The rows and the value area, which are those of a volume profile."""
        return ProfileParams(self.rows, self.row_height, self.value_area_fraction)

    def to_plain(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)
