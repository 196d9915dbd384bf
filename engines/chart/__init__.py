"""Everything a chart of one symbol shows, as plain JSON data.

`panel` holds the Cipher panel's part with its events and divergences, `ribbon` that of Cipher A, `levels` what volume
left behind.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from engines.chart.levels import average_price, volume_levels
from engines.chart.panel import panel_part
from engines.chart.ribbon import ribbon_part
from engines.cipher import VUMANCHU_B, WARM_UP, CipherAParams
from engines.cipher.presets import closed_preset
from engines.domain.timeframe import Timeframe
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData
from engines.volume_profile import DESK_LOOKBACK
from engines.volume_profile.desk import desk_profile

MOST_CANDLES: Final = 5_000
_PRICES: Final = ("open", "high", "low", "close", "volume")


def chart_data(
    market: MarketData,
    symbol: str,
    timeframe: Timeframe,
    *,
    as_of: datetime | None = None,
    count: int = DESK_LOOKBACK,
    lookback: int | None = None,
    preset: str = VUMANCHU_B.name,
) -> dict[str, Any]:
    """Candles, Cipher columns with events and divergences, and what volume left behind.

    The volume profile is the desk's own (`desk_profile`), so that its levels are those of every answer in words about
    as many candles; naked points of control and averages do not depend on how many there are.

    No look-ahead: candles closed at `as_of` only. Another 500 candles before the first one shown warm the panel up
    and are not returned.

    Args:
        count: candles shown, 1..5000; fewer where there are fewer.
        lookback: candles of the volume profile, 1..5000; those shown when None. The answer says how many they are.
        preset: of the Cipher panel, or of Cipher A, whose part has the ribbon and other symbols.

    Returns:
        Times in milliseconds since the epoch, UTC; undefined values are None. `cipher` columns and `vwap` are as long
        as the candles; with too few candles for the panel its columns are all None and `cipher["missing"]` says why.
        `volume_profile` and `vwap` are None where the candles carry no volume.

    Raises:
        NotFound: unknown symbol.
        InsufficientData: there is no candle.
        InvalidRequest: count is out of its range, a candle cannot be, or there is no such preset that never repaints.
        VenueUnavailable: the market did not answer.
    """
    lookback = count if lookback is None else lookback
    for number in (count, lookback):
        if not 1 <= number <= MOST_CANDLES:
            raise InvalidRequest(f"{number!r} candles cannot be shown.", remedy=f"Ask for 1 to {MOST_CANDLES:,}.")
    params = closed_preset(preset)
    instrument = market.instrument(symbol)
    candles = market.closed_candles(symbol, timeframe, count=max(count + WARM_UP, lookback), as_of=as_of)
    candles, profiled = candles[-count - WARM_UP :], candles[-lookback:]
    first = max(0, len(candles) - count)
    shown = candles[first:]
    try:
        desk = desk_profile(market, symbol, timeframe, candles=profiled)
    except InsufficientData:
        desk = None
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
        "cipher": ribbon_part(candles, first, params)
        if isinstance(params, CipherAParams)
        else panel_part(candles, first, params),
        "volume_profile": None if desk is None else volume_levels(market, desk, shown),
        "vwap": None if desk is None else average_price(market, desk, shown),
    }
