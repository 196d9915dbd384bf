"""Cipher A: a ribbon of eight averages with waves, money flow and RSI, and the symbols read off them."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from engines.cipher.cipher_a_layout import A_COLUMNS, A_EVENT_NAMES
from engines.cipher.machine import machine_of
from engines.cipher.panel import CipherPanel
from engines.cipher.params import VUMANCHU_A, CipherAParams
from engines.domain.candles import CandleFrame
from engines.soundness import contiguous_columns, require_count, unsound


def compute_cipher_a(candles: CandleFrame, params: CipherAParams = VUMANCHU_A) -> CipherPanel:
    """Compute the ribbon, waves, RSI, money flow and all symbols of Cipher A.

    No look-ahead: values and symbols at candle i use candles[: i + 1] only, bit for bit, and are final at its close.
    Volume is not used. O(n).

    Args:
        candles: closed candles in quote units, at least `params.candles_needed` of them.

    Returns:
        Columns of shape (n,): `ema1` .. `ema8` in quote units, `wt1`, `wt2` and `money_flow` in points around 0, `rsi`
        in 0..100; NaN while they warm up. Symbols, among them the blood diamond (waves and ribbon turn down on one
        candle) and the moon diamond (they turn up), the yellow X down in both readings, and `ribbon_bullish`, which is
        a state rather than a happening. On a market that has never moved RSI is 100 by convention, the waves and money
        flow are undefined, and `flat` marks such candles.

    Raises:
        InvalidRequest: a candle cannot be (undefined price, high below the body, times not rising); names the rows.
        InsufficientData: there are fewer candles than the columns need; says how many of each.

    Source: the community script "VuManChu Cipher A" and published measurements of its language's primitives.
    Deviations: below a price of one, tolerances on prices shrink with it.
    """
    require_count(candles, params.candles_needed, what="Cipher A")
    times, columns = contiguous_columns(candles)
    machine = machine_of(params, candles.timeframe)
    values, masks = np.empty((len(A_COLUMNS), len(candles))), np.empty(len(candles), dtype=np.int64)
    if machine.run(times, columns[:4], machine.states(1), values, masks) >= 0:
        raise unsound(candles)
    values.flags.writeable = masks.flags.writeable = False
    return CipherPanel(
        candles, params, MappingProxyType(dict(zip(A_COLUMNS, values, strict=True))), A_EVENT_NAMES, masks
    )
