"""One owner's account, read-only, as the market desk's tools see it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from agents.quoted import quoted
from agents.services import Services
from engines.confirmation.open_risk import open_risk
from engines.domain.orders import Order, OrderTicket
from engines.domain.review import Review
from engines.execution.unprotected import unprotected
from tools.decisions import Denial
from tools.market_desk import AccountView, ExternalOrder, Holding


class LedgerAccount:
    """An `AccountReader`, a `DecisionReader` and a `ReviewReader` over the ledger."""

    def __init__(self, services: Services, owner: str) -> None:
        self._services = services
        self._owner = owner

    def view(self) -> AccountView:
        """The account at the market's prices."""
        services = self._services
        account = services.account(self._owner)
        portfolio = services.ledger.portfolio(account, services.market)
        at_work = self._orders_at_work(account)
        standing = services.ledger.standing_state(account)
        return AccountView(
            mode=services.orders.mode,
            currency=portfolio.currency,
            cash=portfolio.cash,
            reserved=portfolio.reserved,
            equity=portfolio.equity,
            realised=portfolio.realised,
            unrealised=portfolio.unrealised,
            fees=portfolio.fees_paid,
            holdings=tuple(
                Holding(
                    item.symbol,
                    item.quantity,
                    item.average_price,
                    item.mark,
                    item.unrealised,
                    open_risk(item.quantity, item.mark, (each for each in at_work if each.symbol == item.symbol)),
                )
                for item in portfolio.positions
            ),
            externals=tuple(self.external_orders(None)),
            standing=standing,
            reason=quoted(standing.reason, "in why trading is restricted", stem="why"),
        )

    def _orders_at_work(self, account: str) -> list[Order]:
        """Open orders, without the exits that are held up."""
        ledger = self._services.ledger
        held_up = {gap.exit_id for gap in unprotected(ledger, self._services.clock.now(), accounts={account})}
        return [order for order in ledger.orders(account, status="open") if order.id not in held_up]

    def orders(self, *, status: Literal["open", "all"], symbol: str | None) -> Sequence[Order]:
        """Submitted orders, newest first."""
        return self._services.ledger.orders(self._services.account(self._owner), status=status, symbol=symbol)

    def tickets(self, *, limit: int) -> Sequence[OrderTicket]:
        """Tickets of every status, newest first."""
        return self._services.ledger.tickets(self._owner, limit=limit)

    def newest_orders(self, *, limit: int) -> Sequence[Order]:
        """Orders of every status, newest first."""
        return self._services.ledger.orders(self._services.account(self._owner), limit=limit)

    def denials(self, *, limit: int) -> Sequence[Denial]:
        """Orders that a limit stopped before they became a ticket, newest first."""
        records = self._services.ledger.newest_audit("intent_denied", owner=self._owner, limit=limit)
        return [
            Denial(
                time=record.time,
                symbol=str(record.data["intent"]["symbol"]),
                side=str(record.data["intent"]["side"]),
                quantity=Decimal(record.data["intent"]["quantity"]),
                reason=str(record.data["reason"]),
                words=str(record.data["intent"].get("words", "")),
            )
            for record in records
        ]

    def review(self, *, symbol: str | None, limit: int) -> Review:
        """What the newest decisions cost or saved."""
        services = self._services
        account = services.account(self._owner)
        return services.ledger.review(account, services.market, self._owner, symbol=symbol, limit=limit)

    def external_orders(self, symbol: str | None) -> Sequence[ExternalOrder]:
        """Open orders on the venue account that this desk did not place; none on paper."""
        found = self._services.ledger.external_orders(self._services.account(self._owner))
        return [
            ExternalOrder(
                symbol=each.order.symbol,
                side=each.order.side,
                quantity=each.order.quantity - each.order.filled,
                price=each.order.limit_price or each.order.stop_price,
                venue_order_id=each.order.venue_order_id,
            )
            for each in found
            if symbol in {None, each.order.symbol}
        ]

    def pending_tickets(self, symbol: str | None) -> Sequence[OrderTicket]:
        """Tickets that wait for the owner."""
        return [ticket for ticket in self._services.waiting(self._owner) if symbol in {None, ticket.symbol}]
