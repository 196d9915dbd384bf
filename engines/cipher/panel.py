"""The Cipher panel of a series of candles: arrays by name, and the events in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.cipher.higher import rests_on, show_leaking_diamonds
from engines.cipher.layout import CONFIRMATION, CORE_COLUMNS, EVENT_NAMES, FLAT, PIVOTS, VALUE_COLUMNS, pivot_place
from engines.cipher.machine import Machine, machine_of
from engines.cipher.params import VUMANCHU_B, CipherAParams, CipherParams
from engines.domain.candles import CandleFrame, Floats, Times
from engines.domain.timeframe import duration_ms
from engines.errors import InvalidRequest
from engines.soundness import contiguous_columns, require_count, unsound

Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]
Masks = NDArray[np.signedinteger[Any]] | NDArray[np.unsignedinteger[Any]]

# Candles before the first one shown, after which a value no longer depends on where the series began (below 1e-12).
WARM_UP: Final = 500


@dataclass(frozen=True, slots=True)
class CipherEvent:
    """Something that happened, known from the close of the candle that confirmed it.

    Attributes:
        index: the confirming candle's row, as `confirmed_index`; nothing may act before its close.
        pivot_index: the row it is drawn at: two earlier for divergences and their dots, else the same.
        confirmed_time: when it became knowable, milliseconds since the epoch: that candle's close.
        previous_pivot_index: of a divergence, the earlier pivot it compares with.
    """

    name: str
    index: int
    pivot_index: int
    confirmed_index: int
    confirmed_time: int
    previous_pivot_index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CipherPanel:
    """What `compute_panel` or `compute_cipher_a` found; every array has shape (n,) and is read-only.

    Attributes:
        values: columns by name, NaN where undefined. Of panel B: `wt1`, `wt2` (fast and slow wave, points around 0),
            `vwap` (their difference; no volume is in it), `money_flow` (points around 0; candle bodies and ranges, no
            volume), `rsi`, `stoch_k`, `stoch_d`, `stc` (0..100; K may pass 100 in the last digit), `htf_vwap` (the
            difference on a higher timeframe), `macd_wt1_colour`, `macd_wt2_colour` (0..3, the palette's a..d).
        event_names: events there are, in the order in which those of one candle are told.
        masks: the events of each candle as bits, in that order; `flags` decodes them.
    """

    candles: CandleFrame
    params: CipherParams | CipherAParams
    values: Mapping[str, Floats]
    event_names: tuple[str, ...]
    masks: Masks

    @property
    def wt1(self) -> Floats:
        """Fast wave, points around 0."""
        return self.values["wt1"]

    @property
    def wt2(self) -> Floats:
        """Slow wave, points around 0."""
        return self.values["wt2"]

    @property
    def vwap(self) -> Floats:
        """Fast less slow wave, points; no volume is in it."""
        return self.values["vwap"]

    @property
    def money_flow(self) -> Floats:
        """Money flow, points around 0."""
        return self.values["money_flow"]

    @property
    def rsi(self) -> Floats:
        """Relative strength, 0..100."""
        return self.values["rsi"]

    @property
    def stoch_k(self) -> Floats:
        """K of Stoch RSI, 0..100."""
        return self.values["stoch_k"]

    @property
    def stoch_d(self) -> Floats:
        """D of Stoch RSI, 0..100."""
        return self.values["stoch_d"]

    @property
    def stc(self) -> Floats:
        """Schaff trend cycle, 0..100."""
        return self.values["stc"]

    @property
    def flat(self) -> Flags:
        """Whether the price has not moved for so long that the waves are undefined or rounding noise."""
        return self._decoded(FLAT)

    def flags(self, name: str) -> Flags:
        """Whether the event happened, on the candle that confirmed it.

        Raises:
            InvalidRequest: the panel has no such event.
        """
        return self._decoded(self._bit(name))

    def latest(self) -> dict[str, float]:
        """Values at the last closed candle by column name; NaN where undefined."""
        return {name: float(column[-1]) for name, column in self.values.items()}

    def pivots(self, name: str) -> tuple[Indices, Indices]:
        """Rows of an event's pivot and of the earlier pivot it compares with, on its confirmation candle.

        -1 where it did not happen, and in the second array wherever nothing is compared (dots, crosses).

        Raises:
            InvalidRequest: the panel has no such event.
        """
        fired = np.flatnonzero(self.flags(name))
        pivot, previous = (np.full(len(self.candles), -1, dtype=np.int64) for _ in range(2))
        place = pivot_place(name, self.params)
        pivot[fired] = fired - pivot_offset(name)
        if place is not None:
            confirmed = np.flatnonzero(self.masks & PIVOTS << place)
            previous[fired] = confirmed[np.searchsorted(confirmed, fired) - 1] - CONFIRMATION
        pivot.flags.writeable = previous.flags.writeable = False
        return pivot, previous

    def rests_on(self, name: str) -> Times:
        """Close time of the newest candle that each row of a column or event rests on, milliseconds since the epoch.

        Of columns and events of a higher timeframe its newest closed candle, 0 where there is none; of all others the
        row's own.

        Raises:
            InvalidRequest: the panel has no such column or event.
        """
        if name not in self.values:
            self._bit(name)
        times = rests_on(self.candles, self.params, name)
        times.flags.writeable = False
        return times

    def events(self, first: int = 0, names: Iterable[str] | None = None) -> tuple[CipherEvent, ...]:
        """Events confirmed on the candles from row `first` on, in time order.

        Args:
            names: only these; all there are without.

        Raises:
            InvalidRequest: the panel has no event of a given name.
        """
        wanted = self.event_names if names is None else tuple(names)
        bits = {name: self._bit(name) for name in wanted}
        rows = np.flatnonzero(self.masks[first:] & sum(bits.values())) + first
        masks = self.masks[rows]
        found = []
        for place, name in enumerate(self.event_names):
            hits = rows[(masks & bits.get(name, 0)) != 0]
            if len(hits):
                pivot, previous = self.pivots(name)
                found += [(row, place, name, pivot[row], previous[row]) for row in hits.tolist()]
        times = self.candles.open_time
        duration = duration_ms(self.candles.timeframe)
        return tuple(
            CipherEvent(name, row, int(pivot), row, int(times[row]) + duration, int(earlier) if earlier >= 0 else None)
            for row, _, name, pivot, earlier in sorted(found)
        )

    def last_event(self, *names: str) -> CipherEvent | None:
        """The newest of the named events, None when there was none."""
        hits = np.flatnonzero(self.masks & sum(self._bit(name) for name in names))
        return self.events(int(hits[-1]), names)[-1] if len(hits) else None

    def _bit(self, name: str) -> int:
        try:
            return 1 << self.event_names.index(name)
        except ValueError:
            raise InvalidRequest(
                f"{name!r} is not an event of the panel.", remedy=f"Use one of {', '.join(self.event_names)}."
            ) from None

    def _decoded(self, bit: int) -> Flags:
        flags: Flags = (self.masks & bit) != 0
        flags.flags.writeable = False
        return flags


def pivot_offset(name: str) -> int:
    """Candles from the pivot of an event to the candle that confirms it: two for divergences and their dots."""
    return CONFIRMATION if name == "gold_dot" or "_div" in name else 0


def compute_panel(candles: CandleFrame, params: CipherParams = VUMANCHU_B) -> CipherPanel:
    """Compute all values and events of the Cipher panel.

    No look-ahead: values and events at candle i use candles[: i + 1] only, bit for bit; divergences and their dots lie
    on the candle that confirms the pivot, two after it, and higher timeframes show closed candles only. The one
    exception is `params.tv_parity`, whose diamonds look ahead: see `params.repaints`. Volume is not used. O(n).

    Args:
        candles: closed candles in quote units, at least `params.candles_needed` of them; `WARM_UP` more than are
            shown make the values independent of where the series begins.

    Returns:
        Columns of shape (n,), in points or percent as told at `CipherPanel`. On a market that has never moved RSI is
        100 and STC 0 by convention and everything else undefined; `flat` marks such candles.

    Raises:
        InvalidRequest: a candle cannot be (undefined price, high below the body, times not rising); names the rows.
        InsufficientData: there are fewer candles than the panel needs; says how many of each.

    Source: the community script "VuManChu B Divergences" and published measurements of its language's primitives.
    Deviations: a Stoch RSI range below 1e-12 of its level is undefined instead of noise; RSI with an average loss of at
    most 1e-10 is 100; below a price of one, tolerances on prices shrink with it.
    """
    machine = machine_of(params, candles.timeframe)
    values, masks = np.empty((len(VALUE_COLUMNS), len(candles))), np.empty(len(candles), dtype=np.int64)
    _fill(candles, params, machine, values, masks)
    if params.tv_parity:
        show_leaking_diamonds(candles, params, values, masks)
    values.flags.writeable = masks.flags.writeable = False
    columns = MappingProxyType(dict(zip(VALUE_COLUMNS, values, strict=True)))
    return CipherPanel(candles, params, columns, EVENT_NAMES, masks)


def compute_core(candles: CandleFrame, params: CipherParams = VUMANCHU_B, out: Floats | None = None) -> Floats:
    """Compute the seven values that everything else of the panel rests on, without any event.

    No look-ahead, as `compute_panel`, whose columns these are bit for bit.

    Args:
        out: a C-contiguous array of shape (7, n) to write to; fresh memory costs as much as a third of the work.

    Returns:
        Shape (7, n), rows as in `CORE_COLUMNS`; read-only, a view of `out` where that is given.

    Raises:
        InvalidRequest: a candle cannot be, as in `compute_panel`; or `out` is not such an array.
        InsufficientData: there are fewer candles than the panel needs.
    """
    shape = (len(CORE_COLUMNS), len(candles))
    if out is None:
        out = np.empty(shape)
    elif out.shape != shape or out.dtype != np.float64 or not (out.flags.c_contiguous and out.flags.writeable):
        raise InvalidRequest(
            f"out is {out.dtype} of shape {out.shape}.", remedy=f"Give a writable C-ordered float64 array {shape}."
        )
    machine = machine_of(params, candles.timeframe, core=True)
    _fill(candles, params, machine, out, np.empty(machine.scratch_shape[1], dtype=np.int64))
    view = out[:]
    view.flags.writeable = False
    return view


def _fill(candles: CandleFrame, params: CipherParams, machine: Machine, values: Floats, masks: Indices) -> None:
    """Run the kernel over the candles of one symbol."""
    require_count(candles, params.candles_needed, what="this panel")
    times, columns = contiguous_columns(candles)
    if machine.run(times, columns[:4], machine.states(1), values, masks) >= 0:
        raise unsound(candles)
