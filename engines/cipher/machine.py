"""A panel's kernel with the vectors it works on, as batch, stream and block all use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engines.cipher.calls import Masks, Prices, call_on
from engines.cipher.cipher_a_layout import A_COLUMNS, A_EVENT_NAMES, A_SCRATCH_SHAPE, cipher_a_layout
from engines.cipher.layout import CORE_COLUMNS, EVENT_NAMES, FRACTAL, VALUE_COLUMNS, Layout, layout_of
from engines.cipher.params import CipherAParams, CipherParams
from engines.cipher.scratch import CHUNK, SCRATCH_ROWS
from engines.domain.candles import CandleFrame, Floats, Times
from engines.domain.timeframe import Timeframe
from engines.errors import InvalidRequest
from engines.soundness import contiguous_columns, unsound

# Candles that are computed at once when only the state after them is wanted.
_PIECE: Final = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """What computes a panel with certain settings on candles of one timeframe.

    Attributes:
        advance: see `kernels.advance_kernel`; it changes the states, scratch and outputs it is handed, nothing else.
        parts: addresses of what it makes of each chunk.
        scratch_shape: of the scratch that runs fastest; one candle at a time needs `narrow`.
    """

    advance_kernel: Callable[[int], int]
    candle_kernel: Callable[[int, int, float, float, float, float], int]
    parts: tuple[int, ...]
    layout: Layout
    columns: tuple[str, ...]
    event_names: tuple[str, ...]
    scratch_shape: tuple[int, int]

    @property
    def narrow(self) -> tuple[int, int]:
        """Shape of the scratch for one candle a symbol."""
        return self.scratch_shape[0], 1 + FRACTAL

    def states(self, count: int) -> Floats:
        """States of as many symbols without a candle, one row each."""
        return np.tile(self.layout.state, (count, 1))

    def run(self, times: Times, prices: Prices, states: Floats, values: Floats, masks: Masks) -> int:
        """Advance one symbol by all candles; returns -1, or the row of the first candle that cannot be."""
        work = np.empty(self.scratch_shape)
        call = call_on(times, prices, self.layout, self.parts, states, work, (values, masks), per_symbol=len(times))
        return self.advance_kernel(call.address)

    def advance(self, candles: CandleFrame, states: Floats) -> None:
        """Advance one symbol's state by these candles, at the speed of a whole history, and keep no values.

        Raises:
            InvalidRequest: a candle cannot be.
        """
        times, columns = contiguous_columns(candles)
        for begin in range(0, len(candles), _PIECE):
            rows = slice(begin, begin + _PIECE)
            open_, high, low, close, _ = (column[rows] for column in columns)
            values, masks = np.empty((len(self.columns), len(close))), np.empty(len(close), dtype=np.int64)
            if self.run(times[rows], (open_, high, low, close), states, values, masks) >= 0:
                raise unsound(candles)


def refuse_repainting(params: CipherParams | CipherAParams) -> None:
    """Return when every output with these settings is final at its candle's close.

    Raises:
        InvalidRequest: some are not.
    """
    if params.repaints:
        raise InvalidRequest(
            f"The settings {params.name!r} repaint: their diamonds know candles that have not closed.",
            remedy="Use settings with tv_parity false.",
        )


def machine_of(params: CipherParams | CipherAParams, timeframe: Timeframe, *, core: bool = False) -> Machine:
    """The machine for these settings; loads the compiler, or its cache, the first time.

    Args:
        core: for the columns of panel B's core only, without any event.
    """
    from engines.cipher.kernels import advance_kernel, candle_kernel

    if isinstance(params, CipherAParams):
        from engines.cipher.cipher_a_part import cipher_a_part

        ribbon, layout = (cipher_a_part.address,), cipher_a_layout(params)
        return Machine(advance_kernel, candle_kernel, ribbon, layout, A_COLUMNS, A_EVENT_NAMES, A_SCRATCH_SHAPE)
    from engines.cipher.core_part import core_part
    from engines.cipher.event_part import event_part
    from engines.cipher.higher_part import higher_part

    layout, shape = layout_of(params, timeframe), (SCRATCH_ROWS, CHUNK + FRACTAL)
    if core:
        return Machine(advance_kernel, candle_kernel, (core_part.address,), layout, CORE_COLUMNS, (), shape)
    parts = (core_part.address, event_part.address, higher_part.address)
    return Machine(advance_kernel, candle_kernel, parts, layout, VALUE_COLUMNS, EVENT_NAMES, shape)
