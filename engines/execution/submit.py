"""Carrying out approved tickets: at most one order of each reaches the venue, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from engines.confirmation.risk import RiskLimits, look_alikes, reserve_price, review
from engines.confirmation.wording import percent, price
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import Account, Order, OrderTicket, TicketStatus
from engines.errors import Conflict, InvalidRequest, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, Broker
from engines.execution.cancel import carry_out_cancellation
from engines.execution.context import OrderContext
from engines.execution.prepare import intent_of
from engines.execution.protection import try_protective
from engines.execution.recover import look_up
from engines.execution.replacing import way_is_clear, without
from engines.execution.situation import marks_of, situation_of, usable_quote
from engines.ledger.ledger import Ledger
from engines.ledger.orders import OpenEntries
from engines.ledger.replacing import begin_replacement
from engines.ledger.submissions import NOT_AS_DECIDED

# An approval in the ticket's last second still has this long to be carried out.
_GRACE: Final = timedelta(seconds=30)
_UNFINISHED: Final[tuple[TicketStatus, ...]] = ("approved", "submitting", "unknown", "needs_operator")
_NOTHING_SENT: Final[frozenset[TicketStatus]] = frozenset({"denied", "expired"})


def submit(ticket_id: str, context: OrderContext, broker: Broker) -> Order | None:
    """Carry out an approved ticket.

    claim -> re-check -> journal -> send once -> record; an unclear answer becomes `unknown` and is looked up
    by our id, never sent again. Calling it again, from another process or after a crash, continues where the
    journal stands.

    Returns:
        The order as the ledger has it. None when there is none: the re-check said no (`ticket.reason` says
        why), or the ticket is a cancellation.

    Raises:
        Conflict: nobody approved the ticket.
        VenueUnavailable: the market has no price, or what became of an earlier order could not be written down;
            nothing was sent and the ticket stays approved.
    """
    ledger = context.ledger
    with ledger.claim(ticket_id):
        ticket = ledger.ticket(ticket_id)
        order = ledger.order_of(ticket_id)
        if not ticket.account.startswith(context.within):
            return _left_alone(ticket, order, context)
        if order is not None:
            order = look_up(order, ledger=ledger, broker=broker, clock=context.clock)
            context.unrecorded.discard(order.id)
            return order
        if ticket.status in _NOTHING_SENT and ticket.decided_at is not None:
            return None
        if ticket.kind == "order" and not ticket.replaces_order:
            _require_approved(ticket, "approved")
            return _send(ticket, context, broker) if _still_valid(ticket, context) else None
        begun = _cancellation_begun(ticket, context) if ticket.kind == "cancel" else _replacement_begun(ticket, context)
    # Each order is cancelled under its own ticket's claim, which whoever is sending it holds.
    if begun and ticket.kind == "order":
        return _replaced(ticket, context, broker)
    if begun:
        carry_out_cancellation(ticket, ledger=ledger, broker=broker, clock=context.clock)
    return None


def unfinished(ledger: Ledger, *, within: str = "") -> tuple[str, ...]:
    """Tickets of all owners that need `submit` again: approved and not sent, interrupted, or unclear; oldest first.

    One that needs an operator is among them: whatever its venue comes to say of it still counts.

    Args:
        within: how the ids of the accounts begin that are looked at; empty for all.
    """
    return ledger.ticket_ids(_UNFINISHED, within=within)


def _left_alone(ticket: OrderTicket, order: Order | None, context: OrderContext) -> Order | None:
    """A ticket of another broker's account: this one cannot carry it out, nor say what became of it."""
    if order is None and ticket.status == "approved":
        reason = _elsewhere(ticket, context) or f"This desk does not trade the account {ticket.account}."
        context.ledger.advance_ticket(ticket.id, "denied", reason=reason, kind="ticket_denied")
    return order


def _cancellation_begun(ticket: OrderTicket, context: OrderContext) -> bool:
    """True when there is something to carry out: it was approved in time, and is not done yet."""
    _require_approved(ticket, "approved", "submitting", "unknown", "cancelled")
    if ticket.status == "approved":
        if not _still_valid(ticket, context):
            return False
        context.ledger.advance_ticket(ticket.id, "submitting", reason="", kind="cancellation_started")
    return ticket.status != "cancelled"


def _replacement_begun(ticket: OrderTicket, context: OrderContext) -> bool:
    """True when the order that a ticket replaces is to be cancelled now: nothing is known that would stop the new one.

    What would deny the new order denies it here, while the old one is still untouched.
    """
    _require_approved(ticket, "approved", "submitting", "unknown")
    ledger = context.ledger
    if ticket.status != "approved":
        return True
    if not _still_valid(ticket, context):
        return False
    _require_recorded(context)
    refused = _foreseen(ticket, context)
    if refused:
        ledger.advance_ticket(ticket.id, "denied", reason=refused, kind="ticket_denied")
        return False
    with ledger.journalled() as journal:
        return begin_replacement(journal, ticket) == "submitting"


def _foreseen(ticket: OrderTicket, context: OrderContext) -> str:
    """Why a ticket that replaces an order would be denied once that one has given way; empty when it would not."""
    ledger, market = context.ledger, context.market
    refused = _elsewhere(ticket, context) or ledger.standing_state(ticket.account).refusal(ticket)
    if refused:
        return refused
    old = ledger.order(ticket.replaces_order)
    instrument, quote = market.instrument(ticket.symbol), usable_quote(market, ticket.symbol)
    account, entries = ledger.standing(ticket.account, without=old.id)
    lately = ledger.activity(account.id, window=timedelta(seconds=context.limits.duplicate_seconds))
    recheck = _recheck(
        context, instrument, quote, marks_of(account, market, entries), apart_from=(ticket.id, old.ticket_id)
    )
    entries = replace(entries, activity=without(lately, old))
    return _moved(ticket, quote, instrument) or recheck(ticket, account, entries)


def _replaced(ticket: OrderTicket, context: OrderContext, broker: Broker) -> Order | None:
    """Send the new order of a ticket once the old one is proven ended."""
    ledger = context.ledger
    if not way_is_clear(ticket, context, broker):
        return None
    with ledger.claim(ticket.id):
        order, ticket = ledger.order_of(ticket.id), ledger.ticket(ticket.id)
        if order is not None:
            return look_up(order, ledger=ledger, broker=broker, clock=context.clock)
        if ticket.status not in {"submitting", "unknown"}:
            return None
        return _send(ticket, context, broker) if _still_valid(ticket, context) else None


def _require_approved(ticket: OrderTicket, *allowed: TicketStatus) -> None:
    if ticket.status not in allowed or ticket.decided_at is None:
        raise Conflict(f"Ticket {ticket.label} is {ticket.status}: only an approved ticket is carried out.")


def _still_valid(ticket: OrderTicket, context: OrderContext) -> bool:
    """Hash and time of an approved ticket; what is wrong is recorded on it."""
    ledger, now = context.ledger, context.clock.now()
    if ticket.seal() != ticket.hash:
        ledger.advance_ticket(ticket.id, "denied", reason=NOT_AS_DECIDED, kind="ticket_denied")
        return False
    deadline = _deadline(ticket)
    if now > deadline:
        reason = f"It was approved but not carried out before {deadline:%H:%M:%S} UTC, so nothing was sent."
        ledger.advance_ticket(ticket.id, "expired", reason=reason, kind="ticket_expired")
        return False
    if ticket.good_till is not None and now >= ticket.good_till:
        reason = f"It was good till {ticket.good_till:%Y-%m-%d %H:%M:%S} UTC, which is over, so nothing was sent."
        ledger.advance_ticket(ticket.id, "expired", reason=reason, kind="ticket_expired")
        return False
    return True


def _deadline(ticket: OrderTicket) -> datetime:
    decided_at = ticket.decided_at or ticket.created_at
    return max(ticket.expires_at, decided_at + _GRACE)


def _send(ticket: OrderTicket, context: OrderContext, broker: Broker) -> Order | None:
    ledger, market, limits = context.ledger, context.market, context.limits
    elsewhere = _elsewhere(ticket, context)
    if elsewhere:
        ledger.advance_ticket(ticket.id, "denied", reason=elsewhere, kind="ticket_denied")
        return None
    instrument, quote = market.instrument(ticket.symbol), usable_quote(market, ticket.symbol)
    account, entries = ledger.standing(ticket.account)
    marks = marks_of(account, market, entries)

    replaced = (ledger.order(ticket.replaces_order).ticket_id,) if ticket.replaces_order else ()
    recheck = _recheck(context, instrument, quote, marks, apart_from=(ticket.id, *replaced))
    refused = _moved(ticket, quote, instrument)
    if refused:
        ledger.advance_ticket(ticket.id, "denied", reason=refused, kind="ticket_denied")
        return None
    set_aside = reserve_price(intent_of(ticket), quote, limits)
    _require_recorded(context)
    window = timedelta(seconds=limits.duplicate_seconds)
    order = ledger.journal_submission(ticket.id, recheck, price=set_aside, fee=instrument.taker_fee, window=window)
    if order is None:
        return None
    try:
        order = _placed(order, ApprovedTicket(ticket), ledger, broker)
    except Exception:
        # The database, or a defect: until it has been looked up, nobody knows what the account holds.
        context.unrecorded.add(order.id)
        raise
    # The entry is on record; what of its exits cannot be seen to now is brought by `sync_fills`.
    try_protective(order, ledger=ledger, broker=broker)
    return order


def _recheck(
    context: OrderContext,
    instrument: Instrument,
    quote: Quote,
    marks: dict[str, Decimal],
    *,
    apart_from: tuple[str, ...],
) -> Callable[[OrderTicket, Account, OpenEntries], str]:
    """The whole review once more, over the account as it is then; it says why a ticket may not be sent.

    Args:
        apart_from: tickets that are no look-alikes of it.
    """

    def recheck(ticket: OrderTicket, account: Account, entries: OpenEntries) -> str:
        refused = context.gate(ticket)
        if refused:
            return f"{refused} Nothing was sent."
        situation = situation_of(account, instrument, quote, context.market, marks=marks, entries=entries)
        try:
            verdict = review(intent_of(ticket), situation, context.limits)
        except InvalidRequest as error:
            return str(error)
        return verdict.denial.message if verdict.denial else _repeated(ticket, entries, context.limits, apart_from)

    return recheck


def _placed(order: Order, approved: ApprovedTicket, ledger: Ledger, broker: Broker) -> Order:
    """Send a journalled order and write down what came of it."""
    try:
        seen = broker.place(approved)
    except OrderRejected as error:
        return ledger.record_unsettled(order.id, "rejected_by_venue", str(error))
    except OutcomeUnknown as error:
        return ledger.record_unsettled(order.id, "unknown", str(error))
    return ledger.record_venue_order(order.id, seen, broker.name)


def _require_recorded(context: OrderContext) -> None:
    if context.unrecorded:
        raise VenueUnavailable(
            f"What became of order {min(context.unrecorded)} could not be written down. Nothing was sent.",
            remedy="It is being looked up; free the database (disk full, locked?) and try again.",
        )


def _elsewhere(ticket: OrderTicket, context: OrderContext) -> str:
    """Why this desk's market is not the one the ticket was approved for; empty when it is."""
    if (ticket.market, ticket.mode) == (context.market.name, context.mode):
        return ""
    there = f"{ticket.market} ({ticket.mode})"
    return f"This ticket is for {there} and the desk now runs on {context.market.name} ({context.mode})."


def _repeated(ticket: OrderTicket, entries: OpenEntries, limits: RiskLimits, apart_from: tuple[str, ...]) -> str:
    """Why an order like one that was just sent is not sent too; empty when its ticket said so and a person meant it."""
    if ticket.look_alikes or entries.activity is None:
        return ""
    found = look_alikes(intent_of(ticket), entries.activity, limits, apart_from=apart_from)
    return f"{' '.join(found)} Nothing was sent; ask again if you mean it once more." if found else ""


def _moved(ticket: OrderTicket, quote: Quote, instrument: Instrument) -> str:
    """Why the price is not the one that was approved; empty while it is within the band."""
    low, high = ticket.price_band
    now = quote.taking(ticket.side)
    if low <= now <= high:
        return ""
    moved = abs(now / ticket.reference_price - 1) * 100
    band = max(high / ticket.reference_price - 1, 1 - low / ticket.reference_price) * 100
    return (
        f"The price moved {percent(moved)} since the quote and the band is {percent(band)}: "
        f"{price(ticket.reference_price, instrument)} then, {price(now, instrument)} now. Nothing was sent."
    )
