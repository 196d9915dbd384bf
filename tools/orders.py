"""What a model may propose: argument schemas only. Their bodies reach nothing; the order desk does the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Never, Self

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.domain.orders import OrderType, Side, TimeInForce, Unit
from tools.arguments import Symbol

Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False, max_digits=38)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProposeOrder(_Arguments):
    """Prepare an order ticket for the person to approve. It never trades by itself.

    Use it only when the person asks for an order in this message and says how much. Copy side,
    quantity, unit and prices from their words; never fill in a quantity or a price they did not say:
    ask instead.
    """

    symbol: Symbol
    side: Side = Field(description="buy or sell, in the person's own sense.")
    quantity: Positive = Field(description="How much, in `unit`.")
    unit: Unit = Field(
        default="base",
        description="base: 0.1 of BTC. quote: 500 of USDT. percent: 5 for 5 % of the account. "
        "risk: 1 for 1 % of the account lost at the stop. risk_quote: 500 of USDT lost at the stop.",
    )
    order_type: OrderType = Field(
        default="market", description="market: now. limit: at `limit_price` or better. stop: once `stop_price` trades."
    )
    limit_price: Positive | None = Field(default=None, description="For a limit order.")
    stop_price: Positive | None = Field(default=None, description="For a stop order: the price that sets it off.")
    stop_loss: Positive | None = Field(default=None, description="A price that closes it at a loss, if they gave one.")
    take_profit: Positive | None = Field(default=None, description="A price that closes it at a profit, if given.")
    stop_atr: Positive | None = Field(
        default=None, le=20, description="The stop as a distance in average true ranges: 2 for `stop 2 atr`."
    )

    time_in_force: TimeInForce | None = Field(
        default=None,
        description="Only if they say how long it is good: IOC immediate or cancel, FOK fill or kill, DAY for today "
        "only, GTC until cancelled. For a date give good_till instead.",
    )
    good_till: str | None = Field(
        default=None,
        max_length=40,
        description="Until when, in their words or ISO 8601, UTC: friday, tomorrow 18:00, 27th, 2026-11-27, end of "
        "week, 3h (from now).",
    )

    @model_validator(mode="after")
    def _prices_fit_the_type(self) -> Self:
        if self.order_type == "limit" and self.limit_price is None:
            raise ValueError("a limit order needs limit_price; ask for it")
        if self.order_type == "stop" and self.stop_price is None:
            raise ValueError("a stop order needs stop_price; ask for it")
        if self.order_type != "limit" and self.limit_price is not None:
            raise ValueError("limit_price belongs to a limit order")
        if self.order_type != "stop" and self.stop_price is not None:
            raise ValueError("stop_price belongs to a stop order; a protective stop is stop_loss")
        if self.good_till is not None and self.time_in_force not in {None, "GTD"}:
            raise ValueError("good_till and time_in_force say two things; give one")
        if self.good_till is None and self.time_in_force == "GTD":
            raise ValueError("good till when? ask for good_till")
        if self.stop_atr is not None and self.stop_loss is not None:
            raise ValueError("give stop_loss or stop_atr, not both")
        if self.unit in {"risk", "risk_quote"} and self.stop_atr is None and self.stop_loss is None:
            raise ValueError("a size from a risk needs stop_loss or stop_atr; ask where the stop is")
        return self


class ProposeClose(_Arguments):
    """Prepare a ticket that closes a position, or part of it, at the market. It never trades by itself.

    Use it for "close", "sell half my bitcoin", "get me out of SOL". For selling a stated quantity use
    `propose_order`.
    """

    symbol: Symbol
    fraction: Decimal = Field(
        default=Decimal(1), gt=0, le=1, allow_inf_nan=False, description="How much of it: 1 for all, 0.5 for half."
    )


class ProposeCancel(_Arguments):
    """Prepare a ticket that cancels open orders. It cancels nothing by itself.

    Give the order's id, or a symbol for all its open orders, or scope "all" for every open order; with `only` of these
    just the stops or just the targets.
    """

    order_id: str | None = Field(default=None, description="The id of one open order.", max_length=64)
    symbol: str | None = Field(default=None, description="Every open order of this market.")
    scope: Literal["all"] | None = Field(default=None, description='"all" for every open order of the account.')
    only: Literal["stop", "target"] | None = Field(
        default=None, description="stop: only orders that sell at a stop. target: only take-profits of positions."
    )

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.order_id is None and self.symbol is None and self.scope is None:
            raise ValueError('say which: order_id, symbol, or scope "all"')
        if self.order_id is not None and self.only is not None:
            raise ValueError("order_id names one order; give no `only` with it")
        return self


class ProposeReplace(_Arguments):
    """Prepare a ticket that cancels an order that waits and puts a new one in its place. It changes nothing by itself.

    Use it for "change my BTC limit to 61k" or "move the stop of my order to 58k". Give the order's id, or its
    market where only one order waits there. Give only what changes; everything else stays as it is.
    """

    order_id: str | None = Field(default=None, description="The id of one open order.", max_length=64)
    symbol: str | None = Field(default=None, description="Its market, where only one order waits there.", max_length=40)
    price: Positive | None = Field(default=None, description="Its own price: the limit, or what sets a stop order off.")
    quantity: Positive | None = Field(default=None, description="How much the new order is for, base units.")
    stop_loss: Positive | None = Field(default=None, description="A price that closes it at a loss.")
    take_profit: Positive | None = Field(default=None, description="A price that closes it at a profit.")
    time_in_force: Literal["GTC", "IOC", "FOK", "DAY"] | None = Field(default=None, description="As in propose_order.")
    good_till: str | None = Field(default=None, max_length=40, description="As in propose_order.")

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.order_id is None and self.symbol is None:
            raise ValueError("say which order: order_id, or symbol")
        if not self.model_dump(exclude={"order_id", "symbol"}, exclude_none=True):
            raise ValueError("say what changes, and to what")
        if self.good_till is not None and self.time_in_force is not None:
            raise ValueError("good_till and time_in_force say two things; give one")
        return self


SCHEMAS: Final[dict[str, type[BaseModel]]] = {
    "propose_order": ProposeOrder,
    "propose_close": ProposeClose,
    "propose_cancel": ProposeCancel,
    "propose_replace": ProposeReplace,
}


def order_tools() -> list[BaseTool]:
    """The proposals as tools to bind to a model; running one raises, because only the order desk reads them."""
    return [
        StructuredTool(name=name, description=schema.__doc__ or name, args_schema=schema, func=_not_run)
        for name, schema in SCHEMAS.items()
    ]


def _not_run(**_: Any) -> Never:
    raise NotImplementedError("a proposal is read by the order desk; it has no body to run")
