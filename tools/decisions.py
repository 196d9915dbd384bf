"""Why a ticket or an order is as it is: what the journal says of it, and nothing that it does not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.orders import LimitCheck, Order, OrderTicket
from engines.errors import NotFound, VenueError
from engines.market.data import MarketData
from tools import wording
from tools.subjects import Subject

_SEARCHED: Final = 200
# A figure in a sentence of the journal: not part of a name such as `T-3` or `v2`, nor of a time.
_FIGURE: Final = re.compile(r"(?<![\w.,:-])\d[\d,]*(?:\.\d+)?(?: ?%)?(?![\w:]|-\d)")
_REFUSED: Final = frozenset({"denied", "rejected", "rejected_by_venue", "expired", "not_accepted"})
_STATES: Final = {
    "pending": "waits for your decision; nothing was sent",
    "approved": "was approved and is being carried out",
    "submitting": "is being sent",
    "accepted": "rests at the venue",
    "partially_filled": "is filled in part and rests at the venue",
    "filled": "is filled",
    "cancelled": "was cancelled",
    "rejected": "was rejected by a person; nothing was sent",
    "expired": "expired before it was decided; nothing was sent",
    "superseded": "was replaced after an edit",
    "denied": "was denied before anything was sent",
    "rejected_by_venue": "was rejected by the venue",
    "unknown": "has an outcome that is not known yet; it is being looked up and is never sent again",
    "not_accepted": "never reached the venue's book",
    "needs_operator": "needs an operator: its outcome could not be found out",
}


@dataclass(frozen=True, slots=True)
class Denial:
    """An order that a limit stopped before it became a ticket."""

    time: datetime
    symbol: str
    side: str
    quantity: Decimal
    reason: str
    words: str


class DecisionReader(Protocol):
    """Reads what became of one owner's wishes; it can change nothing."""

    def tickets(self, *, limit: int) -> Sequence[OrderTicket]:
        """Tickets, newest first."""
        ...

    def newest_orders(self, *, limit: int) -> Sequence[Order]:
        """Orders, newest first."""
        ...

    def denials(self, *, limit: int) -> Sequence[Denial]:
        """Orders that a limit stopped, newest first."""
        ...


def explain_decision_of(market: MarketData, journal: DecisionReader, subject: Subject, symbol: str | None) -> Evidence:
    """What the journal says of a ticket, an order or a refusal; without a name, of the newest.

    Raises:
        NotFound: there is no such ticket or order; the message says what to ask for.
    """
    if subject.ticket:
        return _ticket(market, _named_ticket(journal, subject.ticket), subject)
    if subject.order_id:
        return _order(market, _named_order(journal, subject.order_id))
    tickets = [each for each in journal.tickets(limit=_SEARCHED) if symbol in {None, each.symbol}]
    denials = [each for each in journal.denials(limit=_SEARCHED) if symbol in {None, each.symbol}]
    if subject.denied:
        tickets = [each for each in tickets if each.status in _REFUSED]
    if denials and (not tickets or denials[0].time >= tickets[0].created_at):
        return _denial(market, denials[0])
    if tickets:
        return _ticket(market, tickets[0], subject)
    what = "was denied, rejected or left to expire" if subject.denied else "was asked for"
    raise NotFound(
        f"Nothing{f' on {symbol}' if symbol else ''} {what} in this account.",
        remedy="`open orders` lists what there is; a ticket is asked for by its label, such as `why T-3?`.",
    )


def _named_ticket(journal: DecisionReader, label: str) -> OrderTicket:
    tickets = journal.tickets(limit=_SEARCHED)
    found = next((ticket for ticket in tickets if ticket.label == label), None)
    if found is None:
        newest = f"The newest is {tickets[0].label}." if tickets else "There is none yet."
        raise NotFound(f"There is no ticket {label} among the newest {_SEARCHED} of this account.", remedy=newest)
    return found


def _named_order(journal: DecisionReader, order_id: str) -> Order:
    found = next((order for order in journal.newest_orders(limit=_SEARCHED) if order.id == order_id), None)
    if found is None:
        raise NotFound(
            f"There is no order {order_id!r} among the newest {_SEARCHED} of this account.",
            remedy="`open orders` lists those there are.",
        )
    return found


def _ticket(market: MarketData, ticket: OrderTicket, subject: Subject) -> Evidence:
    instrument = _instrument(market, ticket.symbol)
    values: dict[str, EvidenceValue] = {"label": wording.words(ticket.label, "ticket")}
    if ticket.kind == "cancel":
        what = "a cancellation"
    else:
        values["quantity"] = wording.quantity(ticket.quantity, f"{ticket.symbol} to {ticket.side}", instrument)
        what = f"{ticket.side} {{quantity}} {ticket.symbol}"
    state = f"{{label}} ({what}) {_STATES[ticket.status]}."
    why = f"The reason on record: {quoted(ticket.reason, 'reason', values)}" if ticket.reason else ""
    size = _size_line(ticket, instrument, values) if ticket.kind == "order" else ""
    first, *rest = [line for line in ((size, state, why) if subject.size and size else (state, why, size)) if line]
    lines = [*rest, _decided_line(ticket), *_readers_lines(ticket, values)]
    return _evidence(
        market, subject_text=ticket.label, symbol=ticket.symbol, headline=first, lines=lines, values=values
    )


def _size_line(ticket: OrderTicket, instrument: Instrument | None, values: dict[str, EvidenceValue]) -> str:
    """Where the quantity comes from: the person's words, and the limit that took something away."""
    values["words"] = wording.words(" ".join(ticket.user_words.split())[:160], "your words")
    said = 'from your words "{words}"' if ticket.user_words else "from what was asked for"
    cut = [check for check in ticket.risk.checks if not check.passed]
    if cut:
        check = cut[-1]
        values["asked"] = wording.quantity(cut[0].before, "asked for", instrument)
        limit = quoted(check.limit, "limit", values)
        return (
            f"The size of {{label}} is {{quantity}}: {{asked}} was read {said}, and the limit "
            f"{check.name.replace('_', ' ')} ({limit}) leaves no more."
        )
    used = max((check for check in ticket.risk.checks if check.used is not None), key=_used, default=None)
    if used is None or used.used is None:
        return f"The size of {{label}} is {{quantity}}, {said}; no limit took anything away."
    values["used"] = wording.percent(used.used, f"share of {used.name.replace('_', ' ')} used")
    return (
        f"The size of {{label}} is {{quantity}}, {said}; no limit took anything away (most used: "
        f"{used.name.replace('_', ' ')}, {{used}})."
    )


def _used(check: LimitCheck) -> Decimal:
    return check.used or Decimal(0)


def _decided_line(ticket: OrderTicket) -> str:
    if ticket.decided_at is None:
        until = f"{ticket.expires_at:%H:%M:%S} UTC"
        return f"It was made at {ticket.created_at:%Y-%m-%d %H:%M:%S} UTC and valid until {until}."
    return f"Decided by {ticket.decided_by} at {ticket.decided_at:%Y-%m-%d %H:%M:%S} UTC."


def _readers_lines(ticket: OrderTicket, values: dict[str, EvidenceValue]) -> list[str]:
    if not ticket.differences:
        return []
    values["differences"] = wording.words(" ".join(ticket.differences), "where the two readers differ")
    return ["The two readers differed: {differences}"]


def _denial(market: MarketData, denial: Denial) -> Evidence:
    instrument = _instrument(market, denial.symbol)
    values = {"quantity": wording.quantity(denial.quantity, f"{denial.symbol} asked for", instrument)}
    reason = quoted(denial.reason, "reason", values)
    headline = f"The order to {denial.side} {{quantity}} {denial.symbol} was denied: {reason}"
    lines = [f"That was at {denial.time:%Y-%m-%d %H:%M:%S} UTC. No ticket was made and nothing was sent."]
    if denial.words:
        values["words"] = wording.words(" ".join(denial.words.split())[:160], "your words")
        lines.append('You wrote: "{words}".')
    lines.append("Limits are set by whoever runs the desk; no message changes them.")
    return _evidence(
        market, subject_text="denied order", symbol=denial.symbol, headline=headline, lines=lines, values=values
    )


def _order(market: MarketData, order: Order) -> Evidence:
    instrument = _instrument(market, order.symbol)
    values = {
        "quantity": wording.quantity(order.quantity, f"{order.symbol} ordered", instrument),
        "filled": wording.quantity(order.filled, f"{order.symbol} filled", instrument),
    }
    headline = f"The order {order.id} ({order.side} {{quantity}} {order.symbol}) {_STATES[order.status]}."
    lines = [f"The reason on record: {quoted(order.reason, 'reason', values)}"] if order.reason else []
    if order.average_price is not None:
        values["average"] = wording.price(order.average_price, "average fill price", instrument)
        lines.append("Filled so far: {filled} at {average} on average.")
    else:
        lines.append("Filled so far: {filled}.")
    for name in ("limit_price", "stop_price"):
        level: Decimal | None = getattr(order, name)
        if level is not None and order.status in {"accepted", "partially_filled"}:
            values[name] = wording.price(level, name.replace("_", " "), instrument)
            lines.append(f"It waits for its {name.replace('_', ' ')} {{{name}}}.")
    return _evidence(market, subject_text=order.id, symbol=order.symbol, headline=headline, lines=lines, values=values)


def quoted(sentence: str, name: str, values: dict[str, EvidenceValue]) -> str:
    """A sentence of the journal with a reference for each of its figures, which are added to `values`."""

    def reference(match: re.Match[str]) -> str:
        key = f"{name}_{sum(each.startswith(f'{name}_') for each in values) + 1}"
        number = match[0].replace(",", "").rstrip("% ")
        values[key] = EvidenceValue(number, "percent" if "%" in match[0] else "points", match[0], "as recorded")
        return f"{{{key}}}"

    return _FIGURE.sub(reference, sentence.replace("{", "(").replace("}", ")"))


def _instrument(market: MarketData, symbol: str) -> Instrument | None:
    """What a ticket trades; None while this desk's market cannot tell."""
    try:
        return market.instrument(symbol)
    except (NotFound, VenueError):
        return None


def _evidence(
    market: MarketData,
    *,
    subject_text: str,
    symbol: str,
    headline: str,
    lines: Sequence[str],
    values: dict[str, EvidenceValue],
) -> Evidence:
    return Evidence(
        kind="explain",
        tool="explain_decision",
        arguments={"subject": subject_text, "symbol": symbol},
        symbol=symbol,
        timeframe=None,
        as_of=market.now().isoformat(),
        market=market.name,
        simulated=market.simulated,
        headline=headline,
        brief="\n".join(line for line in lines if line),
        values=values,
        next_steps=("Open orders", "My positions"),
    )
