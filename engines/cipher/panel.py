"""The Cipher panel of a series of candles: arrays by name, and the events in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.cipher.params import VUMANCHU_B, CipherParams
from engines.domain.candles import CandleFrame, Floats
from engines.domain.timeframe import duration_ms
from engines.soundness import require_count, sound_columns

Flags = NDArray[np.bool_]

VALUE_COLUMNS: Final = ("wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d")
EVENT_COLUMNS: Final = ("cross_up", "cross_down", "green_dot", "red_dot")
# Candles before the first one shown, after which a value no longer depends on where the series began (below 1e-12).
WARM_UP: Final = 500


@dataclass(frozen=True, slots=True)
class CipherEvent:
    """Something that happened on a candle.

    Attributes:
        index: the candle's row.
        confirmed_time: when it became knowable, milliseconds since the epoch: for crosses and dots the candle's close.
    """

    name: str
    index: int
    confirmed_time: int


@dataclass(frozen=True, slots=True, eq=False)
class CipherPanel:
    """What `compute_panel` found; every array has shape (n,), is read-only and undefined (NaN) while it warms up.

    Attributes:
        wt1, wt2: fast and slow wave, points around 0.
        vwap: wt1 - wt2, points (the panel's own name; no volume is in it).
        money_flow: points around 0; it uses candle bodies and ranges, no volume.
        rsi, stoch_k, stoch_d: 0..100; K may pass 100 in the last digit.
        cross_up, cross_down: the waves crossed on this candle.
        green_dot, red_dot: they did so beyond the oversold or overbought level.
        flat: the price has not moved for so long that the waves are undefined or rounding noise.
    """

    candles: CandleFrame
    params: CipherParams
    wt1: Floats
    wt2: Floats
    vwap: Floats
    money_flow: Floats
    rsi: Floats
    stoch_k: Floats
    stoch_d: Floats
    cross_up: Flags
    cross_down: Flags
    green_dot: Flags
    red_dot: Flags
    flat: Flags

    def latest(self) -> dict[str, float]:
        """Values at the last closed candle by column name; NaN where undefined."""
        return {name: float(getattr(self, name)[-1]) for name in VALUE_COLUMNS}

    def events(self, first: int = 0) -> tuple[CipherEvent, ...]:
        """Crosses and dots on the candles from row `first` on, in time order."""
        found = [
            CipherEvent(name, int(row) + first, self._close_time(int(row) + first))
            for name in EVENT_COLUMNS
            for row in np.flatnonzero(getattr(self, name)[first:])
        ]
        return tuple(sorted(found, key=lambda event: event.index))

    def last_event(self, *names: str) -> CipherEvent | None:
        """The newest of the named events, None when there was none."""
        rows = [(int(hits[-1]), name) for name in names if len(hits := np.flatnonzero(getattr(self, name)))]
        if not rows:
            return None
        row, name = max(rows)
        return CipherEvent(name, row, self._close_time(row))

    def _close_time(self, row: int) -> int:
        return int(self.candles.open_time[row]) + duration_ms(self.candles.timeframe)


def compute_panel(candles: CandleFrame, params: CipherParams = VUMANCHU_B) -> CipherPanel:
    """Compute wave trend, money flow, RSI, Stoch RSI, crosses and dots.

    No look-ahead: the values at candle i use candles[: i + 1] only, bit for bit. Volume is not used. O(n).

    Args:
        candles: closed candles in quote units, at least `params.candles_needed` of them; `WARM_UP` more than are
            shown make the values independent of where the series begins.

    Returns:
        Columns of shape (n,), in points or percent as told at `CipherPanel`. On a market that has never moved RSI is
        100 by convention and everything else undefined; `flat` marks such candles.

    Raises:
        InvalidRequest: a candle cannot be (undefined price, high below the body, times not rising); names the rows.
        InsufficientData: there are fewer candles than the panel needs; says how many of each.

    Source: the community script "VuManChu B Divergences" and published measurements of its language's primitives.
    Deviations: a Stoch RSI range below 1e-12 of its level is undefined instead of noise; RSI with an average loss of at
    most 1e-10 is 100.
    """
    require_count(candles, params.candles_needed, what="this panel")
    open_, high, low, close, _ = sound_columns(candles)
    from engines.cipher.kernels import panel_kernel

    values = np.empty((len(VALUE_COLUMNS), len(candles)))
    events = np.empty((len(EVENT_COLUMNS) + 1, len(candles)), dtype=np.bool_)
    panel_kernel(open_, high, low, close, _lengths(params), _levels(params), params.pine_warmup, values, events)
    values.flags.writeable = False
    events.flags.writeable = False
    return CipherPanel(candles, params, *values, *events)


def _lengths(params: CipherParams) -> tuple[int, int, int, int, int, int, int, int, int]:
    return (
        params.channel_length,
        params.average_length,
        params.signal_length,
        params.money_flow_length,
        params.rsi_length,
        params.stoch_rsi_length,
        params.stoch_length,
        params.stoch_k_length,
        params.stoch_d_length,
    )


def _levels(params: CipherParams) -> tuple[float, float, float, float]:
    return (
        float(params.overbought),
        float(params.oversold),
        float(params.money_flow_multiplier),
        float(params.money_flow_shift),
    )
