"""Sealed tickets as rows: the JSON that was hashed, and back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import RowMapping

from engines.domain.orders import Argument, Confluence, LimitCheck, OrderTicket, RiskVerdict, Stake

_DECIMALS: Final = frozenset(
    {
        "quantity",
        "limit_price",
        "stop_price",
        "stop_loss",
        "take_profit",
        "reference_price",
        "notional",
        "estimated_fee",
        "replaced_filled",
    }
)
_TIMES: Final = frozenset({"quote_time", "created_at", "expires_at", "good_till"})


def sealed_row(ticket: OrderTicket) -> dict[str, Any]:
    """Column values of a ticket that has its hash."""
    columns = ("id", "label", "account", "owner", "thread_id", "kind", "symbol", "hash", "status", "reason")
    values = {name: getattr(ticket, name) for name in columns}
    content = json.dumps(ticket.sealed_content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**values, "content": content, "created_at": ticket.created_at, "expires_at": ticket.expires_at}


def ticket_of(row: RowMapping) -> OrderTicket:
    """The ticket of a `tickets` row joined with its decision."""
    content = json.loads(row["content"])
    return OrderTicket(
        **{f.name: _revived(f.name, content[f.name]) for f in fields(OrderTicket) if f.name in content},
        hash=row["hash"],
        status=row["status"],
        decided_by=row["by"] or "",
        decided_at=row["at"],
        superseded_by=row["superseded_by"],
        reason=row["reason"],
    )


def is_untouched(row: RowMapping) -> bool:
    """True when the stored content still has the stored hash."""
    digest = hashlib.sha256(row["content"].encode()).hexdigest()
    return digest == str(row["hash"])


def _revived(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _DECIMALS:
        return Decimal(value)
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name == "price_band":
        return (Decimal(value[0]), Decimal(value[1]))
    if name == "risk":
        return RiskVerdict(value["outcome"], Decimal(value["quantity"]), tuple(map(_limit_check, value["checks"])))
    if name == "confluence":
        arguments = tuple(Argument(**argument) for argument in value["arguments"])
        return Confluence(value["score"], arguments, tuple(value["missing"]), tuple(value.get("turns", ())))
    if name == "stake":
        gain = None if value["gain"] is None else Decimal(value["gain"])
        return Stake(Decimal(value["loss"]), Decimal(value["equity"]), gain)
    return tuple(value) if isinstance(value, list) else value


def _limit_check(value: dict[str, Any]) -> LimitCheck:
    used = None if value["used"] is None else Decimal(value["used"])
    return LimitCheck(**{**value, "before": Decimal(value["before"]), "after": Decimal(value["after"]), "used": used})
