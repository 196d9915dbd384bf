"""Reads Kraken's order parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from .amounts import parse_amount
from .instruments import Instrument
from .orders import NewOrder, Refusal, Side, Trigger

_TYPES = frozenset({"market", "limit", "stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit"})
_KEPT = ("ordertype", "oflags", "userref")
_CLIENT_ID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[ -~]{1,18}")
"""A UUID with or without dashes, or free text of at most 18 characters."""


def amount(params: Mapping[str, str], name: str, *, needed: bool = True) -> Decimal | None:
    """An amount; where it is needed and not sent, or is none, the request is refused."""
    value = parse_amount(params.get(name))
    if (value is None and (needed or params.get(name))) or (value is not None and value <= 0):
        raise Refusal("missing", name)
    return value


def parse_order(params: Mapping[str, str], instrument: Instrument, now_ms: int) -> NewOrder:
    """The order of `AddOrder`."""
    kind, side = params.get("ordertype", ""), params.get("type", "")
    if kind not in _TYPES:
        raise Refusal("missing", "ordertype")
    if side not in {"buy", "sell"}:
        raise Refusal("missing", "type")
    if params.get("cl_ord_id") and not _CLIENT_ID.fullmatch(params["cl_ord_id"]):
        raise Refusal("missing", "cl_ord_id")
    _check_deadline(params, now_ms)
    flags = params.get("oflags", "").split(",")
    volume = amount(params, "volume")
    force = params.get("timeinforce", "GTC")
    if force not in {"GTC", "IOC", "GTD", "FOK"}:
        raise Refusal("missing", "timeinforce")
    way: Side = "buy" if side == "buy" else "sell"
    limit, stop = _prices(params, kind)
    fee_in: Literal["base", "quote"] | None = "base" if "fcib" in flags else "quote" if "fciq" in flags else None
    new = NewOrder(
        instrument=instrument,
        side=way,
        is_market=limit is None,
        quantity=None if "viqc" in flags else volume,
        price=limit,
        budget=volume if "viqc" in flags else None,
        client_id=params.get("cl_ord_id", ""),
        time_in_force="GTC" if force == "GTD" else force,
        post_only="post" in flags,
        trigger=_trigger(kind, way, stop) if stop is not None else None,
        expires_ms=_expiry(params.get("expiretm", "0"), now_ms),
        fee_in=fee_in,
        on_fill=_closing(params, instrument, way),
        details={name: params[name] for name in _KEPT if params.get(name)},
    )
    if new.on_fill is not None:
        new.details["close"] = f"close position @ {params['close[ordertype]']} {params.get('close[price]', '')}"
    return new


def _prices(params: Mapping[str, str], kind: str) -> tuple[Decimal | None, Decimal | None]:
    """Limit and trigger price: `price` is the trigger of a stop, whose limit is then `price2`."""
    first = amount(params, "price", needed=kind != "market")
    if kind == "market":
        return None, None
    if kind == "limit":
        return first, None
    return (amount(params, "price2") if kind.endswith("-limit") else None), first


def _trigger(kind: str, side: Side, price: Decimal) -> Trigger:
    upward = (side == "buy") == kind.startswith("stop-loss")
    return Trigger(price, "up" if upward else "down")


def _closing(params: Mapping[str, str], instrument: Instrument, side: Side) -> NewOrder | None:
    kind = params.get("close[ordertype]")
    if not kind:
        return None
    other: Side = "sell" if side == "buy" else "buy"
    inner = {name: params.get(f"close[{name}]", "") for name in ("price", "price2")}
    limit, stop = _prices(inner, kind)
    trigger = _trigger(kind, other, stop) if stop is not None else None
    return NewOrder(instrument, other, limit is None, None, limit, trigger=trigger, details={"ordertype": kind})


def _expiry(text: str, now_ms: int) -> int | None:
    if text in {"", "0"}:
        return None
    if text.startswith("+"):
        return now_ms + int(text[1:]) * 1000
    return int(text) * 1000


def _check_deadline(params: Mapping[str, str], now_ms: int) -> None:
    if params.get("deadline"):
        try:
            latest = datetime.fromisoformat(params["deadline"])
        except ValueError as wrong:
            raise Refusal("missing", "deadline") from wrong
        if latest.timestamp() * 1000 < now_ms:
            raise Refusal("deadline")
