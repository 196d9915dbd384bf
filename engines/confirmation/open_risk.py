"""Open risk: what a holding loses between the market's price and its stops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engines.domain.orders import Order

_ZERO: Final = Decimal(0)
_AT_WORK: Final = frozenset({"accepted", "partially_filled"})


@dataclass(frozen=True, slots=True)
class OpenRisk:
    """What the stops of one holding cover.

    Attributes:
        covered: how much of the holding they sell, base units.
        nearest: the highest of their prices, which is met first; None without any.
        loss: between the market's price and the stops over what they cover, before fees and slippage; quote units.
    """

    covered: Decimal = _ZERO
    nearest: Decimal | None = None
    loss: Decimal = _ZERO


def open_risk(held: Decimal, mark: Decimal, orders: Iterable[Order]) -> OpenRisk:
    """Add up the stops of a long holding, the highest first, until all of it is covered.

    Args:
        held: the holding, base units.
        mark: the market's price, quote units.
        orders: of its symbol; only sells at a stop that wait for their price count.
    """
    stops = [
        (order.stop_price, order.quantity - order.filled)
        for order in orders
        if order.stop_price is not None and order.side == "sell" and order.status in _AT_WORK
    ]
    covered = loss = _ZERO
    for price, quantity in sorted(stops, reverse=True):
        sold = min(quantity, held - covered)
        covered += sold
        loss += sold * max(mark - price, _ZERO)
    return OpenRisk(covered, max((price for price, _ in stops), default=None), loss)
