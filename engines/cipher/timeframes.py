"""The panel on several timeframes at one instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from engines.cipher.explain import panel_of
from engines.cipher.panel import WARM_UP, CipherPanel
from engines.cipher.params import VUMANCHU_B, CipherAParams, CipherParams
from engines.domain.timeframe import Timeframe
from engines.errors import InvalidRequest
from engines.market.data import MarketData

SHOWN: Final = 200


def panels(
    market: MarketData,
    symbol: str,
    timeframes: Iterable[Timeframe],
    *,
    as_of: datetime | None = None,
    params: CipherParams | CipherAParams = VUMANCHU_B,
    count: int = WARM_UP + SHOWN,
) -> dict[Timeframe, CipherPanel]:
    """Compute the panel of each timeframe from the candles that had closed at one and the same instant.

    No look-ahead: a candle that is still forming at that instant is in none of them, so each panel's own `as_of` is at
    or before it, by less than one candle where the market traded.

    Args:
        timeframes: at least one; told in the order given, each once.
        as_of: that instant; the market's now when None, read once for all.
        count: candles read of each timeframe, warm-up included; fewer where there are fewer.

    Raises:
        InvalidRequest: no timeframe is given, or `as_of` lies in the future.
        NotFound: unknown symbol.
        InsufficientData: a timeframe has too few candles for the panel; names it.
        VenueUnavailable: the market did not answer.
    """
    wanted = tuple(dict.fromkeys(timeframes))
    if not wanted:
        raise InvalidRequest("No timeframe is given.", remedy="Name at least one, such as 1h.")
    instant = as_of or market.now(symbol)
    candles = {each: market.closed_candles(symbol, each, count=count, as_of=instant) for each in wanted}
    return {timeframe: panel_of(frame, params) for timeframe, frame in candles.items()}
