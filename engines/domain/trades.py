"""Trades as columns: who bought from whom, one row a trade."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from engines.domain.candles import Floats, Times
from engines.domain.timeframe import from_ms
from engines.errors import InvalidRequest

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class TradeFrame:
    """Public trades of one symbol, ascending by time; several may share a time.

    Attributes:
        market: name of the market they come from.
        simulated: True when no real market made them.
        time_ms: shape (n,), milliseconds since the epoch, UTC, never falling.
        price: shape (n,), quote units.
        quantity: shape (n,), base units.
        side: shape (n,), int8: 1 where the buyer came to the seller, -1 where the seller came to the buyer.
    """

    symbol: str
    market: str
    simulated: bool
    time_ms: Times
    price: Floats
    quantity: Floats
    side: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.time_ms)

    def __getitem__(self, rows: slice) -> Self:
        return replace(
            self,
            time_ms=self.time_ms[rows],
            price=self.price[rows],
            quantity=self.quantity[rows],
            side=self.side[rows],
        )

    def require_sound(self) -> None:
        """Return when every trade is possible.

        Raises:
            InvalidRequest: the columns differ in length, a price is not above zero, a quantity is below zero or either
                is undefined or infinite, a side is neither 1 nor -1, or a time falls. The message names the first rows,
                counted from 0, and what is wrong there.
        """
        columns = (self.price, self.quantity, self.side)
        if any(len(column) != len(self) for column in columns):
            raise InvalidRequest(f"{self.symbol}: the columns of its trades differ in length.")
        rules = (
            (~((self.price > 0) & np.isfinite(self.price)), "has a price that is not above zero"),
            (~((self.quantity >= 0) & np.isfinite(self.quantity)), "has a quantity that is not zero or more"),
            (np.abs(self.side) != 1, "has a side that is neither 1 nor -1"),
            (np.diff(self.time_ms, prepend=self.time_ms[:1]) < 0, "comes before the row over it"),
        )
        found = sorted((int(row), what) for wrong, what in rules for row in np.flatnonzero(wrong)[:_SHOWN])[:_SHOWN]
        if found:
            shown = "; ".join(
                f"row {row} ({from_ms(int(self.time_ms[row])):%Y-%m-%d %H:%M:%S} UTC) {what}" for row, what in found
            )
            raise InvalidRequest(
                f"{self.symbol} has trades that cannot be: {shown}.", remedy="Correct or drop these rows."
            )
