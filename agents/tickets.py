"""Tickets and orders in words and as plain JSON, the same for the reply, the card and the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from agents.quoted import quoted
from engines.confirmation.confluence import TIMEFRAMES as EVIDENCE_TIMEFRAMES
from engines.confirmation.wording import lasting
from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.orders import Fill, Order, OrderTicket
from engines.ledger.book import currencies
from tools import wording

_NEVER_SENT = "Nothing is sent before you approve it on the ticket."


def ticket_json(
    ticket: OrderTicket, evidence: Evidence, order: Order | None = None, exits: tuple[Order, ...] = ()
) -> dict[str, Any]:
    """A ticket as clients get it: the sealed fields, what became of it, its orders, and one paragraph of text.

    Args:
        exits: the stop-losses and take-profits of `order`; of each kind the newest is told.
    """
    # Attempts of one instant are told apart by the number at the end of their ids.
    newest = {
        each.order_type: each for each in sorted(exits, key=lambda each: (each.created_at, len(each.id), each.id))
    }
    return {
        **ticket.sealed_content(),
        "hash": ticket.hash,
        "status": ticket.status,
        "reason": ticket.reason,
        "decided_by": ticket.decided_by,
        "decided_at": ticket.decided_at.isoformat() if ticket.decided_at else None,
        "superseded_by": ticket.superseded_by,
        "order": order_json(order) if order else None,
        "exits": [order_json(each) for each in newest.values()],
        "text": plain_text(evidence),
    }


def order_json(order: Order) -> dict[str, Any]:
    """An order with its fills as plain JSON: decimals as text, times as ISO 8601."""
    plain: dict[str, Any] = _plain(asdict(order))
    return plain


def fill_json(fill: Fill) -> dict[str, Any]:
    """A fill as plain JSON."""
    plain: dict[str, Any] = _plain(asdict(fill))
    return plain


def plain_text(evidence: Evidence) -> str:
    """Headline and brief in one paragraph, with the figures filled in."""
    text = " ".join(f"{evidence.headline} {evidence.brief}".split())
    for name, value in evidence.values.items():
        text = text.replace(f"{{{name}}}", value.text)
    return text


def ticket_evidence(ticket: OrderTicket, instrument: Instrument | None, *, edited: bool = False) -> Evidence:
    """A sealed ticket as evidence of kind `ticket`: what it would do, its limits, both readers, its validity.

    Args:
        instrument: puts prices on the market's tick; without it they are as the ticket has them.
        edited: a person changed it after the words were read.
    """
    values: dict[str, EvidenceValue] = {"label": wording.words(ticket.label, "ticket")}
    headline = _cancel_line(ticket, values) if ticket.kind == "cancel" else _order_line(ticket, instrument, values)
    lines = [
        _limits_line(ticket, values),
        _readers_line(ticket, values, edited=edited),
        _repetition_line(ticket, values),
        _validity_line(ticket, instrument, values),
    ]
    if ticket.kind == "order":
        lines.insert(0, _confluence_line(ticket, values))
    return Evidence(
        kind="ticket",
        tool="order_desk",
        arguments={"symbol": ticket.symbol},
        symbol=ticket.symbol,
        timeframe=None,
        as_of=ticket.quote_time.isoformat(),
        market=ticket.market,
        simulated=ticket.simulated,
        headline=headline,
        brief="\n".join([*(line for line in lines if line), _NEVER_SENT]),
        values=values,
        parameters={"ticket_id": ticket.id, "hash": ticket.hash, "limits_version": ticket.limits_version},
    )


def _order_line(ticket: OrderTicket, instrument: Instrument | None, values: dict[str, EvidenceValue]) -> str:
    base, currency = currencies(ticket.symbol)
    values |= {
        "quantity": wording.quantity(ticket.quantity, f"{base} to {ticket.side}", instrument),
        "notional": wording.money(ticket.notional, f"value of the order, {currency}"),
        "fee": wording.money(ticket.estimated_fee, f"estimated fee, {ticket.fee_currency}"),
        "reference": wording.price(ticket.reference_price, "price when it was made", instrument),
    }
    how = "at market"
    for name in ("limit_price", "stop_price", "stop_loss", "take_profit"):
        level: Decimal | None = getattr(ticket, name)
        if level is not None:
            values[name] = wording.price(level, name.replace("_", " "), instrument)
    if ticket.order_type == "limit":
        how = "at limit {limit_price}"
    elif ticket.order_type == "stop":
        how = "once {stop_price} trades"
    parts = [
        f"{ticket.label}: {ticket.side.capitalize()} {{quantity}} {ticket.symbol} {how}, "
        f"about {{notional}} {currency} + {{fee}} {ticket.fee_currency} fee"
    ]
    if ticket.replaces_order:
        filled = f", of which {{replaced_filled}} {base} had filled" if ticket.replaced_filled else ""
        if ticket.replaced_filled:
            told = f"{base} of the order before that had filled"
            values["replaced_filled"] = wording.quantity(ticket.replaced_filled, told, instrument)
        values["replaced"] = wording.words(ticket.replaced_words, "the order whose place it takes")
        parts.append(f"in the place of {{replaced}} ({ticket.replaces_order}){filled}, which is cancelled first")
    parts += [good] if (good := _good_for(ticket)) else []
    parts += _exits(ticket, currency, values)
    if ticket.reduce_only:
        parts.append("only reduces the position")
    return " · ".join([*parts, f"{ticket.mode} account"]) + "."


def _good_for(ticket: OrderTicket) -> str:
    """How long it may stay open, where that is not what its type does by itself."""
    if ticket.good_till is not None:
        day = "for today only, " if ticket.time_in_force == "DAY" else ""
        return f"{day}good till {ticket.good_till:%Y-%m-%d %H:%M} UTC, when this desk cancels what is open of it"
    if ticket.order_type == "market":
        return "fill or kill" if ticket.time_in_force == "FOK" else ""
    return {"IOC": "immediate or cancel", "FOK": "fill or kill"}.get(ticket.time_in_force, "")


def _exits(ticket: OrderTicket, currency: str, values: dict[str, EvidenceValue]) -> Iterator[str]:
    """Stop-loss and take-profit, with what is lost at the one, R, and gained at the other in R."""
    stake = ticket.stake
    if ticket.stop_loss is not None:
        told = "stop-loss {stop_loss}"
        if stake is not None:
            values["risk"] = wording.money(stake.loss, f"loss at the stop with both fees, {currency}")
            told += f" (R is {{risk}} {currency}"
            if stake.share is not None:
                values["share"] = wording.percent(stake.share, "loss at the stop, share of the account")
                told += ", {share} of the account"
            told += ")"
        if ticket.stop_note:
            note, measured = quoted(ticket.stop_note, "in how the stop-loss came to its price", stem="stop_note")
            values |= measured
            told += f", {note}"
        yield told
    if ticket.take_profit is not None:
        told = "take-profit {take_profit}"
        if stake is not None and stake.reward is not None:
            values["reward"] = EvidenceValue(
                float(stake.reward), "ratio", f"{stake.reward:+.1f}", "gain at the target, in R"
            )
            told += " ({reward}R)"
        yield told


def _cancel_line(ticket: OrderTicket, values: dict[str, EvidenceValue]) -> str:
    named = []
    for number, (words, order_id) in enumerate(zip(ticket.cancelled_words, ticket.cancels, strict=True), 1):
        told, of_order = quoted(words, f"of order {order_id}", stem=f"order_{number}")
        values |= of_order
        named.append(f"{told} ({order_id})")
    orders = named[0] if len(named) == 1 else "these orders: " + "; ".join(named)
    return f"{ticket.label}: Cancel {orders} · {ticket.mode} account."


def _confluence_line(ticket: OrderTicket, values: dict[str, EvidenceValue]) -> str:
    score = ticket.confluence.score
    if score is None:
        return f"Evidence on {ticket.label}: none could be read."
    pro = sum(argument.weight > 0 for argument in ticket.confluence.arguments)
    contra = sum(argument.weight < 0 for argument in ticket.confluence.arguments)
    values |= {
        "evidence": EvidenceValue(score, "ratio", f"{score:+.2f}", "evidence for the ticket's side, from -1 to 1"),
        "for": wording.count(pro, "arguments for it"),
        "against": wording.count(contra, "arguments against it"),
    }
    read = " and ".join(EVIDENCE_TIMEFRAMES)
    told = f"Evidence on {ticket.label} from {read}, weighed: {{evidence}} ({{for}} for, {{against}} against)."
    if ticket.confluence.turns:
        values["turn"] = wording.words(ticket.confluence.turns[0], "what would end the strongest argument for it")
        told += " It would weaken with {turn}."
    if ticket.confluence.missing:
        values["missing"] = wording.count(len(ticket.confluence.missing), "sources missing or too old to count")
        told += " {missing} missing or too old to count."
    return told


def _limits_line(ticket: OrderTicket, values: dict[str, EvidenceValue]) -> str:
    used = [check for check in ticket.risk.checks if check.used is not None]
    if not used:
        return ""
    most = max(used, key=lambda check: check.used or Decimal(0))
    assert most.used is not None
    values["used"] = wording.percent(most.used, f"share of {most.name.replace('_', ' ')} used")
    cut = next((check for check in ticket.risk.checks if not check.passed), None)
    if cut is not None:
        base = currencies(ticket.symbol)[0]
        values["asked"] = wording.quantity(cut.before, f"{base} asked for before", None)
        return f"Limits: reduced from {{asked}} {base} by the limit {cut.name.replace('_', ' ')}; the rest passed."
    return f"Limits: all passed, most used is {most.name.replace('_', ' ')} ({{used}})."


def _readers_line(ticket: OrderTicket, values: dict[str, EvidenceValue], *, edited: bool) -> str:
    if ticket.differences:
        values["differences"] = wording.words(" ".join(ticket.differences), "where the two readers differ")
        return "The two readers differ: {differences} Look at it closely before you approve."
    if not ticket.user_words:
        return ""
    values["words"] = wording.words(_quoted(ticket.user_words), "your words")
    return 'You wrote: "{words}"; ' + ("edited on the ticket since." if edited else "both readers agree.")


def _repetition_line(ticket: OrderTicket, values: dict[str, EvidenceValue]) -> str:
    if not ticket.look_alikes:
        return ""
    values["look_alikes"] = wording.words(" ".join(ticket.look_alikes), "orders like it that were just sent")
    return "You may have sent this already: {look_alikes} Approve it only if you mean it once more."


def _quoted(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= 160 else f"{words[:159]}…"


def _validity_line(ticket: OrderTicket, instrument: Instrument | None, values: dict[str, EvidenceValue]) -> str:
    span = lasting(ticket.expires_at - ticket.created_at)
    if ticket.kind == "cancel":
        return f"Valid for {span}."
    low, high = ticket.price_band
    values["lowest"] = wording.price(low, "lowest price it is valid at", instrument)
    values["highest"] = wording.price(high, "highest price it is valid at", instrument)
    return f"Valid while the market stays between {{lowest}} and {{highest}}, and for {span}."


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
