"""Kraken's error texts, and which refusal is which. They come with HTTP 200."""

from __future__ import annotations

from .exchanges import Reply
from .faults import Fault
from .orders import Refusal

_REASONS = {
    "insufficient": "EOrder:Insufficient funds",
    "duplicate client id": "EOrder:Duplicate cl_ord_id",
    "would take": "EOrder:Post only order",
    "would trigger": "EOrder:Invalid price",
    "not trading": "EService:Market in cancel_only mode",
    "price tick": "EOrder:Invalid price",
    "price band": "EOrder:Invalid price",
    "quantity": "EGeneral:Invalid arguments:volume",
    "quantity step": "EGeneral:Invalid arguments:volume",
    "min quantity": "EGeneral:Invalid arguments:volume minimum not met",
    "max quantity": "EGeneral:Invalid arguments:volume",
    "min notional": "EOrder:Cost minimum not met",
    "max notional": "EOrder:Orders limit exceeded",
    "unknown symbol": "EQuery:Unknown asset pair",
    "order not found": "EOrder:Unknown order",
    "not open": "EOrder:Unknown order",
    "key unknown": "EAPI:Invalid key",
    "signature": "EAPI:Invalid signature",
    "nonce": "EAPI:Invalid nonce",
    "deadline": "EService:Deadline elapsed",
}


def refused(refusal: Refusal) -> Reply:
    """The answer to a request that the venue does not fulfil."""
    if refusal.reason == "missing":
        return error(f"EGeneral:Invalid arguments:{refusal.detail}")
    if refusal.reason == "arguments":
        return error("EGeneral:Invalid arguments")
    return error(_REASONS[refusal.reason])


def error(text: str) -> Reply:
    """An error document."""
    return Reply({"error": [text]})


def failure(fault: Fault) -> Reply:
    """What Kraken, or the network in front of it, sends when something gives out."""
    kind = fault.kind
    if kind in {"unavailable_before", "unavailable_after"}:
        return Reply(text="<html><body>503 Service Unavailable</body></html>", status=503, kind="text/html")
    texts = {
        "rate_limited": "EAPI:Rate limit exceeded",
        "banned": "EGeneral:Temporary lockout",
        "status_unknown": "EGeneral:Internal error",
        "timeout_code": "EService:Unavailable",
        "not_found": "EOrder:Unknown order",
    }
    return error(texts.get(kind) or str(fault.details.get("message", "EService:Busy")))
