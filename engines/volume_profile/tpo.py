"""Market profile: at which prices a period spent its time, in letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.domain.candles import CandleFrame, Floats
from engines.domain.timeframe import duration_ms, from_ms, to_ms
from engines.errors import InvalidRequest
from engines.soundness import require_count, sound_columns
from engines.volume_profile.grid import RowGrid, in_units
from engines.volume_profile.tpo_params import TpoParams

Counts = NDArray[np.int64]

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class TpoBlock:
    """One block of time: its letter, when it began (UTC), its range in quote units and the rows it touched."""

    letter: str
    opens: datetime
    low: float
    high: float
    first_row: int
    last_row: int


@dataclass(frozen=True, slots=True, eq=False)
class TpoProfile:
    """What `compute_tpo` found; prices in quote units.

    Row i covers [base + i * row_height, base + (i + 1) * row_height); the highest price belongs to the last row.

    Attributes:
        blocks: in time order; those without a candle are left out and use no letter.
        counts: shape (rows,), letters in each row, row 0 is the lowest; read-only.
        poc_row, val_row, vah_row: rows of the point of control and of the value area's ends.
        single_print_rows: rows with one letter in a run that has rows of two or more directly below and above it.
        tail_low_rows, tail_high_rows: length of the run of two or more single letters at the low and the high, else 0.
    """

    candles: CandleFrame
    params: TpoParams
    base: float
    row_height: float
    blocks: tuple[TpoBlock, ...]
    counts: Counts
    poc_row: int
    val_row: int
    vah_row: int
    single_print_rows: tuple[int, ...]
    tail_low_rows: int
    tail_high_rows: int

    @property
    def poc(self) -> float:
        """Point of control: middle of the row with most letters."""
        return self.base + (self.poc_row + 0.5) * self.row_height

    @property
    def val(self) -> float:
        """Value area low: lower edge of its lowest row."""
        return self.base + self.val_row * self.row_height

    @property
    def vah(self) -> float:
        """Value area high: upper edge of its highest row."""
        return self.base + (self.vah_row + 1) * self.row_height

    @property
    def low(self) -> float:
        """Lowest price traded."""
        return min(block.low for block in self.blocks)

    @property
    def high(self) -> float:
        """Highest price traded."""
        return max(block.high for block in self.blocks)

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of every row, lowest row first, in time order."""
        rows: list[list[str]] = [[] for _ in range(len(self.counts))]
        for block in self.blocks:
            for row in range(block.first_row, block.last_row + 1):
                rows[row].append(block.letter)
        return tuple("".join(row) for row in rows)

    @property
    def initial_balance(self) -> tuple[float, float]:
        """Low and high of the first blocks; it may still grow while the period has no more than those."""
        first = self.blocks[: self.params.initial_balance_blocks]
        return min(block.low for block in first), max(block.high for block in first)

    @property
    def single_prints(self) -> tuple[tuple[float, float], ...]:
        """Price ranges of the single prints, lowest first: lower edge of the first row, upper edge of the last."""
        runs = groupby(enumerate(self.single_print_rows), key=lambda each: each[1] - each[0])
        spans = [[row for _, row in run] for _, run in runs]
        height = self.row_height
        return tuple((self.base + rows[0] * height, self.base + (rows[-1] + 1) * height) for rows in spans)

    @property
    def poor_low(self) -> bool:
        """Two or more letters in the lowest row: the auction ended there without being turned away."""
        return bool(self.counts[0] >= 2)

    @property
    def poor_high(self) -> bool:
        """Two or more letters in the highest row."""
        return bool(self.counts[-1] >= 2)

    @property
    def balanced_target(self) -> float:
        """Where the range would end if it lay evenly around its point of control: the further end, mirrored."""
        poc = self.poc
        return 2 * poc - (self.high if self.high - poc >= poc - self.low else self.low)

    @property
    def rotation_factor(self) -> int:
        """Sum over blocks of +1 for a higher high and low than the block before, -1 for a lower one."""
        moves = (
            (later.high > earlier.high)
            - (later.high < earlier.high)
            + (later.low > earlier.low)
            - (later.low < earlier.low)
            for earlier, later in pairwise(self.blocks)
        )
        return sum(moves)


def compute_tpo(candles: CandleFrame, params: TpoParams | None = None, *, opens: datetime | None = None) -> TpoProfile:
    """Print one letter per block of time into every row its range touched, and find the value area of the letters.

    Volume is not used. Nothing after the last candle is used. O(n + rows * blocks).

    Args:
        candles: n >= 1 closed candles of one period, ascending open_time, whose timeframe divides the block.
        params: rows, blocks and value area; 24 rows and blocks of 30 minutes when None.
        opens: when the period's first block begins; blocks lie on the clock (UTC) when None.

    Returns:
        POC, VAL, VAH in quote units, VAL <= POC <= VAH: equal rows and pairs as in a volume profile. Letters are A to
        Z, then a to z, then A again.

    Raises:
        InsufficientData: there is no candle.
        InvalidRequest: a candle cannot be, the candles' timeframe does not divide the block, or `row_height` would make
            more than 10,000 rows.

    Source: Steidlmayer's market profile in the Chicago Board of Trade's handbook, letters as TradingView has them.
    Deviations: what counts as a single print, a tail and a poor extreme differs between authors; see `TpoProfile`.
    """
    from engines.volume_profile.kernels import value_area_kernel

    params = params or TpoParams()
    require_count(candles, 1, what="a market profile")
    _, high, low, _, _ = sound_columns(candles)
    grid = RowGrid.over(float(low.min()), float(high.max()), params.as_profile())
    firsts = _block_firsts(candles, params.block_minutes, opens)
    lows, highs = np.minimum.reduceat(low, firsts), np.maximum.reduceat(high, firsts)
    first_rows, last_rows = _rows(lows, grid), _rows(highs, grid)
    change = np.bincount(first_rows, minlength=grid.count + 1) - np.bincount(last_rows + 1, minlength=grid.count + 1)
    counts = np.cumsum(change)[: grid.count]
    counts.flags.writeable = False
    as_volume = counts.astype(np.float64)
    poc, val, vah = value_area_kernel(as_volume, float(as_volume.sum()), params.value_area_fraction)
    columns = (candles.open_time[firsts], lows, highs, first_rows, last_rows)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    blocks = tuple(
        TpoBlock(LETTERS[number % len(LETTERS)], from_ms(time), *rest) for number, (time, *rest) in enumerate(rows)
    )
    return TpoProfile(candles, params, grid.base, grid.row_height, blocks, counts, poc, val, vah, *_singles(counts))


def _rows(prices: Floats, grid: RowGrid) -> Counts:
    """Row of each price; one on an edge belongs to the row above it, the highest of all to the last row."""
    # Rows on multiples of their height are counted from zero, others from the lowest price.
    unit, first = (grid.unit, grid.first) if grid.unit else (grid.height, 0)
    places = [int(in_units(price - grid.origin, unit)) - first for price in prices.tolist()]
    return np.array([min(place, grid.count - 1) for place in places], dtype=np.int64)


def _block_firsts(candles: CandleFrame, minutes: int, opens: datetime | None) -> NDArray[np.intp]:
    """Row of the first candle of every block that has one."""
    span, candle = minutes * _MINUTE_MS, duration_ms(candles.timeframe)
    if span % candle:
        raise InvalidRequest(
            f"{candles.timeframe} candles cannot fill blocks of {minutes} minutes.",
            remedy="Use candles of a timeframe that divides the block, or longer blocks.",
        )
    block = (candles.open_time - (0 if opens is None else to_ms(opens))) // span
    return np.flatnonzero(np.diff(block, prepend=block[0] - 1))


def _singles(counts: Counts) -> tuple[tuple[int, ...], int, int]:
    """Rows of single prints, and the lengths of the low and the high tail."""
    last = len(counts) - 1
    bounds = np.flatnonzero(np.diff((counts == 1).astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    runs = [(first, end - 1) for first, end in bounds.tolist()]
    inside = [run for run in runs if run[0] > 0 and run[1] < last]
    held = [run for run in inside if counts[run[0] - 1] >= 2 and counts[run[1] + 1] >= 2]
    rows = tuple(row for first, end in held for row in range(first, end + 1))
    low = sum(end - first + 1 for first, end in runs if first == 0 and end > first)
    high = sum(end - first + 1 for first, end in runs if end == last and end > first)
    return rows, low, high
