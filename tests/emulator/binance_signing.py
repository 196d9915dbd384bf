"""Checks Binance's keys, signatures and timestamps."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from .exchanges import Call
from .orders import Refusal
from .venue import Venue

DEFAULT_WINDOW_MS = 5000


def check_key(venue: Venue, key: str | None) -> None:
    """Refuse a missing or unknown key."""
    if not key:
        raise Refusal("key format")
    if key != venue.account.key:
        raise Refusal("key unknown")


def check_request(venue: Venue, call: Call, params: Mapping[str, str]) -> None:
    """Refuse a REST request whose signature or time does not hold."""
    check_key(venue, call.headers.get("X-MBX-APIKEY"))
    if "signature" not in params:
        raise Refusal("missing", "signature")
    signed = "&".join(part for part in (call.query + call.body).split("&") if not part.startswith("signature="))
    check_signature(venue, signed, params["signature"])
    check_time(venue, params)


def check_message(venue: Venue, params: Mapping[str, object]) -> None:
    """Refuse a WebSocket request; what is signed there is sorted by name."""
    texts = {name: str(value) for name, value in params.items()}
    check_key(venue, texts.get("apiKey"))
    signed = "&".join(f"{name}={texts[name]}" for name in sorted(texts) if name != "signature")
    check_signature(venue, signed, texts.get("signature", ""))
    check_time(venue, texts)


def check_signature(venue: Venue, signed: str, signature: str) -> None:
    """Compare an HMAC-SHA256 with ours."""
    expected = hmac.new(venue.account.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise Refusal("signature")


def check_time(venue: Venue, params: Mapping[str, str]) -> None:
    """Refuse a timestamp more than a second ahead, or older than the window."""
    if not params.get("timestamp", "").isdigit():
        raise Refusal("missing", "timestamp")
    window = float(params.get("recvWindow", DEFAULT_WINDOW_MS))
    if window > 60_000:
        raise Refusal("window")
    age = venue.clock.now_ms() - int(params["timestamp"])
    if age < -1000:
        raise Refusal("timestamp ahead")
    if age > window:
        raise Refusal("timestamp late")
