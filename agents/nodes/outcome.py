"""What became of a ticket, in words made from records alone; no model has a say in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from agents.quoted import quoted
from agents.receipts import qualified
from agents.services import Services, number_of
from agents.state import EvidenceRecord, Outcome, record_evidence
from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.orders import Fill, Order, OrderTicket
from engines.errors import QuantumTraderError
from tools import wording

NEXT_STEPS: Final = ("My positions", "Open orders")

_AT_ONCE: Final = {
    "FOK": "fill or kill, and its whole quantity was not to be had at once",
    "IOC": "immediate or cancel, and none of it was to be had at once",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """An outcome and the evidence its figures point at."""

    said: Outcome
    evidence: list[EvidenceRecord]


def carried_out(services: Services, ticket: OrderTicket, order: Order | None) -> Settled:
    """What a submitted ticket led to, from its order and fills."""
    if ticket.status in {"denied", "expired"}:
        return undone_outcome(services, ticket)
    if ticket.kind == "order" and order is None:
        waits = "The new order is sent once the old one is known to have ended."
        return _settled(services, ticket, f"{_decided(ticket)} {_sentence(ticket.reason)} {waits}".strip(), {})
    if ticket.kind == "cancel" or order is None:
        cancelled, figures = _cancelled(services, ticket)
        return _settled(services, ticket, f"{_decided(ticket)} {cancelled}".strip(), figures)
    instrument = services.market.instrument(ticket.symbol)
    values = _values(order, instrument)
    told = f"{_before(services, ticket)} {_order_sentence(order, instrument, ticket.time_in_force)}".strip()
    parts = [_decided(ticket), told, *after_fill(services, ticket, order, values)]
    return _settled(services, ticket, " ".join(part for part in parts if part), values, fills=order.fills)


def undone_outcome(services: Services, ticket: OrderTicket) -> Settled:
    """What is said of a ticket with nothing to carry out: rejected, expired, edited or denied."""
    if ticket.status == "rejected":
        return _settled(services, ticket, f"{ticket.label} rejected{_by(ticket)}. Nothing was sent.", {})
    if ticket.status == "superseded" and ticket.superseded_by:
        return _edited(services, ticket, services.ticket(ticket.superseded_by, ticket.owner))
    if ticket.status == "denied" or ticket.decided_at is not None:
        said = f"{_decided(ticket)} Not carried out: {_sentence(ticket.reason)}{_before(services, ticket)}"
        return _settled(services, ticket, said, {})
    expired = f"{ticket.label} expired at {wording.clock_text(ticket.expires_at)}. Nothing was sent."
    return _settled(services, ticket, f"{expired} Ask again for a fresh one.", {})


def failed_outcome(services: Services, ticket: OrderTicket, error: QuantumTraderError) -> Settled:
    """What is said when an approved ticket could not be carried out."""
    words = str(error)
    if ticket.status == "approved":
        wait = "Nothing was sent; it is tried again while the approval lasts."
        return _settled(services, ticket, f"{_decided(ticket)} Not carried out yet: {_sentence(words)} {wait}", {})
    return _settled(services, ticket, f"{_decided(ticket)} Not carried out: {_sentence(words)}", {})


def _edited(services: Services, ticket: OrderTicket, replacement: OrderTicket) -> Settled:
    evidence, record = services.ticket_record(replacement, tool_call_id=ticket.id, turn="")
    text = f"{ticket.label} was edited and is replaced by {replacement.label}, which needs its own approval.\n\n"
    text += qualified(f"{evidence.headline}\n{evidence.brief}", record["id"])
    successor = replacement.id if replacement.status == "pending" else ""
    said = Outcome(ticket_id=ticket.id, text=text, said=False, successor=successor)
    return Settled(said, [record])


def _settled(
    services: Services,
    ticket: OrderTicket,
    text: str,
    values: dict[str, EvidenceValue],
    *,
    fills: tuple[Fill, ...] = (),
) -> Settled:
    evidence = execution_evidence(
        ticket, text, values, as_of=services.clock.now(), order_id=ticket.client_order_id, fills=fills
    )
    number = number_of(ticket)
    record = record_evidence(evidence, number=number, tool_call_id=ticket.id, turn="")
    said = Outcome(ticket_id=ticket.id, text=qualified(text, record["id"]), said=False, successor="")
    return Settled(said, [record])


def execution_evidence(
    ticket: OrderTicket,
    text: str,
    values: dict[str, EvidenceValue],
    *,
    as_of: datetime,
    order_id: str,
    fills: tuple[Fill, ...],
) -> Evidence:
    """What the desk tells of a ticket's execution, with its figures.

    Args:
        fills: those that the figures rest on; whoever tells of later ones leaves these out.
    """
    return Evidence(
        kind="fill",
        tool="execution",
        arguments={"ticket": ticket.label},
        symbol=ticket.symbol,
        timeframe=None,
        as_of=as_of.isoformat(),
        market=ticket.market,
        simulated=ticket.simulated,
        headline=text,
        brief="",
        values=values,
        parameters={"ticket_id": ticket.id, "client_order_id": order_id, "fills": [fill.id for fill in fills]},
        next_steps=NEXT_STEPS,
    )


def _values(order: Order, instrument: Instrument) -> dict[str, EvidenceValue]:
    values = {"quantity": wording.quantity(order.quantity, f"{instrument.base} ordered", instrument)}
    if order.filled:
        values["filled"] = wording.quantity(order.filled, f"{instrument.base} filled", instrument)
        values |= fees_of(order.fills)[1]
    if order.average_price is not None:
        values["average"] = wording.price(order.average_price, "average fill price", instrument)
    for name, label in (("limit_price", "limit"), ("stop_price", "stop")):
        level: Decimal | None = getattr(order, name)
        if level is not None:
            values[label] = wording.price(level, f"{label} price", instrument)
    return values


def fees_of(fills: tuple[Fill, ...]) -> tuple[str, dict[str, EvidenceValue]]:
    """What fills cost, currency by currency: `fee {fee_USDT} USDT and {fee_BNB} BNB`, and what the names stand for."""
    paid: dict[str, Decimal] = {}
    for fill in fills:
        paid[fill.fee_currency] = paid.get(fill.fee_currency, Decimal(0)) + fill.fee
    values = {f"fee_{currency}": wording.money(fee, f"fee paid, {currency}") for currency, fee in paid.items()}
    return "fee " + " and ".join(f"{{fee_{currency}}} {currency}" for currency in paid), values


def _order_sentence(order: Order, instrument: Instrument, time_in_force: str) -> str:
    base = instrument.base
    done = "Bought" if order.side == "buy" else "Sold"
    fills = f"at {{average}} average, {fees_of(order.fills)[0]}" if order.fills else ""
    level = " at limit {limit}" if order.limit_price else " once {stop} trades" if order.stop_price else ""
    match order.status:
        case "filled":
            return f"Filled {{filled}} {base} {fills}."
        case "partially_filled":
            return f"Filled {{filled}} of {{quantity}} {base} {fills}; the rest is resting."
        case "accepted":
            return f"The order is resting: {order.side} {{quantity}} {base}{level}. Nothing is filled yet."
        case "cancelled" if order.filled:
            return f"{done} {{filled}} of {{quantity}} {base} {fills}; the rest was cancelled."
        case "cancelled" if time_in_force in _AT_ONCE:
            return f"Nothing was filled: it was {_AT_ONCE[time_in_force]}."
        case "cancelled":
            return "The order was cancelled with nothing filled."
        case "rejected_by_venue":
            return f"The venue refused it: {_sentence(order.reason)} Nothing was filled."
        case "not_accepted":
            return f"The venue never took order {order.id}. Nothing was filled."
        case "needs_operator":
            unsettled = f"It could not be settled whether order {order.id} is live; look it up at the venue."
            return f"{unsettled} It will not be sent again."
        case _:
            return (
                f"It is not known yet whether order {order.id} is live: the venue's answer was cut off. It is being "
                f"looked up by its id and will not be sent again. New orders on {order.symbol} wait until then."
            )


def after_fill(services: Services, ticket: OrderTicket, order: Order, values: dict[str, EvidenceValue]) -> list[str]:
    """Protective orders and the position, as the ledger has them now."""
    if not order.filled:
        return []
    instrument = services.market.instrument(ticket.symbol)
    parts = []
    for resting in services.protective_orders(ticket, order):
        name = "stop_loss" if resting.order_type == "stop" else "take_profit"
        level = resting.stop_price if resting.order_type == "stop" else resting.limit_price
        if level is not None:
            values[name] = wording.price(level, name.replace("_", "-"), instrument)
            parts.append(f"{'Stop' if name == 'stop_loss' else 'Take-profit'} resting at {{{name}}}.")
    return [*parts, position_sentence(services, ticket, instrument, values)]


def position_sentence(
    services: Services, ticket: OrderTicket, instrument: Instrument, values: dict[str, EvidenceValue]
) -> str:
    """What the ticket's account holds now of what it traded."""
    held = services.position(ticket.account, ticket.symbol)
    values["position"] = wording.quantity(held, f"{instrument.base} held", instrument)
    return f"Position: {{position}} {instrument.base}." if held else "The position is closed."


def _cancelled(services: Services, ticket: OrderTicket) -> tuple[str, dict[str, EvidenceValue]]:
    """What became of each order that was to be cancelled, and the figures in it."""
    if ticket.status != "cancelled":
        return f"The cancellation is not settled yet: {_sentence(ticket.reason)} It is being looked up.", {}
    sentences: list[str] = []
    values: dict[str, EvidenceValue] = {}
    for number, (order_id, words) in enumerate(zip(ticket.cancels, ticket.cancelled_words, strict=True), 1):
        order = services.order(order_id, ticket.owner)
        told, figures = quoted(words, f"of order {order_id}", stem=f"order_{number}")
        values |= figures
        sentences.append(f"Order {order_id}, {told}, is {order.status.replace('_', ' ')}.")
        if order.status == "cancelled" and order.parent_id is not None and order.stop_price is not None:
            sentences.append("What it guarded is held without a stop-loss now; none takes its place.")
    return " ".join(sentences), values


def _before(services: Services, ticket: OrderTicket) -> str:
    """What became of the order whose place this one takes."""
    if not ticket.replaces_order or ticket.decided_at is None or ticket.status == "rejected":
        return ""
    old = services.order(ticket.replaces_order, ticket.owner)
    return f" Order {old.id}, whose place it takes, is {old.status.replace('_', ' ')}."


def _decided(ticket: OrderTicket) -> str:
    return f"Approved{_by(ticket)}." if ticket.decided_at is not None else ""


def _by(ticket: OrderTicket) -> str:
    if ticket.decided_at is None:
        return ""
    # A caller with an API key decides as "owner (key id)".
    who = "you" if ticket.decided_by.partition(" (key ")[0] == ticket.owner else ticket.decided_by
    return f" at {wording.clock_text(ticket.decided_at)} by {who}"


def _sentence(text: str) -> str:
    text = text.replace("{", "(").replace("}", ")").strip() or "no reason was given"
    return text if text.endswith((".", "!", "?")) else f"{text}."
