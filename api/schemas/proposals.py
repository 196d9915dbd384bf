"""An order that is asked for by a program instead of in words."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from api.schemas.fields import GivenTime, PositiveDecimal, Request
from engines.domain.orders import OrderType, Side, TimeInForce, Unit


class ProposalRequest(Request):
    """What a ticket is to be about; with `replaces_order` only what changes."""

    symbol: str | None = Field(default=None, max_length=40, examples=["BTC/USDT"])
    side: Side | None = None
    quantity: PositiveDecimal | None = Field(default=None, description="In `unit`; of a replacement in base units.")
    unit: Unit = Field(default="base", description="base, quote, percent of equity, or what may be lost at the stop.")
    order_type: OrderType | None = Field(default=None, description="`market` where nothing is given.")
    limit_price: PositiveDecimal | None = None
    stop_price: PositiveDecimal | None = None
    stop_loss: PositiveDecimal | None = None
    take_profit: PositiveDecimal | None = None
    time_in_force: TimeInForce | None = Field(
        default=None, description="GTC, IOC, FOK, DAY (till the day ends in UTC), or GTD with `good_till`."
    )
    good_till: GivenTime | None = Field(default=None, description="When the desk cancels what is still open of it.")
    replaces_order: str | None = Field(
        default=None,
        max_length=64,
        description="An open order, by id, that is cancelled first and whose place this one takes. What is not given "
        "stays as it is there; symbol, side, order type and unit cannot be given.",
    )

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        own = {"symbol": self.symbol, "side": self.side, "order_type": self.order_type}
        if self.replaces_order is not None:
            if self.unit != "base" or any(value is not None for value in own.values()):
                raise ValueError("a replacement keeps symbol, side, order_type and unit: leave them out")
        elif self.symbol is None or self.side is None or self.quantity is None:
            raise ValueError("symbol, side and quantity are needed")
        return self
