"""Run an engine on altered histories and compare every output, bit for bit, with what it said on the whole one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.certificate.altering import moved, poisoned
from engines.certificate.verdicts import CHECKS, Certificate, Check, Failure, Verdict
from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData, InvalidRequest

Array = NDArray[Any]
Outputs = Mapping[str, Array]
Compute = Callable[[CandleFrame], Outputs]
Progress = Callable[[int, int], None]

# How far an output that has forgotten where its series began may still be off: absolute, above 1 relative.
FORGOTTEN: Final = 1e-9
_STARTS: Final = 4


def certify(
    compute: Compute,
    candles: CandleFrame,
    *,
    cuts: int = 200,
    seed: int = 0,
    settles: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> Certificate:
    """Check that no output of `compute` changes once its candle has closed.

    Four checks, each against the outputs on the whole series. Cut: on the candles up to a random row, all rows are the
    same bit for bit. Poison: with extreme but possible candles from that row on, all rows before it are. Dates: moved
    by 56 years, a whole number of weeks, all rows are. Start: with the first candles left out, an output named in
    `settles` is within 1e-9 again after that many candles, and a flag equal. Undefined (NaN) equals undefined.

    Args:
        compute: engine: closed candles to arrays by name, each with one row a candle (leading dimension n). It may
            raise `InsufficientData` on too few candles.
        candles: closed candles, ascending; a few thousand show what there is to show.
        cuts: random rows, each used once; fewer where there are fewer candles.
        settles: by output, the candles after which it no longer depends on where the series began.
        progress: called with histories done and in all.

    Returns:
        Every output's verdicts. It proves what it compared and nothing else: a leak that never acts on these candles
        is not seen.

    Raises:
        InsufficientData: the engine has no two lengths of these candles to compare.
        InvalidRequest: an output has not one row a candle, or is there on one history and not on another.
    """
    if cuts < 1:
        raise InvalidRequest(f"cuts={cuts} compares nothing.", remedy="Use at least 1.")
    random = np.random.default_rng(seed)
    rows = _cuts(compute, candles, cuts, random)
    whole = _columns(compute(candles), len(candles))
    run = _Run(compute, candles, whole, dict(settles or {}))
    steps = run.steps(rows, random)
    for done, step in enumerate(steps, start=1):
        step()
        if progress is not None:
            progress(done, len(steps))
    opened, closed = int(candles.open_time[0]), int(candles.as_of.timestamp() * 1000)
    found = tuple(run.found[name, check] for name in whole for check in CHECKS)
    place = (candles.symbol, candles.timeframe, candles.market, len(candles))
    return Certificate(*place, opened, closed, len(rows), seed, found)


class _Run:
    """The comparisons of one certificate and what they found so far."""

    def __init__(self, compute: Compute, candles: CandleFrame, whole: Outputs, settles: dict[str, int]) -> None:
        self.compute, self.candles, self.whole, self.settles = compute, candles, whole, settles
        self.found = {(name, check): Verdict(name, check) for name in whole for check in CHECKS}

    def steps(self, rows: Sequence[int], random: np.random.Generator) -> list[Callable[[], None]]:
        """Every history, as something to run."""
        starts = random.integers(1, max(2, len(self.candles) // 4), _STARTS).tolist() if self.settles else []
        return [
            *(lambda row=row: self._prefix("cut", self.candles[:row], row) for row in rows),
            *(lambda row=row: self._prefix("poison", poisoned(self.candles, row, random), row) for row in rows),
            lambda: self._prefix("dates", moved(self.candles), len(self.candles)),
            *(lambda dropped=dropped: self._late(dropped) for dropped in starts),
        ]

    def _prefix(self, check: Check, altered: CandleFrame, known: int) -> None:
        """Compare the first `known` rows, which must not have changed."""
        outputs = self._outputs(altered)
        for name, column in self.whole.items():
            self._note(name, check, _changed(column[:known], outputs[name][:known]), outputs[name], 0, known)

    def _late(self, dropped: int) -> None:
        """Compare what has settled on a series without its first `dropped` candles."""
        try:
            outputs = self._outputs(self.candles[dropped:])
        except InsufficientData:
            return
        for name, settled in self.settles.items():
            column, late = self.whole[name][dropped:], outputs[name]
            if len(late) > settled:
                off = np.flatnonzero(_differs(column, late)[settled:]) + settled
                self._note(name, "start", off, late, dropped, len(self.candles))

    def _outputs(self, altered: CandleFrame) -> Outputs:
        outputs = _columns(self.compute(altered), len(altered))
        if outputs.keys() != self.whole.keys():
            odd = sorted(outputs.keys() ^ self.whole.keys())
            raise InvalidRequest(f"The engine gives {', '.join(odd)} on some candles and not on others.")
        return outputs

    def _note(self, name: str, check: Check, rows: NDArray[np.intp], altered: Array, offset: int, known: int) -> None:
        before = self.found[name, check]
        if len(rows) == 0:
            self.found[name, check] = Verdict(name, check, before.runs + 1, before.failed, before.reach, before.failure)
            return
        row = int(rows[-1])
        failure = before.failure or Failure(
            name,
            check,
            row + offset,
            int(self.candles.open_time[row + offset]),
            known,
            *_cells(self.whole[name][row + offset], altered[row]),
        )
        reach = max(before.reach, known - int(rows[0]) - offset)
        self.found[name, check] = Verdict(name, check, before.runs + 1, before.failed + 1, reach, failure)


def _cuts(compute: Compute, candles: CandleFrame, cuts: int, random: np.random.Generator) -> list[int]:
    """Random numbers of candles that are enough for the engine, fewer than there are, in rising order."""
    low, high = 0, len(candles)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            compute(candles[:middle])
            high = middle
        except InsufficientData:
            low = middle
    if high >= len(candles):
        raise InsufficientData(
            f"{candles.symbol} has {len(candles)} closed {candles.timeframe} candles, too few to leave some out.",
            remedy="Certify more candles.",
        )
    possible = np.arange(high, len(candles))
    return sorted(random.choice(possible, size=min(cuts, len(possible)), replace=False).tolist())


def _columns(outputs: Outputs, rows: int) -> Outputs:
    for name, column in outputs.items():
        if len(column) != rows:
            raise InvalidRequest(f"{name} has {len(column)} rows on {rows} candles.", remedy="Give one row a candle.")
    return outputs


def _changed(whole: Array, altered: Array) -> NDArray[np.intp]:
    """Rows that are not the same bit for bit."""
    if whole.tobytes() == altered.tobytes():
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(_rowwise(~_same_bits(whole, altered)))


def _same_bits(whole: Array, altered: Array) -> NDArray[np.bool_]:
    if whole.dtype.kind != "f" or altered.dtype.kind != "f":
        return np.asarray(whole == altered)
    both_undefined = np.isnan(whole) & np.isnan(altered)
    return np.asarray(both_undefined | ((whole == altered) & (np.signbit(whole) == np.signbit(altered))))


def _differs(whole: Array, late: Array) -> NDArray[np.bool_]:
    """Rows that are farther apart than what is left of a forgotten beginning."""
    if whole.dtype.kind != "f":
        return _rowwise(whole != late)
    near = np.abs(whole - late) <= FORGOTTEN * np.maximum(1.0, np.abs(whole))
    return _rowwise(~(near | (np.isnan(whole) & np.isnan(late)) | (whole == late)))


def _rowwise(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cells.reshape(len(cells), -1).any(axis=1))


def _cells(whole: Array, altered: Array) -> tuple[float, float]:
    """Two rows as plain data, flags as 0 or 1; of rows with several columns the first that differs."""
    one, other = np.ravel(whole).astype(float), np.ravel(altered).astype(float)
    column = int(np.argmax(~((one == other) | (np.isnan(one) & np.isnan(other)))))
    return float(one[column]), float(other[column])
