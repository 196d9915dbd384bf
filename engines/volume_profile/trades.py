"""A volume profile of single trades, whose sides are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.domain.timeframe import from_ms
from engines.domain.trades import TradeFrame
from engines.errors import InsufficientData
from engines.volume_profile.grid import RowGrid
from engines.volume_profile.params import ProfileParams
from engines.volume_profile.profile import RowProfile, levels
from engines.volume_profile.spreading import RowSums


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TradeProfile(RowProfile):
    """What `compute_trade_profile` found: up is what buyers took, down what sellers gave.

    Attributes:
        trades: what it was made of.
    """

    trades: TradeFrame


def compute_trade_profile(trades: TradeFrame, params: ProfileParams | None = None) -> TradeProfile:
    """Sum traded quantity by price and side, and find the value area.

    Every trade goes whole into the row of its price, on an edge into the upper one; `spread` and `split` of the
    settings are about candles and change nothing here. Nothing after the last trade is used. O(n + rows).

    Args:
        trades: n >= 1 trades, times not falling; prices in quote units, quantities in base units.
        params: rows and value area; 24 rows and 70 % when None.

    Returns:
        Rows that sum to the traded quantity, with ties decided as by `compute_volume_profile`; `delta_by_row` is what
        buyers took less what sellers gave.

    Raises:
        InsufficientData: there is no trade, or none has a quantity.
        InvalidRequest: a trade cannot be, or there would be more than 10,000 rows.
    """
    params = params or ProfileParams()
    if len(trades) == 0:
        raise InsufficientData(f"{trades.symbol} has no trades; a volume profile needs 1.")
    trades.require_sound()
    price, quantity, side = (
        np.ascontiguousarray(column, dtype=np.float64) for column in (trades.price, trades.quantity, trades.side)
    )
    sums = RowSums(RowGrid.over(float(price.min()), float(price.max()), params), params)
    sums.add_trades(price, quantity, side)
    if sums.total <= 0:
        raise InsufficientData(
            f"{trades.symbol} has no volume in its {len(trades)} trades from "
            f"{from_ms(int(trades.time_ms[0])):%Y-%m-%d %H:%M} to {from_ms(int(trades.time_ms[-1])):%Y-%m-%d %H:%M} "
            "UTC; a volume profile needs some."
        )
    return TradeProfile(trades=trades, **levels(sums, params))
