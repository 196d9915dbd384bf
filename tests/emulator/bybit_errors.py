"""Bybit's return codes, and which refusal is which. Most of them come with HTTP 200."""

from __future__ import annotations

from .exchanges import Reply
from .faults import Fault
from .orders import Refusal

_REASONS: dict[str, tuple[int, str]] = {
    "insufficient": (170131, "Insufficient balance."),
    "duplicate client id": (170141, "Duplicate clientOrderId"),
    "would take": (170218, "The LIMIT-MAKER order is rejected due to invalid price."),
    "would trigger": (170210, "New order rejected."),
    "not trading": (170151, "The trading pair is not open yet"),
    "price tick": (170134, "Order price has too many decimals."),
    "price band": (170132, "Order price exceeded upper limit."),
    "quantity": (170136, "Order quantity exceeded lower limit."),
    "quantity step": (170137, "Order quantity has too many decimals."),
    "min quantity": (170136, "Order quantity exceeded lower limit."),
    "max quantity": (170135, "Order quantity exceeded upper limit."),
    "min notional": (170140, "Order value exceeded lower limit."),
    "max notional": (170124, "Order amount too large."),
    "unknown symbol": (170121, "Invalid symbol."),
    "order not found": (170213, "Order does not exist."),
    "not open": (170213, "Order does not exist."),
    "key unknown": (10003, "API key is invalid."),
    "signature": (10004, "error sign! please check your signature generation algorithm."),
    "client id": (10001, "params error: OrderLinkedID invalid"),
    "order type": (170116, "Invalid orderType."),
    "side": (170117, "Invalid side."),
    "time in force": (170115, "Invalid timeInForce."),
    "interval": (10001, "params error: interval invalid"),
}


def refused(refusal: Refusal, now_ms: int) -> Reply:
    """The answer to a request that the venue does not fulfil."""
    reason, detail = refusal.reason, refusal.detail
    if reason == "missing":
        return error(10001, f"params error: {detail} is required", now_ms)
    if reason == "timestamp":
        return error(
            10002, f"invalid request, please check your server timestamp or recv_window param. {detail}", now_ms
        )
    return error(*_REASONS[reason], now_ms)


def error(code: int, message: str, now_ms: int, *, status: int = 200) -> Reply:
    """An error document."""
    return Reply({"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": now_ms}, status)


def failure(fault: Fault, now_ms: int) -> Reply:
    """What Bybit sends when its machines, or its patience, give out."""
    kind, details = fault.kind, fault.details
    if kind in {"unavailable_before", "unavailable_after"}:
        return Reply(text="<html><body>503 Service Temporarily Unavailable</body></html>", status=503, kind="text/html")
    if kind == "rate_limited":
        reply = error(10006, "Too many visits. Exceeded the API Rate Limit.", now_ms)
        wait = float(details.get("retry_after", 1))
        reply.headers |= {"X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": str(now_ms + int(wait * 1000))}
        return reply
    if kind == "banned":
        return Reply(text="403, access too frequent", status=403, kind="text/plain")
    if kind == "status_unknown":
        return error(10016, "Server error.", now_ms)
    if kind == "timeout_code":
        return error(170007, "Timeout waiting for response from backend server.", now_ms)
    if kind == "not_found":
        return error(170213, "Order does not exist.", now_ms)
    status = int(details.get("status", 200))
    return error(int(details.get("code", 10016)), str(details.get("message", "Server error.")), now_ms, status=status)
