"""Tickets, orders and accounts of the ledger in the shapes clients get."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from agents.runtime import Desk
from agents.tickets import fill_json, order_json
from api.schemas.account import AuditEntry, Holding, Portfolio
from api.schemas.orders import Fill, Order, Ticket
from engines.domain import orders as domain
from engines.ledger import portfolio as valuation
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
        positions=[
            Holding(
                symbol=item.symbol,
                quantity=_text(item.quantity),
                average_price=_text(item.average_price),
                mark=_text(item.mark),
                value=_text(item.value),
                unrealised=_text(item.unrealised),
                realised=_text(item.realised),
            )
            for item in found.positions
        ],
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
