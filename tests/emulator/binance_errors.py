"""Binance's error codes, and which refusal is which."""

from __future__ import annotations

from .exchanges import Reply
from .faults import Fault
from .orders import Refusal

_REASONS: dict[str, tuple[int, str]] = {
    "insufficient": (-2010, "Account has insufficient balance for requested action."),
    "duplicate client id": (-2010, "Duplicate order sent."),
    "would take": (-2010, "Order would immediately match and take."),
    "would trigger": (-2010, "Stop price would trigger immediately."),
    "not trading": (-1013, "Market is closed."),
    "price tick": (-1013, "Filter failure: PRICE_FILTER"),
    "price band": (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    "quantity": (-1013, "Invalid quantity."),
    "quantity step": (-1013, "Filter failure: LOT_SIZE"),
    "min quantity": (-1013, "Filter failure: LOT_SIZE"),
    "max quantity": (-1013, "Filter failure: LOT_SIZE"),
    "min notional": (-1013, "Filter failure: NOTIONAL"),
    "max notional": (-1013, "Filter failure: NOTIONAL"),
    "list prices": (-2010, "The relationship of the prices for the orders is not correct."),
    "unknown symbol": (-1121, "Invalid symbol."),
    "order not found": (-2013, "Order does not exist."),
    "list not found": (-2018, "Order list does not exist."),
    "not open": (-2011, "Unknown order sent."),
    "key format": (-2014, "API-key format invalid."),
    "key unknown": (-2015, "Invalid API-key, IP, or permissions for action."),
    "signature": (-1022, "Signature for this request is not valid."),
    "timestamp ahead": (-1021, "Timestamp for this request was 1000ms ahead of the server's time."),
    "timestamp late": (-1021, "Timestamp for this request is outside of the recvWindow."),
    "window": (-1131, "recvWindow must be less than 60000."),
    "client id": (
        -1100,
        "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
    ),
    "order type": (-1116, "Invalid orderType."),
    "side": (-1117, "Invalid side."),
    "time in force": (-1115, "Invalid timeInForce."),
    "listen key": (-1125, "This listenKey does not exist."),
    "interval": (-1120, "Invalid interval."),
}


def refused(refusal: Refusal) -> Reply:
    """The answer to a request that the venue does not fulfil."""
    reason, detail = refusal.reason, refusal.detail
    if reason == "missing":
        return error(-1102, f"Mandatory parameter '{detail}' was not sent, was empty/null, or malformed.")
    if reason == "surplus":
        return error(-1106, f"Parameter '{detail}' sent when not required.")
    if reason == "precision":
        return error(-1111, f"Parameter '{detail}' has too much precision.")
    code, message = _REASONS[reason]
    return error(code, message, status=401 if reason.startswith("key") else 400)


def error(code: int, message: str, *, status: int = 400) -> Reply:
    """An error document."""
    return Reply({"code": code, "msg": message}, status)


def failure(fault: Fault) -> Reply:
    """What Binance sends when its machines, or its patience, give out."""
    details = fault.details
    kind = fault.kind
    if kind in {"unavailable_before", "unavailable_after"}:
        text = "Unknown error, please check your request or try again later."
        return (
            error(-1000, str(details.get("message", text)), status=503)
            if details.get("coded")
            else Reply(text=f"<html><body>{details.get('message', text)}</body></html>", status=503, kind="text/html")
        )
    if kind == "rate_limited":
        return _limited(
            429, -1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE.", fault
        )
    if kind == "banned":
        return _limited(418, -1003, "Way too much request weight used; IP banned.", fault)
    if kind == "status_unknown":
        return error(
            -1006, "An unexpected response was received from the message bus. Execution status unknown.", status=500
        )
    if kind == "timeout_code":
        text = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
        return error(-1007, text, status=408)
    if kind == "not_found":
        return error(-2013, "Order does not exist.")
    status = int(details.get("status", 400))
    return error(
        int(details.get("code", -1000)), str(details.get("message", "An unknown error occurred.")), status=status
    )


def _limited(status: int, code: int, message: str, fault: Fault) -> Reply:
    reply = error(code, message, status=status)
    reply.headers["Retry-After"] = str(fault.details.get("retry_after", 1))
    return reply
