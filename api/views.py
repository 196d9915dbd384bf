"""Tickets, orders and accounts of the ledger in the shapes clients get."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from agents.runtime import Desk
from agents.tickets import fill_json, order_json
from api.schemas.account import AuditEntry, Costing, Holding, Lot, Portfolio, Profit
from api.schemas.orders import Fill, Order, Ticket
from engines.domain import orders as domain
from engines.ledger import portfolio as valuation
from engines.ledger import profit as by_method
from engines.ledger.journal import AuditRecord


def ticket_view(desk: Desk, ticket: domain.OrderTicket) -> Ticket:
    """A ticket as it stands, with its order; readable also when its market is out or another one is served."""
    return Ticket.model_validate(desk.services.ticket_json(ticket))


def order_view(order: domain.Order) -> Order:
    """An order with its fills."""
    return Order.model_validate(order_json(order))


def fill_view(fill: domain.Fill) -> Fill:
    """One execution."""
    return Fill.model_validate(fill_json(fill))


def portfolio_view(found: valuation.Portfolio, account: domain.Account) -> Portfolio:
    """An account with what it holds, at the market's prices."""
    return Portfolio(
        account=found.account,
        mode=account.mode,
        market=found.market,
        simulated=found.simulated,
        as_of=found.as_of.isoformat(),
        currency=found.currency,
        equity=_text(found.equity),
        cash=_text(found.cash),
        reserved=_text(found.reserved),
        unrealised=_text(found.unrealised),
        realised=_text(found.realised),
        fees=_text(found.fees_paid),
        positions=[_holding(item, found.profit) for item in found.positions],
        profit=_profit(found),
    )


def _holding(item: valuation.Valuation, profit: by_method.Profit) -> Holding:
    own = next(each for each in profit.symbols if each.symbol == item.symbol)
    return Holding(
        symbol=item.symbol,
        quantity=_text(item.quantity),
        average_price=_text(item.average_price),
        mark=_text(item.mark),
        value=_text(item.value),
        unrealised=_text(item.unrealised),
        realised=_text(item.realised),
        fifo_price=_text(by_method.unit_cost(own.fifo, own.quantity)),
        fifo_unrealised=_text(item.value - own.fifo.cost),
        fifo_realised=_text(own.fifo.realised),
        lots=[
            Lot(
                fill_id=lot.fill_id, opened=lot.opened.isoformat(), quantity=_text(lot.quantity), price=_text(lot.price)
            )
            for lot in own.lots
        ],
    )


def _profit(found: valuation.Portfolio) -> Profit:
    profit, value = found.profit, sum((item.value for item in found.positions), Decimal(0))

    def costing(method: by_method.Costing) -> Costing:
        return Costing(
            cost=_text(method.cost),
            realised=_text(method.realised),
            unrealised=_text(value - method.cost),
            fees=_text(method.fees),
            difference=_text(found.cash - (found.starting_cash + method.realised - method.cost)),
        )

    return Profit(
        starting_cash=_text(found.starting_cash),
        average=costing(profit.average(found.currency)),
        fifo=costing(profit.fifo(found.currency)),
        fees={currency: _text(amount) for currency, amount in sorted(profit.fees.items())},
        unpriced_fees={currency: _text(amount) for currency, amount in sorted(profit.unpriced.items())},
    )


def audit_views(records: Iterable[AuditRecord]) -> list[AuditEntry]:
    """Records of the audit chain."""
    return [
        AuditEntry(
            seq=record.seq,
            time=record.time.isoformat(),
            account=record.account,
            ticket_id=record.ticket_id,
            kind=record.kind,
            data=record.data,
            previous_hash=record.previous_hash,
            hash=record.hash,
        )
        for record in records
    ]


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
