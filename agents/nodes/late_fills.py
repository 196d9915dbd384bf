"""Fills that come after the answer to a decision, in words made from records alone; no model has a say in them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from agents.nodes.outcome import after_fill, execution_evidence, fees_of, position_sentence
from agents.receipts import Rendered, qualified, render
from agents.services import Services, number_of
from agents.state import record_evidence
from engines.domain.evidence import EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.orders import Fill, Order, OrderTicket
from engines.errors import NotFound, VenueError
from tools import wording


@dataclass(frozen=True, slots=True)
class LateFills:
    """What an order's new fills come to.

    Attributes:
        order: as the ledger has it, later fills included.
        fills: those to be told of, at least one; consecutive ones of the order.
    """

    order: Order
    fills: tuple[Fill, ...]

    @property
    def quantity(self) -> Decimal:
        """What these fills come to, base units."""
        return sum((fill.quantity for fill in self.fills), Decimal(0))

    @property
    def average(self) -> Decimal:
        """Their average price, quote units."""
        return sum((fill.quantity * fill.price for fill in self.fills), Decimal(0)) / self.quantity

    @property
    def so_far(self) -> Decimal:
        """What the order had filled once the last of them was done, base units."""
        ids = [fill.id for fill in self.order.fills]
        until = ids.index(self.fills[-1].id) + 1
        return sum((fill.quantity for fill in self.order.fills[:until]), Decimal(0))


def tell_late_fills(services: Services, ticket: OrderTicket, late: LateFills) -> Rendered:
    """What filled of a ticket's order, at what price and fee, each figure with its receipt. Blocks."""
    instrument = _instrument(services, ticket.symbol)
    base = ticket.symbol.partition("/")[0]
    values = {
        "quantity": wording.quantity(late.quantity, f"{base} filled", instrument),
        "average": wording.price(late.average, "average fill price", instrument),
    }
    fees, paid = fees_of(late.fills)
    values |= paid
    told = f"{ticket.label}: {_what(late.order)} {{quantity}} {base} at {{average}}, {fees}."
    parts = [told, _rest(late, base, instrument, values)]
    parts += _standing(services, ticket, late.order, instrument, values)
    text = " ".join(part for part in parts if part)
    newest = late.fills[-1]
    evidence = execution_evidence(ticket, text, values, as_of=newest.time, order_id=late.order.id, fills=late.fills)
    record = record_evidence(evidence, number=number_of(ticket), tool_call_id=newest.id, turn="")
    return render(qualified(record["headline"], record["id"]), [record])


def _standing(
    services: Services,
    ticket: OrderTicket,
    order: Order,
    instrument: Instrument | None,
    values: dict[str, EvidenceValue],
) -> list[str]:
    """What holds the position now and how large it is; nothing where the market cannot be asked for its steps."""
    if instrument is None:
        return []
    if order.parent_id is None:
        return after_fill(services, ticket, order, values)
    # The exit beside this one is about to end, if it has not yet: that it still rests would mislead.
    return [position_sentence(services, ticket, instrument, values)]


def _what(order: Order) -> str:
    done = "bought" if order.side == "buy" else "sold"
    if order.parent_id is None:
        return done.capitalize()
    return f"{'Its stop-loss' if order.order_type == 'stop' else 'Its take-profit'} {done}"


def _rest(late: LateFills, base: str, instrument: Instrument | None, values: dict[str, EvidenceValue]) -> str:
    """How much of the order has filled, unless these fills are all of it."""
    order, so_far = late.order, late.so_far
    if so_far == order.quantity == late.quantity:
        return ""
    values["so_far"] = wording.quantity(so_far, f"{base} filled so far", instrument)
    values["ordered"] = wording.quantity(order.quantity, f"{base} ordered", instrument)
    if so_far == order.quantity:
        return f"That completes its {{ordered}} {base}."
    ended = " The rest was cancelled." if order.status == "cancelled" and so_far == order.filled else ""
    return f"{{so_far}} of {{ordered}} {base} so far.{ended}"


def _instrument(services: Services, symbol: str) -> Instrument | None:
    """What was traded; None while the market cannot tell, which keeps no fill from being told."""
    try:
        return services.market.instrument(symbol)
    except (NotFound, VenueError):
        return None
