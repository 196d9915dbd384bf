"""Spread volume over rows and find the value area; loading this module loads numba."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from engines.compiled import FLOATS_IN, TIMES_IN, aside, kernel, step, tuple_of
from engines.volume_profile import grid as grid_module
from engines.volume_profile.grid import ROUNDER, SNAP, SNAP_SHARE

Floats = NDArray[np.float64]
Slots = NDArray[np.uint32]

# Rows this much of the total apart count as equal; the sums behind them differ by less than that.
TIE: Final = 1e-12
# Rows below this share of the largest one are rounding left-overs of the difference array.
NOISE: Final = 1e-12
# Candles worked on at a time, so that what is computed of them stays in the near caches.
_CHUNK: Final = 2048
# Candles take turns in adding to four copies of the sums, so that the next does not wait for the last one's store.
COPIES: Final = 4
# The volumes are summed in this many strands, candle t in strand t modulo their number.
STRANDS: Final = 8
# What is summed per slot (row and side): volume inside one row or in a range's lowest row, volume per row from the next
# row on, volume in a range's highest row, and volume per row that ends there.
PLANES: Final = 4


@step
def _sound(
    times: NDArray[np.int64], open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats, before: int
) -> bool:
    """Whether candles can be, where their lows and highs are known to be defined, above zero and finite.

    Counting what holds, without leaving early, lets the processor check several candles at once.
    """
    held = 1 if times[0] > before else 0
    for t in range(1, len(times)):
        held += 1 if times[t] > times[t - 1] else 0
    for t in range(len(times)):
        # An undefined value fails every comparison, so it fails these.
        sound = (low[t] <= open_[t]) & (low[t] <= close[t]) & (high[t] >= open_[t]) & (high[t] >= close[t])
        sound &= (volume[t] >= 0.0) & (volume[t] < np.inf)
        held += 1 if sound else 0
    return held == 2 * len(times)


@step
def _sum_strands(volume: Floats, turn: int, totals: Floats) -> None:
    t = 0
    while t < len(volume) and (turn + t) % STRANDS != 0:
        totals[(turn + t) % STRANDS] += volume[t]
        t += 1
    s0, s1, s2, s3, s4, s5, s6, s7 = totals
    while t + STRANDS <= len(volume):
        s0, s1, s2, s3 = s0 + volume[t], s1 + volume[t + 1], s2 + volume[t + 2], s3 + volume[t + 3]
        s4, s5, s6, s7 = s4 + volume[t + 4], s5 + volume[t + 5], s6 + volume[t + 6], s7 + volume[t + 7]
        t += STRANDS
    totals[0], totals[1], totals[2], totals[3] = s0, s1, s2, s3
    totals[4], totals[5], totals[6], totals[7] = s4, s5, s6, s7
    while t < len(volume):
        totals[(turn + t) % STRANDS] += volume[t]
        t += 1


@step
def _placed(price: float, grid: tuple[float, ...], reach: float) -> float:
    """Position in rows; a whole number where the price is on an edge."""
    per_unit, origin, height, scale, first, _ = grid
    if per_unit > 0.0:
        counted = price * per_unit
        whole = (counted + ROUNDER) - ROUNDER
        counted = whole if abs(counted - whole) <= SNAP + SNAP_SHARE * counted else counted
        return (counted + reach - origin) / height - first
    return (price - origin) * scale


@aside
def _place(prices: Floats, grid: tuple[float, ...], reach: float, out: Floats) -> None:
    """Positions in rows of many prices."""
    for t in range(len(prices)):
        out[t] = _placed(prices[t], grid, reach)


@step
def _shares(
    columns: tuple[Floats, ...], lower: Floats, upper: Floats, origin: float, scale: float, parts: Floats, slots: Slots
) -> None:
    """Volume in the lowest row, per whole row and in the highest, of every candle; and its first and last slot."""
    open_, close, volume = columns
    for t in range(len(volume)):
        bottom, top = (lower[t] - origin) * scale, (upper[t] - origin) * scale
        first, last = np.int32(bottom), np.int32(top)
        inside = first == last
        density = 0.0 if inside else volume[t] / (top - bottom)
        parts[0, t] = volume[t] if inside else density * (first + 1.0 - bottom)
        parts[1, t] = density
        parts[2, t] = density * (top - last)
        side = np.int32(1) if close[t] < open_[t] else np.int32(0)
        slots[0, t], slots[1, t] = 2 * first + side, 2 * last + side


@step
def _enter(parts: Floats, slots: Slots, count: int, turn: int, spans: Slots, sums: Floats) -> None:
    """Add each candle to its slots; whole rows in between are entered where they begin and where they end."""
    spanning = 0
    for t in range(count):
        sums[0, (turn + t) & (COPIES - 1), slots[0, t]] += parts[0, t]
        # Always written, kept only where the candle spans rows: a branch would be guessed wrong too often.
        spans[spanning] = t
        spanning += slots[0, t] != slots[1, t]
    for span in range(spanning):
        t = spans[span]
        copy, first, last = (turn + t) & (COPIES - 1), slots[0, t], slots[1, t]
        sums[1, copy, first] += parts[1, t]
        sums[2, copy, last] += parts[2, t]
        sums[3, copy, last] += parts[1, t]


@step
def _below_in_triangle(place: float, bottom: float, top: float, peak: float) -> float:
    """Share of a triangle's area below a place."""
    if place <= bottom:
        return 0.0
    if place >= top:
        return 1.0
    if place < peak:
        return (place - bottom) * (place - bottom) / ((top - bottom) * (peak - bottom))
    return 1.0 - (top - place) * (top - place) / ((top - bottom) * (top - peak))


@aside
def _add_triangle(bottom: float, top: float, peak: float, volume: float, rows: Floats) -> None:
    first, last = int(bottom), int(top)
    if first == last:
        rows[first] += volume
        return
    below = 0.0
    for row in range(first, last + 1):
        upto = _below_in_triangle(row + 1.0, bottom, top, peak)
        rows[row] += volume * (upto - below)
        below = upto


@step
def _add_range(bottom: float, top: float, volume: float, rows: Floats) -> None:
    first, last = int(bottom), int(top)
    if first == last:
        rows[first] += volume
        return
    density = volume / (top - bottom)
    rows[first] += density * (first + 1.0 - bottom)
    for row in range(first + 1, last):
        rows[row] += density
    rows[last] += density * (top - last)


@step
def _summed(copies: Floats, slot: int) -> float:
    return float((copies[0, slot] + copies[1, slot]) + (copies[2, slot] + copies[3, slot]))


@step
def _rows(sums: Floats, rows: Floats) -> None:
    """What the sums make of every row; what lies on the upper edge of the last belongs to it."""
    count, largest = rows.shape[1], 0.0
    for side in range(2):
        whole = 0.0
        for row in range(count + 1):
            slot = 2 * row + side
            whole -= _summed(sums[3], slot)
            held = _summed(sums[0], slot) + _summed(sums[2], slot) + whole
            whole += _summed(sums[1], slot)
            if row < count:
                rows[side, row] = held
            else:
                rows[side, count - 1] += held
        for row in range(count):
            largest = max(largest, rows[side, row])
    for side in range(2):
        for row in range(count):
            if rows[side, row] < NOISE * largest:
                rows[side, row] = 0.0


@kernel(
    TIMES_IN,
    tuple_of(FLOATS_IN, 8),
    tuple_of(types.float64, 6),
    types.boolean,
    types.boolean,
    types.int64,
    types.float64[:, :, ::1],
    types.float64[::1],
    types.float64[:, ::1],
    inlines=(grid_module,),
)
def spread_kernel(
    times: NDArray[np.int64],
    columns: tuple[Floats, ...],
    grid: tuple[float, ...],
    triangle: bool,
    check: bool,
    turn: int,
    sums: Floats,
    totals: Floats,
    rows: Floats,
) -> bool:
    """Share each candle's volume evenly over the rows between `lower` and `upper`, and tell what the rows then hold.

    A candle costs the same however many rows it spans. Each one is entered as if it came alone, so candles may be
    spread in as many calls as they come in: `sums`, `totals` and `rows` are the same bit for bit.

    Args:
        columns: open, high, low, close, volume, lower, upper and peak, each of shape (n,).
        grid: `RowGrid.numbers`.
        triangle: spread most volume at the peak and none at the ends; such a candle costs as many steps as rows.
        check: refuse candles that cannot be; that all lows and highs are defined, above zero and finite is known from
            the range the grid was made for.
        turn: number of candles in `sums` before these.
        sums: shape (4, 4, 2 * (rows + 1)), volume by slot so far; with a spare row above the last.
        totals: shape (8,), strands of the sum of all volumes so far.
        rows: shape (2, rows), set to up and down volume by row.

    Returns:
        False when a candle cannot be; sums are of no use then.
    """
    open_, high, low, close, volume, lower, upper, peak = columns
    _, origin, _, scale, _, reach = grid
    places, parts = np.empty((3, _CHUNK)), np.empty((3, _CHUNK))
    slots, spans = np.empty((2, _CHUNK), np.uint32), np.empty(_CHUNK + 1, np.uint32)
    for begin in range(0, len(close), _CHUNK):
        part = slice(begin, min(begin + _CHUNK, len(close)))
        if check:
            before = times[begin - 1] if begin > 0 else times[0] - 1
            if not _sound(times[part], open_[part], high[part], low[part], close[part], volume[part], before):
                return False
        _sum_strands(volume[part], turn + begin, totals)
        if triangle or grid[0] > 0.0:
            _place(lower[part], grid, 0.0, places[0])
            _place(upper[part], grid, reach, places[1])
        if triangle:
            _place(peak[part], grid, 0.0, places[2])
            for t in range(begin, part.stop):
                rows_of_side = sums[0, 0, (1 if close[t] < open_[t] else 0) :: 2]
                _add_triangle(places[0, t - begin], places[1, t - begin], places[2, t - begin], volume[t], rows_of_side)
            continue
        bodies = (open_[part], close[part], volume[part])
        if grid[0] > 0.0:
            _shares(bodies, places[0], places[1], 0.0, 1.0, parts, slots)
        else:
            _shares(bodies, lower[part], upper[part], origin, scale, parts, slots)
        _enter(parts, slots, part.stop - begin, turn + begin, spans, sums)
    _rows(sums, rows)
    return True


@step
def _value_area(volume: Floats, largest: float, total: float, fraction: float) -> tuple[int, int, int]:
    count, tie, poc = len(volume), TIE * total, -1
    for row in range(count):
        if volume[row] >= largest - tie and (poc < 0 or abs(2 * row - count + 1) < abs(2 * poc - count + 1)):
            poc = row
    low, high, held, target = poc, poc, volume[poc], fraction * total - tie
    while held < target and (low > 0 or high < count - 1):
        above = (
            0.0 if high > count - 2 else volume[high + 1] if high > count - 3 else volume[high + 1] + volume[high + 2]
        )
        below = 0.0 if low < 1 else volume[low - 1] if low < 2 else volume[low - 2] + volume[low - 1]
        if low == 0 or (high < count - 1 and above >= below - tie):
            held += above
            high = min(high + 2, count - 1)
        else:
            held += below
            low = max(low - 2, 0)
    return poc, low, high


@kernel(FLOATS_IN, types.float64, types.float64)
def value_area_kernel(volume: Floats, total: float, fraction: float) -> tuple[int, int, int]:
    """Rows of POC, VAL and VAH.

    POC is the largest row; of equal ones the nearest to the middle, then the lower. From there the area grows by the
    larger of the two rows above and the two below, the upper pair when equal, until it holds the fraction.
    """
    largest = volume[0]
    for row in range(1, len(volume)):
        largest = max(largest, volume[row])
    return _value_area(volume, largest, total, fraction)


@kernel(
    tuple_of(FLOATS_IN, 4),
    tuple_of(types.float64, 6),
    types.boolean,
    tuple_of(types.int64, 5),
    types.float64,
    types.float64[::1],
    types.float64[::1],
    types.int64[:, ::1],
    inlines=(grid_module,),
)
def develop_kernel(
    columns: tuple[Floats, ...],
    grid: tuple[float, ...],
    triangle: bool,
    span: tuple[int, ...],
    fraction: float,
    rows: Floats,
    sums: Floats,
    levels: NDArray[np.int64],
) -> None:
    """Enter candles one by one and tell rows of POC, VAL and VAH after each.

    Args:
        columns: volume, lower, upper and peak, each of shape (n,).
        grid: `RowGrid.numbers`.
        span: first candle to enter, first to tell of, first not to enter; first row of the profile in `rows`, and their
            number.
        rows: volume by row so far, with a spare row after the last.
        sums: shape (2,): total volume, and the largest row so far.
        levels: shape (3, n), set from the first candle to tell of on; -1 while there is no volume.
    """
    volume, lower, upper, peak = columns
    reach = grid[5]
    begin, tell, end, offset, count = span
    for t in range(begin, end):
        bottom, top = _placed(lower[t], grid, 0.0), _placed(upper[t], grid, reach)
        if triangle:
            _add_triangle(bottom, top, _placed(peak[t], grid, 0.0), volume[t], rows)
        else:
            _add_range(bottom, top, volume[t], rows)
        sums[0] += volume[t]
        for row in range(int(bottom), int(top) + 1):
            sums[1] = max(sums[1], rows[row])
        if t < tell:
            continue
        levels[0, t], levels[1, t], levels[2, t] = -1, -1, -1
        if sums[0] > 0.0:
            # What lies on the upper edge of the last row belongs to it, until there is a row above.
            last = offset + count - 1
            kept = rows[last]
            rows[last] += rows[last + 1]
            poc, low, high = _value_area(rows[offset : offset + count], max(sums[1], rows[last]), sums[0], fraction)
            rows[last] = kept
            levels[0, t], levels[1, t], levels[2, t] = poc, low, high
