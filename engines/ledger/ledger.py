"""The ledger: the one place that knows what was asked, decided, sent and filled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import insert, select

from engines.domain.orders import OPEN_ORDER_STATUSES, Account, Mode, Order, OrderTicket, TicketStatus
from engines.domain.trading_state import Standing, TradingState
from engines.errors import Conflict, InvalidRequest, QuantumTraderError, RiskDenied
from engines.execution.broker import VenueOrder, protective_ids
from engines.ledger import guarding, orders, standing, submissions, tickets
from engines.ledger.activity import read_activity
from engines.ledger.adjustments import count_adjustments, write_adjustments
from engines.ledger.claims import claimed
from engines.ledger.externals import write_externals
from engines.ledger.journal import Journal, journalling
from engines.ledger.marks import EquityMarks, advanced, is_recorded, read_marks, write_marks
from engines.ledger.orders import OpenEntries
from engines.ledger.reader import LedgerReader
from engines.ledger.reconciliation import Reconciliation, accept_mismatches, write_reconciliation
from engines.ledger.sealed import ticket_of
from engines.storage import ledger as tables

DecisionWord = tickets.Decision
UnsettledStatus = Literal["unknown", "not_accepted", "needs_operator", "rejected_by_venue"]


class Ledger(LedgerReader):
    """Accounts, tickets, orders, fills and the audit chain, on SQLite or PostgreSQL.

    Calls block and are safe from many threads and processes. Every change is one transaction that also
    writes its audit record, and needs the state it starts from: of two that race, one wins and the other
    gets `Conflict`.
    """

    def ensure_account(
        self, owner: str, *, currency: str, cash: Decimal, market: str = "", mode: Mode = "paper"
    ) -> Account:
        """The owner's account of this mode, market and currency, opened with `cash` when there is none yet.

        Paper money of one market is not mixed with another's, so each has its own account; the id is such
        as `paper-demo-usdt:local`.
        """
        name = "-".join(part for part in (mode, market, currency.lower()) if part)
        account_id = f"{name}:{owner}"
        with self._engine.connect() as connection:
            known = connection.execute(select(tables.accounts.c.id).where(tables.accounts.c.id == account_id)).first()
        if known is None:
            self._open_account(account_id, owner, name, mode, currency, cash)
        return self.account(account_id)

    def change_state(self, state: TradingState, *, reason: str, by: str, account: str | None = None) -> Standing:
        """Halt, restrict or resume an account, or the whole desk when None; it outlives the process.

        A restriction is only ever tightened, except by `active`, which lifts it; setting what is set changes
        nothing. Lifting the desk's also removes the halt file.

        Returns:
            The state that holds afterwards, as `standing_state`.

        Raises:
            InvalidRequest: no such state, or no reason.
            NotFound: no such account.
            ConfigurationError: the halt file cannot be removed, so the desk stays halted.
        """
        with journalling(self._engine, self._clock) as journal:
            lifted = state == "active" and account is None
            by_file = self._halt_file.standing() if lifted and self._halt_file else None
            standing.change(journal, state, reason=reason, by=by, account=account)
            if by_file is not None:
                journal.note("halt_file_removed", account=standing.DESK, reason=reason, by=by, told=by_file.reason)
        # The ledger first: should the file resist, the desk stays halted.
        if lifted and self._halt_file:
            self._halt_file.remove()
        return self.standing_state(account)

    def note(self, kind: str, *, account: str = standing.DESK, **data: Any) -> None:
        """Audit something that changes no ticket and no order; `data` is plain JSON."""
        with journalling(self._engine, self._clock) as journal:
            journal.note(kind, account=account, **data)

    def observe_equity(
        self, account_id: str, equity: Decimal, day: str, *, movements: int | None = None
    ) -> EquityMarks:
        """Look at an account's equity: the first look of the market's `day` opens it, a new height is the peak.

        Args:
            movements: those without a fill that the equity includes. A look from before money moved counts for
                nothing: it would tell the move as a loss, or hide one.
        """
        with self._engine.connect() as connection:
            known = read_marks(connection, account_id)
        if is_recorded(known) and advanced(known, equity, day) == known:
            return known
        # Looks take turns: two first ones at once would both open the account's marks.
        with journalling(self._engine, self._clock) as journal:
            known = read_marks(journal.connection, account_id)
            if movements not in {None, count_adjustments(journal.connection, account_id)}:
                return known
            marks = advanced(known, equity, day)
            write_marks(journal, account_id, marks)
        return marks

    def seal(self, draft: OrderTicket, *, replaces: tuple[str, str, str] | None = None) -> OrderTicket:
        """Write a draft as a pending ticket with its label and hash.

        Args:
            replaces: id and hash of the pending ticket that this one is an edit of, and who edited it;
                both change in one transaction.

        Raises:
            Conflict, Expired: the replaced ticket cannot be edited any more; nothing is sealed.
        """
        with journalling(self._engine, self._clock) as journal:
            if replaces is None:
                return tickets.seal(journal, draft)
            replaced_id, replaced_hash, by = replaces
            row = tickets.require(journal.connection, replaced_id, draft.owner)
            refused = tickets.refusal(row, replaced_hash, journal.now)
            if refused is not None:
                raise refused
            ticket = tickets.seal(journal, draft)
            tickets.record_superseded(journal, row, ticket, by=by)
            return ticket

    def record_denial(
        self, account_id: str, *, owner: str, thread_id: str, reason: str, intent: dict[str, Any]
    ) -> None:
        """Audit an intent that never became a ticket."""
        with journalling(self._engine, self._clock) as journal:
            journal.note(
                "intent_denied", account=account_id, owner=owner, thread=thread_id, reason=reason, intent=intent
            )

    def decide(
        self,
        ticket_id: str,
        decision: DecisionWord,
        ticket_hash: str,
        by: str,
        resolve_differences: bool = False,
        *,
        owner: str | None = None,
    ) -> OrderTicket:
        """Record the one decision a ticket ever gets.

        Args:
            ticket_hash: of the ticket as the person saw it.
            resolve_differences: the person has seen where the two readers disagree and means the ticket.

        Raises:
            NotFound: no such ticket of this owner.
            Expired: its time is over, which is recorded.
            Conflict: already decided or replaced, another hash, or differences not resolved.
            RiskDenied: an approval while the desk or account is halted, or reducing and the order does not
                reduce; the ticket stays pending.
        """
        if decision not in {"approve", "reject"}:
            raise InvalidRequest(f"{decision!r} is not a decision.", remedy="Use approve or reject.")
        with journalling(self._engine, self._clock) as journal:
            row = tickets.require(journal.connection, ticket_id, owner)
            refused: QuantumTraderError | None = tickets.refusal(row, ticket_hash, journal.now)
            if refused is None and decision == "approve":
                ticket = ticket_of(row)
                refused = self._restricted(journal, ticket) or (None if resolve_differences else _unresolved(ticket))
            if refused is None:
                tickets.record_decision(journal, row, decision, by=by, resolved=resolve_differences)
            elif row["status"] == "pending" and journal.now >= row["expires_at"]:
                tickets.record_expiry(journal, row, "Nobody decided in time.")
        if refused is not None:
            raise refused
        return self.ticket(ticket_id)

    def expire_due(self) -> tuple[OrderTicket, ...]:
        """Mark pending tickets whose time is over; those that were marked now."""
        due = tickets.with_decisions().where(
            tables.tickets.c.status == "pending", tables.tickets.c.expires_at <= self._clock.now()
        )
        with self._engine.connect() as connection:
            if connection.execute(due).first() is None:
                return ()
        with journalling(self._engine, self._clock) as journal:
            rows = list(journal.connection.execute(due).mappings())
            for row in rows:
                tickets.record_expiry(journal, row, "Nobody decided in time.")
        return tuple(self.ticket(row["id"]) for row in rows)

    @contextmanager
    def journalled(self) -> Iterator[Journal]:
        """A write transaction with its audit records, for what the ledger's other modules write."""
        with journalling(self._engine, self._clock) as journal:
            yield journal

    @contextmanager
    def claim(self, ticket_id: str) -> Iterator[None]:
        """Own the submission of a ticket: others wait, in every thread and process, until it ends or dies."""
        with claimed(self._engine, ticket_id):
            yield

    def begin_exit(self, leg: Order, *, lot: Decimal, least: Decimal) -> Decimal:
        """Journal that an exit that waits here is about to be sent, for what is left of its entry at this moment.

        Args:
            lot, least: step and least of a quantity that can be sold.

        Returns:
            Base units to sell; zero, and nothing is written, where it may not be sent any more: the account was
            halted, another exit of the entry is at work, or less than `least` is left.
        """
        with journalling(self._engine, self._clock) as journal:
            legs = orders.read_orders(journal.connection, guarding.EXITS, parent_id=leg.parent_id)
            waits = any(each.id == leg.id and each.waits_at_desk for each in legs)
            busy = any(each.status in OPEN_ORDER_STATUSES and not each.waits_at_desk for each in legs)
            state = standing.read_standing(journal.connection, leg.account, self._halt_file).state
            left = self._left(journal.connection, self._order(journal.connection, leg.parent_id or "")) // lot * lot
            if not waits or busy or state == "halted" or left < max(least, lot):
                return Decimal(0)
            guarding.begin_exit(journal, leg, left)
            return left

    def note_once(self, order: Order, kind: str, **data: str) -> bool:
        """Audit something about an order that is told only once; True the first time."""
        with self._engine.connect() as connection:
            if guarding.is_noted(connection, order, kind):
                return False
        with journalling(self._engine, self._clock) as journal:
            return guarding.note_once(journal, order, kind, **data)

    def journal_submission(
        self,
        ticket_id: str,
        recheck: Callable[[OrderTicket, Account, OpenEntries], str],
        *,
        price: Decimal,
        fee: Decimal,
        window: timedelta = timedelta(minutes=1),
    ) -> Order | None:
        """Check an approved ticket once more and journal its order, or deny it, in one transaction.

        Args:
            recheck: why the ticket may not be sent, or an empty text; it is given the account, its open
                entries and what it did lately, as no other submission can change them meanwhile.
            price, fee: what the order sets aside, as in `submissions.begin`.
            window: how far back `recheck` wants to look.

        Returns:
            The order in `submitting`, or None when it was denied.
        """
        with journalling(self._engine, self._clock) as journal:
            row = tickets.require(journal.connection, ticket_id, None)
            ticket = ticket_of(row)
            account, _, entries = self._account(journal.connection, ticket.account, None)
            lately = read_activity(journal.connection, ticket.account, self._pasts, now=journal.now, window=window)
            entries = replace(entries, activity=lately)
            if not tickets.is_as_decided(row):
                reason = submissions.NOT_AS_DECIDED
            else:
                reason = self._standing_of(journal, ticket).refusal(ticket) or recheck(ticket, account, entries)
            if reason:
                submissions.deny(journal, row, reason)
                return None
            return submissions.begin(journal, row, ticket, price=price, fee=fee)

    def advance_ticket(self, ticket_id: str, status: TicketStatus, *, reason: str, kind: str) -> OrderTicket:
        """Move an approved ticket without an order of its own, such as a cancellation, and audit it as `kind`."""
        with journalling(self._engine, self._clock) as journal:
            row = tickets.require(journal.connection, ticket_id, None)
            tickets.change_status(journal, row, status, reason=reason)
            journal.note(kind, account=row["account"], ticket_id=ticket_id, reason=reason)
        return self.ticket(ticket_id)

    def record_venue_order(self, order_id: str, seen: VenueOrder, venue: str) -> Order:
        """Bring an order to where its venue says it stands; repeating it changes nothing."""
        order = self.order(order_id)
        known = {fill.id for fill in order.fills}
        same = (order.quantity, order.venue_order_id) == (seen.quantity, seen.venue_order_id)
        if same and order.status == seen.status and all(fill.id in known for fill in seen.fills):
            return order
        with journalling(self._engine, self._clock) as journal:
            current = self._order(journal.connection, order_id)
            submissions.record_venue_order(journal, current, seen, venue)
        return self.order(order_id)

    def record_venue_orders(self, seen: Collection[VenueOrder], venue: str) -> None:
        """`record_venue_order` for many, by their client order ids, in one transaction."""
        if seen:
            with journalling(self._engine, self._clock) as journal:
                for each in seen:
                    current = self._order(journal.connection, each.client_order_id)
                    submissions.record_venue_order(journal, current, each, venue)

    def record_protective(self, entry_id: str, seen: VenueOrder, venue: str) -> Order:
        """Write the stop-loss or take-profit that a venue holds for a filled entry; once, however often it is seen."""
        with journalling(self._engine, self._clock) as journal:
            found = select(tables.orders.c.id).where(tables.orders.c.id == seen.client_order_id)
            if journal.connection.execute(found).first() is None:
                entry = self._order(journal.connection, entry_id)
                stop = seen.client_order_id == protective_ids(entry_id)[0]
                submissions.record_protective(journal, entry, seen, stop=stop, venue=venue)
        return self.order(seen.client_order_id)

    def record_unsettled(self, order_id: str, status: UnsettledStatus, reason: str) -> Order:
        """Record that the venue refused an order, or that it is not known to have taken it.

        What the venue has shown meanwhile stands: one that is done stays as it is, and one that it took can only be
        lost to it.
        """
        with journalling(self._engine, self._clock) as journal:
            current = self._order(journal.connection, order_id)
            if not submissions.is_overtaken(current, status):
                submissions.settle(journal, current, status, reason)
        return self.order(order_id)

    def count_lookup(self, order_id: str) -> int:
        """Count one look-up that did not find an order; how many there were so far."""
        with journalling(self._engine, self._clock) as journal:
            return submissions.count_lookup(journal, self._order(journal.connection, order_id))

    def take_over(self, account_id: str, amounts: Mapping[str, tuple[Decimal, Decimal | None]], *, venue: str) -> bool:
        """Book what a live account has at its venue as what it began with; False when that was done before.

        Args:
            amounts: by currency, each with its price in the account's currency where there is one.
        """
        with journalling(self._engine, self._clock) as journal:
            taken = select(tables.adjustments.c.seq).where(tables.adjustments.c.account == account_id)
            if journal.connection.execute(taken.limit(1)).first() is not None:
                return False
            reason = f"What {venue} held when the desk took the account over."
            write_adjustments(
                journal, account_id, amounts, reason=reason, by="reconciliation", kind="account_taken_over"
            )
        return True

    def record_reconciliation(self, found: Reconciliation) -> Reconciliation:
        """Record a comparison with the venue and the external orders of now; the same with its number."""
        with journalling(self._engine, self._clock) as journal:
            write_externals(journal, found.account, found.externals)
            return replace(found, seq=write_reconciliation(journal, found))

    def accept_differences(self, account_id: str, seq: int, *, reason: str, by: str) -> dict[str, Decimal]:
        """Book the mismatches of a comparison as movements that a person explains; what was booked, by currency.

        Raises:
            NotFound: there is no comparison.
            Conflict: it is not the newest, or it was accepted already.
            InvalidRequest: no reason, or nothing to accept.
        """
        with journalling(self._engine, self._clock) as journal:
            return accept_mismatches(journal, account_id, seq, reason=reason, by=by)

    def _standing_of(self, journal: Journal, ticket: OrderTicket) -> Standing:
        return standing.read_standing(journal.connection, ticket.account, self._halt_file)

    def _restricted(self, journal: Journal, ticket: OrderTicket) -> RiskDenied | None:
        reason = self._standing_of(journal, ticket).refusal(ticket)
        return RiskDenied(reason, remedy="Resume trading first, or reject the ticket.") if reason else None

    def _open_account(self, account_id: str, owner: str, name: str, mode: str, currency: str, cash: Decimal) -> None:
        with journalling(self._engine, self._clock) as journal:
            known = select(tables.accounts.c.id).where(tables.accounts.c.id == account_id)
            if journal.connection.execute(known).first() is not None:
                return
            values = {"id": account_id, "owner": owner, "name": name, "mode": mode, "currency": currency}
            journal.connection.execute(
                insert(tables.accounts).values(**values, starting_cash=cash, last_label=0, created_at=journal.now)
            )
            told = {"currency": currency, "cash": format(cash, "f")}
            journal.note("account_opened", account=account_id, **told, tells_equity=True)


def _unresolved(ticket: OrderTicket) -> Conflict | None:
    if ticket.look_alikes:
        return Conflict(
            f"Ticket {ticket.label} looks like an order that was just sent: {' '.join(ticket.look_alikes)}",
            remedy="Confirm that you mean it once more (resolve_differences), or reject it.",
        )
    if not ticket.differences:
        return None
    return Conflict(
        f"Ticket {ticket.label} does not say what was read from your words: {' '.join(ticket.differences)}",
        remedy="Confirm that the ticket is what you mean (resolve_differences), or reject it.",
    )
