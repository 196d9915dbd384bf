"""Gathering what an order is held against."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from engines.confirmation.risk import Situation
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import Account
from engines.errors import NotFound, VenueUnavailable
from engines.ledger.book import currencies
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


def marks_of(account: Account, market: MarketData, entries: OpenEntries | None = None) -> dict[str, Decimal]:
    """Mark of every symbol that is held, and of what values the buys that others placed without a price.

    Raises:
        VenueUnavailable: one of them has no two-sided price.
    """
    held = [position.symbol for position in account.positions if position.quantity]
    marks = {symbol: usable_quote(market, symbol).mark for symbol in held}
    for order in entries.unpriced if entries else ():
        _, quote = currencies(order.symbol)
        for symbol in {order.symbol, f"{quote}/{account.currency}"} - {*marks, f"{quote}/{quote}"}:
            # What has no price is left out: whoever needs it takes the order for one that cannot be valued.
            with suppress(NotFound):
                marks[symbol] = usable_quote(market, symbol).mark
    return marks


def situation_of(
    account: Account,
    instrument: Instrument,
    quote: Quote,
    market: MarketData,
    *,
    marks: dict[str, Decimal],
    entries: OpenEntries,
) -> Situation:
    """Value an account at `marks`; a holding without one, filled since they were read, counts at its average price.

    What others placed at the venue counts as what the desk placed, and holds back as much.
    """
    account, external, unvalued = _with_externals(account, entries, marks)
    held = sum((item.quantity * marks.get(item.symbol, item.average_price) for item in account.positions), Decimal(0))
    return Situation(
        account=account,
        instrument=instrument,
        quote=quote,
        equity=account.balances.get(account.currency, Decimal(0)) + held,
        exposure=held + entries.buying + sum(external.values(), Decimal(0)),
        open_orders=entries.count,
        now=market.now(instrument.symbol),
        activity=entries.activity,
        mark=marks.get(instrument.symbol),
        external=external,
        unvalued=unvalued,
    )


def _with_externals(
    account: Account, entries: OpenEntries, marks: Mapping[str, Decimal]
) -> tuple[Account, dict[str, Decimal], tuple[str, ...]]:
    """The account less what unpriced buys of others hold back, all such buys by symbol, and those without a value."""
    external, reserved, unvalued = dict(entries.external), dict(account.reserved), []
    for order in entries.unpriced:
        _, quote = currencies(order.symbol)
        own = order.limit_price or order.stop_price
        price = own or marks.get(order.symbol)
        rate = Decimal(1) if quote == account.currency else marks.get(f"{quote}/{account.currency}")
        left = order.quantity - order.filled
        if price is None or rate is None:
            unvalued.append(f"{order.venue_order_id} (buy {left.normalize():f} {order.symbol})")
            continue
        if own is None:
            reserved[quote] = reserved.get(quote, Decimal(0)) + left * price
        external[order.symbol] = external.get(order.symbol, Decimal(0)) + left * price * rate
    return replace(account, reserved=reserved), external, tuple(unvalued)
