"""Everything a chart of one symbol shows, as plain JSON data."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.cipher import CORE_COLUMNS, WARM_UP, CipherPanel, compute_panel
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData
from engines.volume_profile import DESK_PROFILE, VolumeProfile, compute_volume_profile

MOST_CANDLES: Final = 5_000
_EVENTS: Final = ("cross_up", "cross_down", "green_dot", "red_dot")
_PRICES: Final = ("open", "high", "low", "close", "volume")


def chart_data(
    market: MarketData, symbol: str, timeframe: Timeframe, *, as_of: datetime | None = None, count: int = 200
) -> dict[str, Any]:
    """Candles, Cipher columns with events, and the volume profile of the candles shown.

    No look-ahead: candles closed at `as_of` only. Another 500 candles before the first one shown warm the panel up
    and are not returned.

    Args:
        count: candles shown, 1..5000; fewer where there are fewer.

    Returns:
        Times in milliseconds since the epoch, UTC; undefined values are None. `cipher` columns are as long as the
        candles; with too few candles for the panel they are all None and `cipher["missing"]` says why. `volume_profile`
        is None where the candles carry no volume.

    Raises:
        NotFound: unknown symbol.
        InsufficientData: there is no candle.
        InvalidRequest: count is out of its range, or a candle cannot be.
        VenueUnavailable: the market did not answer.
    """
    if not 1 <= count <= MOST_CANDLES:
        raise InvalidRequest(f"{count!r} candles cannot be shown.", remedy=f"Ask for 1 to {MOST_CANDLES:,}.")
    instrument = market.instrument(symbol)
    candles = market.closed_candles(symbol, timeframe, count=count + WARM_UP, as_of=as_of)
    first = max(0, len(candles) - count)
    shown = candles[first:]
    return {
        "symbol": candles.symbol,
        "timeframe": candles.timeframe,
        "market": candles.market,
        "simulated": candles.simulated,
        "as_of": candles.as_of.isoformat(),
        "tick_size": f"{instrument.tick_size:f}",
        "candles": {
            "open_time": shown.open_time.tolist(),
            **{name: getattr(shown, name).tolist() for name in _PRICES},
        },
        "cipher": _cipher(candles, first),
        "volume_profile": _volume_profile(shown),
    }


def _cipher(candles: CandleFrame, first: int) -> dict[str, Any]:
    try:
        panel = compute_panel(candles)
    except InsufficientData as error:
        blank = [None] * (len(candles) - first)
        return {**dict.fromkeys(CORE_COLUMNS, blank), "flat": blank, "events": [], "preset": "", "missing": str(error)}
    return {
        **{name: _column(getattr(panel, name)[first:]) for name in CORE_COLUMNS},
        "flat": panel.flat[first:].tolist(),
        "events": _events(panel, first),
        "preset": panel.params.name,
        "missing": "",
    }


def _events(panel: CipherPanel, first: int) -> list[dict[str, Any]]:
    times = panel.candles.open_time
    return [
        {"name": event.name, "time": int(times[event.index]), "confirmed_time": event.confirmed_time}
        for event in panel.events(first, _EVENTS)
    ]


def _volume_profile(candles: CandleFrame) -> dict[str, Any] | None:
    try:
        profile = compute_volume_profile(candles, DESK_PROFILE)
    except InsufficientData:
        return None
    return {
        "rows": _rows(profile),
        "poc": profile.poc,
        "vah": profile.vah,
        "val": profile.val,
        "lookback": len(candles),
        "value_area_fraction": profile.params.value_area_fraction,
        "total_volume": profile.total_volume,
    }


def _rows(profile: VolumeProfile) -> list[dict[str, float]]:
    edges = profile.edges.tolist()
    parts = zip(
        edges[:-1],
        edges[1:],
        profile.volume_by_row.tolist(),
        profile.up_by_row.tolist(),
        profile.down_by_row.tolist(),
        strict=True,
    )
    return [
        {"from": low, "to": high, "volume": volume, "up": up, "down": down} for low, high, volume, up, down in parts
    ]


def _column(values: NDArray[np.float64]) -> list[float | None]:
    return [None if undefined else value for value, undefined in zip(values.tolist(), np.isnan(values), strict=True)]
