"""An account valued at the market's prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engines.domain.orders import Account, Position
from engines.ledger.profit import NO_PROFIT, Profit
from engines.market.data import MarketData


@dataclass(frozen=True, slots=True)
class Valuation:
    """One holding at the market's price; money in quote units.

    Attributes:
        average_price: of what is held, fees excluded.
        mark: the market's last price.
        realised: profit taken, less every fee paid on the symbol.
    """

    symbol: str
    quantity: Decimal
    average_price: Decimal
    mark: Decimal
    value: Decimal
    unrealised: Decimal
    realised: Decimal


@dataclass(frozen=True, slots=True)
class Portfolio:
    """An account at one instant: `equity` is cash plus the value of all positions.

    `reserved` is the cash that open orders have set aside; `realised` covers closed positions too.

    Attributes:
        starting_cash: what the account was opened with.
        profit: the same fills by both methods of costing, symbol by symbol.
    """

    account: str
    currency: str
    equity: Decimal
    cash: Decimal
    reserved: Decimal
    positions: tuple[Valuation, ...]
    unrealised: Decimal
    realised: Decimal
    fees_paid: Decimal
    as_of: datetime
    market: str
    simulated: bool
    starting_cash: Decimal = Decimal(0)
    profit: Profit = NO_PROFIT


def value_account(
    account: Account, market: MarketData, *, starting_cash: Decimal = Decimal(0), profit: Profit | None = None
) -> Portfolio:
    """Value what an account holds at the market's marks: last prices, held within bid and ask.

    Raises:
        NotFound: the market does not list a symbol that is held.
        VenueUnavailable: the market did not answer; nothing is guessed.
    """
    held = tuple(_valued(position, market) for position in account.positions if position.quantity)
    cash = account.balances.get(account.currency, Decimal(0))
    return Portfolio(
        account=account.id,
        currency=account.currency,
        equity=cash + sum((item.value for item in held), Decimal(0)),
        cash=cash,
        reserved=account.reserved.get(account.currency, Decimal(0)),
        positions=held,
        unrealised=sum((item.unrealised for item in held), Decimal(0)),
        realised=sum((position.realised for position in account.positions), Decimal(0)),
        fees_paid=sum((position.fees for position in account.positions), Decimal(0)),
        as_of=market.now(),
        market=market.name,
        simulated=market.simulated,
        starting_cash=starting_cash,
        profit=profit or NO_PROFIT,
    )


def _valued(position: Position, market: MarketData) -> Valuation:
    mark = market.quote(position.symbol).mark
    value = position.quantity * mark
    return Valuation(
        symbol=position.symbol,
        quantity=position.quantity,
        average_price=position.average_price,
        mark=mark,
        value=value,
        unrealised=value - position.quantity * position.average_price,
        realised=position.realised,
    )
