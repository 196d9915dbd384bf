"""What the graph's nodes work with: one bundle, made once and handed to them. Its methods block."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agents.state import EvidenceRecord, record_evidence
from agents.tickets import ticket_evidence, ticket_json
from engines.domain.clock import Clock
from engines.domain.evidence import Evidence
from engines.domain.instruments import Instrument
from engines.domain.orders import Order, OrderIntent, OrderTicket
from engines.errors import NotFound, VenueError
from engines.execution.broker import Broker
from engines.execution.context import OrderContext
from engines.execution.prepare import TicketEdits, edit_ticket, prepare_ticket
from engines.execution.submit import submit
from engines.ledger.ledger import Ledger
from engines.market.data import MarketData

if TYPE_CHECKING:
    from agents.live import LiveDesk
    from agents.models import ModelChain
    from agents.settings import Settings

_LABEL: Final = re.compile(r"\bT-\d+\b")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
DEFAULT_QUOTE: Final = "USDT"


def quote_currency_of(market: MarketData, settings: Settings) -> str:
    """The configured currency, else the one most symbols are quoted in; empty where nothing is listed yet."""
    if settings.quote_currency:
        return settings.quote_currency
    if settings.market not in {"demo", "files"}:
        return DEFAULT_QUOTE
    counted = Counter(instrument.quote for instrument in market.instruments())
    return counted.most_common(1)[0][0] if counted else ""


def prompt(name: str) -> str:
    """The text of `prompts/<name>.md`."""
    return (Path(__file__).parent.parent / "prompts" / f"{name}.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, market, ledger, broker, limits, clock and models of one desk.

    Attributes:
        opened_with: the quote currency the desk opened with; empty where the market listed nothing yet.
        live: what keeps a live desk equal to its venue; None on paper.
    """

    settings: Settings
    orders: OrderContext
    broker: Broker
    model: ModelChain
    opened_with: str
    live: LiveDesk | None = None

    @property
    def quote_currency(self) -> str:
        """The currency of a bare asset and of the accounts; it stays what it was when the desk opened."""
        return self.opened_with or quote_currency_of(self.market, self.settings) or DEFAULT_QUOTE

    @property
    def market(self) -> MarketData:
        """The desk's one market."""
        return self.orders.market

    @property
    def ledger(self) -> Ledger:
        """The journal of tickets, orders and fills."""
        return self.orders.ledger

    @property
    def clock(self) -> Clock:
        """The wall clock, or a test's."""
        return self.orders.clock

    @property
    def records_studio_decisions(self) -> bool:
        """Whether a structured resume may be recorded: paper money, and nobody but this machine can call."""
        return self.orders.mode == "paper" and self.settings.host in _LOOPBACK

    def symbols(self) -> tuple[str, ...]:
        """What the market lists; nothing while it does not answer, so that the tools can tell the outage."""
        try:
            return tuple(instrument.symbol for instrument in self.market.instruments())
        except VenueError:
            return ()

    def account(self, owner: str) -> str:
        """Id of the owner's account, opened on first use: with paper cash, or live with nothing.

        A live desk has one account with money, that of the venue's keys; everybody else's stays empty.
        """
        mode = self.orders.mode
        cash = self.settings.paper_cash if mode == "paper" else Decimal(0)
        account = self.ledger.ensure_account(
            owner, mode=mode, market=self.market.name, currency=self.quote_currency, cash=cash
        )
        return account.id

    def waiting(self, owner: str) -> tuple[OrderTicket, ...]:
        """The owner's tickets that can still be decided, newest first."""
        now = self.clock.now()
        return tuple(ticket for ticket in self.ledger.tickets(owner, status="pending") if ticket.expires_at > now)

    def facts(self, owner: str) -> dict[str, Any]:
        """What a reader of messages has to know of the desk: markets, account, positions, pending tickets."""
        holdings = self.holdings(owner)
        return {
            "symbols": list(self.symbols()),
            "quote_currency": self.quote_currency,
            "pending_tickets": [
                {"label": ticket.label, "text": self.ticket_headline(ticket)} for ticket in self.waiting(owner)
            ],
            "positions": list(holdings),
            "holdings": {symbol: f"{quantity.normalize():f}" for symbol, quantity in holdings.items()},
            "open_entries": [list(each) for each in self.open_entries(owner)],
            "market": self.market.name,
            "simulated": self.market.simulated,
            "limit": f"{self.orders.limits.max_order_notional:,f} {self.quote_currency}",
            "account": self._account_in_words(),
            "mode": self.orders.mode,
        }

    def _account_in_words(self) -> str:
        if self.live is not None:
            return f"live account at {self.live.gate.venue}, real money"
        return f"paper account, {self.settings.paper_cash:,f} {self.quote_currency} at the start"

    def holdings(self, owner: str) -> dict[str, Decimal]:
        """What the owner's account holds, base units by symbol."""
        account = self.ledger.account(self.account(owner))
        return {position.symbol: position.quantity for position in account.positions if position.quantity}

    def open_entries(self, owner: str) -> tuple[tuple[str, str], ...]:
        """Symbol and id of the owner's orders that wait and protect nothing, newest first."""
        open_orders = self.ledger.orders(self.account(owner), status="open")
        return tuple((order.symbol, order.id) for order in open_orders if order.parent_id is None)

    def seal(self, intent: OrderIntent, owner: str) -> OrderTicket:
        """Risk review, quote, evidence and seal: a pending ticket in the ledger."""
        return prepare_ticket(intent, self.orders, owner=owner)

    def decide(
        self, ticket_id: str, decision: Any, ticket_hash: str, by: str, *, resolved: bool = False
    ) -> OrderTicket:
        """Record a person's decision."""
        return self.ledger.decide(ticket_id, decision, ticket_hash, by, resolved)

    def edit(self, ticket_id: str, ticket_hash: str, edits: TicketEdits, *, by: str, owner: str) -> OrderTicket:
        """Replace a ticket by an edited one, which needs its own approval."""
        return edit_ticket(ticket_id, ticket_hash, edits, self.orders, by=by, owner=owner)

    def submit(self, ticket_id: str) -> Order | None:
        """Carry out an approved ticket, or go on where its journal stands."""
        return submit(ticket_id, self.orders, self.broker)

    def ticket(self, ticket_id: str, owner: str | None) -> OrderTicket:
        """One ticket of an owner."""
        return self.ledger.ticket(ticket_id, owner)

    def ticket_json(self, ticket: OrderTicket) -> dict[str, Any]:
        """A ticket as clients get it, its order and that order's exits included."""
        order = self.ledger.order_of(ticket.id)
        exits = self.ledger.exits_of(order.id) if order is not None and order.filled else ()
        return ticket_json(ticket, self._ticket_evidence(ticket), order, exits)

    def ticket_headline(self, ticket: OrderTicket) -> str:
        """What a ticket does, in one line without its label."""
        text: str = self.ticket_json(ticket)["text"]
        return text.removeprefix(f"{ticket.label}: ").partition(" · ")[0]

    def ticket_record(self, ticket: OrderTicket, *, tool_call_id: str, turn: str) -> tuple[Evidence, EvidenceRecord]:
        """A ticket as evidence of a thread, numbered by its label: T-7 is `ticket-7`."""
        evidence = self._ticket_evidence(ticket)
        record = record_evidence(evidence, number=number_of(ticket), tool_call_id=tool_call_id, turn=turn)
        return evidence, record

    def quoted_tickets(self, draft: str, owner: str) -> list[EvidenceRecord]:
        """Evidence of the waiting tickets that a draft names, whichever thread they were made in."""
        named = set(_LABEL.findall(draft))
        found = [ticket for ticket in self.waiting(owner) if ticket.label in named] if named else []
        return [self.ticket_record(ticket, tool_call_id=ticket.id, turn="")[1] for ticket in found]

    def _ticket_evidence(self, ticket: OrderTicket) -> Evidence:
        superseded = self.ledger.tickets(ticket.owner, status="superseded", thread_id=ticket.thread_id)
        edited = any(earlier.superseded_by == ticket.id for earlier in superseded)
        return ticket_evidence(ticket, self._instrument_of(ticket), edited=edited)

    def _instrument_of(self, ticket: OrderTicket) -> Instrument | None:
        """What a ticket trades; None while this desk's market cannot tell, so that it can be read and rejected."""
        try:
            return self.market.instrument(ticket.symbol)
        except (NotFound, VenueError):
            return None

    def protective_orders(self, ticket: OrderTicket, entry: Order) -> tuple[Order, ...]:
        """Stop-loss and take-profit that rest at the venue for a filled entry."""
        orders = self.ledger.orders(ticket.account, symbol=ticket.symbol)
        return tuple(
            order
            for order in orders
            if order.ticket_id == ticket.id and order.id != entry.id and order.status == "accepted"
        )

    def position(self, account: str, symbol: str) -> Decimal:
        """What an account holds of a symbol, base units."""
        positions = self.ledger.account(account).positions
        return next((position.quantity for position in positions if position.symbol == symbol), Decimal(0))

    def order(self, order_id: str, owner: str) -> Order:
        """One order of an owner."""
        return self.ledger.order(order_id, owner)


def number_of(ticket: OrderTicket) -> int:
    """The number in a ticket's label."""
    return int(ticket.label.rpartition("-")[2])
