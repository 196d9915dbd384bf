"""Gathering what an order is held against."""

from __future__ import annotations

from decimal import Decimal

from engines.confirmation.risk import Situation
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import Account
from engines.errors import VenueUnavailable
from engines.ledger.orders import OpenEntries
from engines.market.data import MarketData


def usable_quote(market: MarketData, symbol: str) -> Quote:
    """The market's quote, when prices can be computed from it.

    Raises:
        VenueUnavailable: it has no two-sided price.
    """
    quote = market.quote(symbol)
    if not (quote.bid.is_finite() and quote.ask.is_finite() and 0 < quote.bid <= quote.ask):
        raise VenueUnavailable(
            f"{market.name} has no usable price for {symbol} (bid {quote.bid}, ask {quote.ask}). Nothing was sent.",
            remedy="Try again in a minute.",
        )
    return quote


def marks_of(account: Account, market: MarketData) -> dict[str, Decimal]:
    """Last price of every symbol that is held."""
    held = [position.symbol for position in account.positions if position.quantity]
    return {symbol: market.quote(symbol).last for symbol in held}


def situation_of(
    account: Account,
    instrument: Instrument,
    quote: Quote,
    market: MarketData,
    *,
    marks: dict[str, Decimal],
    entries: OpenEntries,
) -> Situation:
    """Value an account at `marks`; a holding without one, filled since they were read, counts at its average price."""
    held = sum((item.quantity * marks.get(item.symbol, item.average_price) for item in account.positions), Decimal(0))
    return Situation(
        account=account,
        instrument=instrument,
        quote=quote,
        equity=account.balances.get(account.currency, Decimal(0)) + held,
        exposure=held + entries.buying,
        open_orders=entries.count,
        now=market.now(instrument.symbol),
        activity=entries.activity,
        mark=marks.get(instrument.symbol),
    )
