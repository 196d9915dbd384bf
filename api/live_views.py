"""A live desk and its comparisons in the shapes clients get."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from agents.live import SILENT_SECONDS, LiveDesk
from api.schemas.live import (
    BalanceDifference,
    ExternalFill,
    ExternalOrder,
    LiveStanding,
    PrivateStream,
    Reconciliation,
    VenueBalance,
)
from engines.ledger import externals
from engines.ledger.reconciliation import RecordedReconciliation

if TYPE_CHECKING:
    from engines.execution.venues.private_stream import StreamStanding


def live_view(live: LiveDesk) -> LiveStanding:
    """Arming, comparison, and what is in the way."""
    gate = live.gate
    arming = gate.arming
    stream = live.stream.standing if live.stream is not None else None
    return LiveStanding(
        venue=gate.venue,
        account=gate.account,
        armed_until=arming.until.isoformat() if arming else None,
        armed_by=arming.by if arming else "",
        reconciled_at=gate.reconciled_at.isoformat() if gate.reconciled_at else None,
        in_the_way=gate.in_the_way(),
        order_events="streamed" if stream is not None and stream.is_up else "polled",
        stream_trouble=stream.trouble if stream is not None else "",
        private_stream=private_stream_view(stream) if stream is not None else None,
    )


def private_stream_view(found: StreamStanding) -> PrivateStream:
    """A stream as it stands: up, silent for long, or down and why."""
    silent = found.silent_seconds
    standing: Literal["up", "silent", "down"] = "down"
    if found.is_up and silent is not None:
        standing = "silent" if silent >= SILENT_SECONDS else "up"
    return PrivateStream(
        standing=standing,
        connections=found.connections,
        silent_seconds=None if silent is None else round(silent, 1),
        trouble=found.trouble,
    )


def reconciliation_view(
    recorded: RecordedReconciliation, foreign: tuple[externals.ExternalOrder, ...], live: LiveDesk
) -> Reconciliation:
    """The comparison as it was recorded, with the external orders of now."""
    report = recorded.report
    return Reconciliation(
        number=recorded.seq,
        account=recorded.account,
        venue=report["venue"],
        time=recorded.time.isoformat(),
        trigger=report["trigger"],
        matches=_yes_or_no(recorded.matches),
        orders_changed=[order["id"] for order in report["orders"]],
        fills_taken_over=[fill["id"] for fill in report["fills"]],
        differences=[
            BalanceDifference(**{**_only(each, BalanceDifference), "tolerated": _yes_or_no(each["tolerated"])})
            for each in report["differences"]
        ],
        balances=[VenueBalance(currency=name, **held) for name, held in report["balances"].items()],
        external_orders=[_external(each) for each in foreign],
        external_fills=[ExternalFill(**_only(fill, ExternalFill)) for fill in report["external_fills"]],
        unsettled=report["unsettled"],
        live=live_view(live),
    )


def _external(found: externals.ExternalOrder) -> ExternalOrder:
    order = found.order
    return ExternalOrder(
        venue_order_id=order.venue_order_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        quantity=_text(order.quantity),
        filled=_text(order.filled),
        limit_price=None if order.limit_price is None else _text(order.limit_price),
        stop_price=None if order.stop_price is None else _text(order.stop_price),
        first_seen=found.first_seen.isoformat(),
    )


def _only(values: dict[str, Any], shape: type[BalanceDifference | ExternalFill]) -> dict[str, Any]:
    return {name: values[name] for name in shape.model_fields}


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"


def _yes_or_no(value: object) -> Literal["yes", "no"]:
    return "yes" if value else "no"
