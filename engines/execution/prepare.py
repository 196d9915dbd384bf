"""From an intent to a sealed ticket that waits for a person."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final, Literal

from engines.confirmation.risk import LOSS_RULES, Situation, look_alikes, order_price, review
from engines.confirmation.sizing import stake_of, with_measured_stop
from engines.confirmation.wording import order_in_words, quantity
from engines.domain.instruments import Instrument
from engines.domain.orders import (
    OPEN_ORDER_STATUSES,
    Confluence,
    Holder,
    Order,
    OrderIntent,
    OrderTicket,
    RiskVerdict,
    TimeInForce,
)
from engines.errors import Conflict, InvalidRequest, RiskDenied
from engines.execution.context import OrderContext
from engines.execution.expiry import with_validity
from engines.execution.intake import normalised
from engines.execution.reduction import as_reduced, largest_offer, offer
from engines.execution.replacing import replaced_order, with_replaced, without
from engines.execution.situation import marks_of, situation_of, usable_quote

# How the audit calls whatever restricts an account by itself.
RISK_ENGINE: Final = "the risk engine"


@dataclass(frozen=True, slots=True)
class TicketEdits:
    """What a person changes on a ticket; None leaves a field as it is.

    Attributes:
        quantity: in base units.
        stop_loss, take_profit: 0 takes it off.
        good_till: makes it `GTD`; every other time in force takes the date off.
    """

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    time_in_force: TimeInForce | None = None
    good_till: datetime | None = None


def prepare_ticket(intent: OrderIntent, context: OrderContext, *, owner: str) -> OrderTicket:
    """Review an intent and seal it as a pending ticket.

    intent -> the market's numbers -> risk review -> evidence for and against -> seal -> ledger.

    Raises:
        InvalidRequest: the intent makes no sense; `NotFound` for an unknown symbol, account or order.
        RiskDenied: a limit says no, which is audited; `largest` is the quantity that would pass.
        VenueUnavailable: there is no price.
    """
    return _sealed(intent, context, owner=owner, replaces=None)


def edit_ticket(
    ticket_id: str, ticket_hash: str, edits: TicketEdits, context: OrderContext, *, by: str, owner: str
) -> OrderTicket:
    """Replace a pending ticket by an edited one, which needs its own approval.

    The edited order passes the whole review again. The old ticket is superseded and the new one sealed in
    one transaction; when the edit is refused, the old one stays as it was.

    Raises:
        Conflict, Expired: the ticket cannot be edited any more, or the hash is not its own.
        InvalidRequest, RiskDenied, VenueUnavailable: as `prepare_ticket`.
    """
    ticket = context.ledger.ticket(ticket_id, owner)
    if ticket.kind != "order":
        raise InvalidRequest("A cancellation cannot be edited.", remedy="Reject it and ask again.")
    context.ledger.require_decidable(ticket_id, ticket_hash, owner)
    return _sealed(edited_intent(ticket, edits), context, owner=owner, replaces=(ticket_id, ticket_hash, by))


def intent_of(ticket: OrderTicket) -> OrderIntent:
    """What a ticket asks for, in base units."""
    shared = set(OrderIntent.__slots__) & set(OrderTicket.__slots__)
    return OrderIntent(**{name: getattr(ticket, name) for name in shared}, unit="base")


def edited_intent(ticket: OrderTicket, edits: TicketEdits) -> OrderIntent:
    """The ticket's order with the edits applied."""
    given = {name: value for name in TicketEdits.__slots__ if (value := getattr(edits, name)) is not None}
    if not given:
        raise InvalidRequest("Nothing was edited.", remedy="Give a quantity or a price, or approve the ticket.")
    taken_off = {name for name in ("stop_loss", "take_profit") if given.get(name) == 0}
    edited = replace(intent_of(ticket), **{**given, **dict.fromkeys(taken_off)})
    if edits.good_till is not None and edits.time_in_force is None:
        return replace(edited, time_in_force="GTD")
    return replace(edited, good_till=edits.good_till) if edits.time_in_force is not None else edited


def _sealed(
    intent: OrderIntent, context: OrderContext, *, owner: str, replaces: tuple[str, str, str] | None
) -> OrderTicket:
    if intent.kind == "cancel":
        draft = _cancellation(intent, context, owner)
    else:
        draft = _order(intent, context, owner)
    return context.ledger.seal(draft, replaces=replaces)


def _order(intent: OrderIntent, context: OrderContext, owner: str) -> OrderTicket:
    old = replaced_order(intent, context, owner)
    account, entries = context.ledger.standing(intent.account, owner, without=old.id if old else "")
    instrument = context.market.instrument(intent.symbol)
    if instrument.quote != account.currency:
        raise InvalidRequest(
            f"{intent.symbol} trades against {instrument.quote} and this account holds {account.currency}.",
            remedy=f"Choose a symbol that ends in /{account.currency}.",
        )
    _require_settled(intent, context)
    quote = usable_quote(context.market, intent.symbol)
    situation = situation_of(
        account,
        instrument,
        quote,
        context.market,
        marks=marks_of(account, context.market, entries),
        entries=entries,
    )
    situation = _with_activity(situation, context, old)
    intent, stop_note = with_measured_stop(intent, instrument, quote, context.market)
    intent = with_validity(normalised(intent, instrument, quote, situation.equity), context.clock.now())
    _require_permitted(intent, context, owner)
    verdict = review(intent, situation, context.limits)
    if verdict.denial is not None:
        raise _denied(intent, situation, verdict, context, owner)
    verdict = as_reduced(intent, verdict, context)
    draft = _draft(intent, context, owner, situation, verdict, apart_from=(old.ticket_id,) if old else ())
    return replace(with_replaced(draft, old), stop_note=stop_note)


def _require_permitted(intent: OrderIntent, context: OrderContext, owner: str) -> None:
    # What a person has to lift is told before what the desk's next comparison may lift by itself.
    reason = context.ledger.standing_state(intent.account).refusal(intent)
    if reason:
        _record_denial(intent, context, owner, reason)
        raise RiskDenied(reason, remedy="Resume trading first: POST /v1/resume or `quantum-trader resume REASON`.")
    closed = context.gate(intent)
    if closed:
        _record_denial(intent, context, owner, closed)
        raise RiskDenied(closed)


def _record_denial(intent: OrderIntent, context: OrderContext, owner: str, reason: str, **more: Any) -> None:
    told = {"symbol": intent.symbol, "side": intent.side, "quantity": format(intent.quantity, "f"), **more}
    context.ledger.record_denial(
        intent.account,
        owner=owner,
        thread_id=intent.thread_id,
        reason=reason,
        intent={**told, "words": intent.user_words},
    )


def _denied(
    intent: OrderIntent, situation: Situation, verdict: RiskVerdict, context: OrderContext, owner: str
) -> RiskDenied:
    reason = verdict.checks[-1].message
    largest = largest_offer(intent, situation, context.limits)
    _record_denial(intent, context, owner, reason, **offer(verdict.checks[-1], largest))
    if verdict.checks[-1].name in LOSS_RULES:
        context.ledger.change_state("reducing", reason=reason, by=RISK_ENGINE, account=intent.account)
    kept = ", with the same stop-loss" if intent.stop_loss is not None else ""
    remedy = f"The largest order that passes now is {quantity(largest, situation.instrument)}{kept}." if largest else ""
    return RiskDenied(reason, remedy=remedy, largest=largest)


def _draft(
    intent: OrderIntent,
    context: OrderContext,
    owner: str,
    situation: Situation,
    verdict: RiskVerdict,
    *,
    apart_from: tuple[str, ...],
) -> OrderTicket:
    instrument, quote = situation.instrument, situation.quote
    reference = quote.taking(intent.side)
    notional = intent.quantity * order_price(intent, quote)
    rests = intent.limit_price is not None and not crosses(intent, reference)
    fee = notional * (instrument.maker_fee if rests else instrument.taker_fee)
    blank = _blank(intent, context, owner)
    return replace(
        blank,
        exits_held_by=_holder(blank, context),
        reference_price=reference,
        quote_time=quote.time,
        price_band=_band(reference, context.price_band_percent, instrument),
        notional=notional,
        estimated_fee=fee,
        fee_currency=instrument.quote,
        risk=verdict,
        confluence=context.confluence(intent.side, intent.symbol),
        stake=stake_of(intent, instrument, quote, situation.equity),
        look_alikes=look_alikes(intent, situation.activity, context.limits, apart_from=apart_from)
        if situation.activity
        else (),
    )


def _holder(ticket: OrderTicket, context: OrderContext) -> Holder | Literal[""]:
    """Who will hold a ticket's exits; empty where it has none, or where nobody asks."""
    exits = ticket.stop_loss is not None or ticket.take_profit is not None
    if context.holds_protection is None or not exits:
        return ""
    return "venue" if context.holds_protection(ticket) else "desk"


def _with_activity(situation: Situation, context: OrderContext, old: Order | None) -> Situation:
    """Look at the account's equity, then at what it did lately."""
    ledger, account = context.ledger, situation.account.id
    # The day of the whole market, as the watch of the losses counts it: a symbol's own time may end earlier.
    day = f"{context.market.now():%Y-%m-%d}"
    ledger.observe_equity(account, situation.equity, day, movements=situation.account.movements)
    window = timedelta(seconds=context.limits.duplicate_seconds)
    return replace(situation, activity=without(ledger.activity(account, window=window), old))


def crosses(intent: OrderIntent, reference: Decimal) -> bool:
    """True when a limit order would fill at once at the price that its side meets."""
    limit = intent.limit_price
    return limit is not None and (limit >= reference if intent.side == "buy" else limit <= reference)


def _cancellation(intent: OrderIntent, context: OrderContext, owner: str) -> OrderTicket:
    context.ledger.account(intent.account, owner)
    if not intent.cancels:
        raise InvalidRequest("There is no open order to cancel.")
    orders = [_open_order(order_id, intent.account, context, owner) for order_id in dict.fromkeys(intent.cancels)]
    ticket = _blank(replace(intent, cancels=tuple(order.id for order in orders)), context, owner)
    return replace(ticket, quantity=Decimal(0), cancelled_words=tuple(order_in_words(order) for order in orders))


def _open_order(order_id: str, account: str, context: OrderContext, owner: str) -> Order:
    order = context.ledger.order(order_id, owner)
    if order.account != account:
        # Another broker has it: this desk cannot cancel it, nor say what became of it.
        raise InvalidRequest(f"Order {order.id} belongs to the account {order.account}, not to {account}.")
    if order.status not in OPEN_ORDER_STATUSES:
        raise InvalidRequest(f"Order {order.id} is {order.status}: there is nothing left to cancel.")
    return order


def _require_settled(intent: OrderIntent, context: OrderContext) -> None:
    for order in context.ledger.orders(intent.account, status="open", symbol=intent.symbol):
        if order.status in {"unknown", "needs_operator"}:
            asked = (
                "It is being looked up by its id and" if order.status == "unknown" else "Look at the venue for it; it"
            )
            raise Conflict(
                f"It is not known yet whether order {order.id} is live. New orders on {intent.symbol} wait until this "
                f"is settled.",
                remedy=f"{asked} will not be sent again.",
            )


def _blank(intent: OrderIntent, context: OrderContext, owner: str) -> OrderTicket:
    """A draft with what every kind of ticket has."""
    now = context.clock.now()
    ticket_id = f"tkt-{secrets.token_hex(12)}"
    zero = Decimal(0)
    own = {name: getattr(intent, name) for name in set(OrderIntent.__slots__) - {"unit", "stop_atr"}}
    return OrderTicket(
        **own,
        id=ticket_id,
        label="",
        owner=owner,
        mode=context.mode,
        market=context.market.name,
        simulated=context.market.simulated,
        reference_price=zero,
        quote_time=now,
        price_band=(zero, zero),
        notional=zero,
        estimated_fee=zero,
        fee_currency="",
        risk=RiskVerdict("approved", zero, ()),
        confluence=Confluence(None),
        limits_version=context.limits.version,
        created_at=now,
        expires_at=now + timedelta(seconds=context.ticket_seconds),
        client_order_id=client_order_id(ticket_id),
    )


def client_order_id(ticket_id: str) -> str:
    """The id a venue knows a ticket's order by: a function of the ticket alone; venues take 32 characters."""
    return f"qtp-{hashlib.sha256(ticket_id.encode()).hexdigest()[:24]}"


def _band(reference: Decimal, percent: Decimal, instrument: Instrument) -> tuple[Decimal, Decimal]:
    tick, width = instrument.tick_size, reference * percent / 100
    low = ((reference - width) / tick).to_integral_value(ROUND_FLOOR) * tick
    high = ((reference + width) / tick).to_integral_value(ROUND_CEILING) * tick
    return low, high
