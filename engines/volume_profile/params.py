"""Settings of a volume profile."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from engines.errors import InvalidRequest

MAX_ROWS: Final = 10_000

Spread = Literal["uniform", "ticks", "close", "typical", "triangle"]
Split = Literal["candle", "range"]


@dataclass(frozen=True, slots=True)
class ProfileParams:
    """How a profile cuts price into rows, spreads a candle over them, and how much volume its value area holds.

    Exactly one of `rows`, `row_height` and `ticks_per_row` is given.

    Attributes:
        rows: number of rows between the lowest low and the highest high.
        row_height: height of a row in quote units; rows then lie on multiples of it, whatever the range.
        ticks_per_row: the same in ticks; needs `tick_size`.
        tick_size: smallest price step in quote units. Where it is known, rows are computed in whole ticks, so that a
            price on a row's edge is never put beside it by rounding.
        tv_rows: round `rows` to whole ticks per row as TradingView does, see `whole_tick_rows`; needs `tick_size`.
        value_area_fraction: share of the volume inside the value area, in (0, 1].
        spread: where a candle's volume goes. `uniform`: evenly over its range; `ticks`: evenly over the ticks from its
            low to its high, both included; `close`, `typical`: whole to its close or to the mean of high, low and
            close; `triangle`: over its range, most at the close.
        split: what counts as up. `candle`: all of a candle that closed at or above its open; `range`: the share of each
            candle's range that lies below its close.
        smoothing: sigma, in rows, of the Gaussian that smooths rows before nodes are looked for; 0 for none.

    Raises:
        InvalidRequest: the settings contradict each other, or a value is out of its range.
    """

    rows: int | None = 24
    row_height: float | None = None
    value_area_fraction: float = 0.7
    ticks_per_row: int | None = None
    tick_size: float | None = None
    tv_rows: bool = False
    spread: Spread = "uniform"
    split: Split = "candle"
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        self._check_rows()
        self._check_ticks()
        if not 0 < self.value_area_fraction <= 1:
            raise InvalidRequest(
                f"value_area_fraction is {self.value_area_fraction!r}.",
                remedy="Use a share above 0 and up to 1, as 0.7.",
            )
        for name, kinds in (("spread", get_args(Spread)), ("split", get_args(Split))):
            if getattr(self, name) not in kinds:
                raise InvalidRequest(f"{name} is {getattr(self, name)!r}.", remedy=f"Use one of {', '.join(kinds)}.")
        if not 0 <= self.smoothing <= 100:
            raise InvalidRequest(f"smoothing is {self.smoothing!r} rows.", remedy="Use 0 for none, up to 100.")

    def _check_rows(self) -> None:
        if sum(given is not None for given in (self.rows, self.row_height, self.ticks_per_row)) != 1:
            raise InvalidRequest(
                f"rows is {self.rows!r}, row_height {self.row_height!r} and ticks_per_row {self.ticks_per_row!r}.",
                remedy="Give exactly one of them.",
            )
        if self.rows is not None and (type(self.rows) is not int or not 1 <= self.rows <= MAX_ROWS):
            raise InvalidRequest(f"rows is {self.rows!r}.", remedy=f"Use a whole number from 1 to {MAX_ROWS:,}.")
        if self.row_height is not None and not 1e-18 < self.row_height < 1e18:
            raise InvalidRequest(f"row_height is {self.row_height!r}.", remedy="Give a price difference above zero.")
        if self.ticks_per_row is not None and (type(self.ticks_per_row) is not int or self.ticks_per_row < 1):
            raise InvalidRequest(f"ticks_per_row is {self.ticks_per_row!r}.", remedy="Use a whole number above zero.")

    def _check_ticks(self) -> None:
        if self.tick_size is None:
            needing = [
                name
                for name, asked in (
                    ("ticks_per_row", self.ticks_per_row is not None),
                    ("tv_rows", self.tv_rows),
                    ("spread 'ticks'", self.spread == "ticks"),
                )
                if asked
            ]
            if needing:
                raise InvalidRequest(f"{needing[0]} needs tick_size.", remedy="Give the symbol's smallest price step.")
            return
        if not 0 < self.tick_size < 1e18:
            raise InvalidRequest(f"tick_size is {self.tick_size!r}.", remedy="Give a price difference above zero.")
        if self.tv_rows and self.rows is None:
            raise InvalidRequest("tv_rows rounds a number of rows.", remedy="Give rows with it.")
        if self.row_height is not None:
            ticks = self.row_height / self.tick_size
            if round(ticks) < 1 or not math.isclose(ticks, round(ticks), rel_tol=1e-9):
                raise InvalidRequest(
                    f"row_height {self.row_height!r} is {ticks:.6g} ticks of {self.tick_size!r}.",
                    remedy="Use a whole number of ticks, or leave tick_size out.",
                )

    @property
    def stable(self) -> bool:
        """Whether rows keep their place when the range grows: they lie on multiples of a given height."""
        return self.rows is None

    def to_plain(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)


def whole_tick_rows(range_ticks: int, rows: int) -> tuple[int, int]:
    """Ticks per row and number of rows, as TradingView rounds a number of rows.

    A row takes range / rows ticks, rounded down or up to a whole number, whichever gives a number of rows closer to the
    one asked for; fewer ticks when equally close. Rows are added until the range is covered; the last may be shorter.

    Args:
        range_ticks: ticks from the lowest low to the highest high, >= 0.
        rows: the number asked for, >= 1.

    Source: TradingView's help pages on volume profiles, "Row size". Deviations: none known.
    """
    fewer = max(1, range_ticks // rows)
    more = max(1, -(-range_ticks // rows))
    choices = [(ticks, max(1, -(-range_ticks // ticks))) for ticks in (fewer, more)]
    return min(choices, key=lambda choice: (abs(choice[1] - rows), choice[0]))
