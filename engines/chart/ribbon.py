"""Cipher A's part of a chart: the ribbon of averages, its waves and the symbols over the candles."""

from __future__ import annotations

from typing import Any, Final

from engines.chart.panel import column
from engines.cipher.cipher_a import compute_cipher_a
from engines.cipher.cipher_a_layout import A_COLUMNS, A_EVENT_NAMES
from engines.cipher.params import CipherAParams
from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData

# A state of the ribbon rather than something that happens.
STATE: Final = "ribbon_bullish"
_SYMBOLS: Final = tuple(name for name in A_EVENT_NAMES if name != STATE)


def ribbon_part(candles: CandleFrame, first: int, params: CipherAParams) -> dict[str, Any]:
    """Columns and symbols from row `first` on; columns all None, with the reason, where there are too few candles.

    Returns:
        As `panel_part`, with `ema1` .. `ema8` in quote units and `ribbon_bullish` for each candle in the place of the
        columns that Cipher A has not; it has no divergences either.

    Raises:
        InvalidRequest: a candle cannot be.
    """
    settings = {"levels": _levels(params), "divergences": [], "drawn_divergences": [], "preset": params.name}
    lengths = {"ribbon_lengths": list(params.ribbon_lengths)}
    try:
        panel = compute_cipher_a(candles, params)
    except InsufficientData as error:
        blank = [None] * (len(candles) - first)
        empty = {**dict.fromkeys((*A_COLUMNS, STATE), blank), "flat": blank, "events": []}
        return {**empty, **settings, **lengths, "missing": str(error)}
    times = candles.open_time
    return {
        **{name: column(panel.values[name][first:]) for name in A_COLUMNS},
        STATE: panel.flags(STATE)[first:].tolist(),
        "flat": panel.flat[first:].tolist(),
        "events": [
            {"name": event.name, "time": int(times[event.index]), "confirmed_time": event.confirmed_time}
            for event in panel.events(first, _SYMBOLS)
        ],
        **settings,
        **lengths,
        "missing": "",
    }


def _levels(params: CipherAParams) -> dict[str, list[float]]:
    return {
        "overbought": [params.yellow_x_down_above, params.overbought_3],
        "oversold": [params.oversold_3],
        "rsi": [params.yellow_x_up_rsi_high, params.yellow_x_down_rsi_low],
    }
