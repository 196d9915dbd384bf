"""What the venues' private streams say: that a subscription stands, and which order something happened to.

Nothing of it is taken for true. It says what to look up, and how much the look-up should show at least.

Source: the venues' documentation of their private WebSocket channels (Binance `executionReport`, Bybit v5 `order`,
Kraken v2 `executions`, OKX v5 `orders`, Coinbase `user`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from engines.execution.heard import Heard
from engines.execution.venues.bybit_account import exit_id
from engines.execution.venues.documents import amount
from engines.execution.venues.failures import Unproven
from engines.execution.venues.kraken_ids import own_id as own_kraken_id
from engines.execution.venues.okx import own_id as own_okx_id

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """How one venue speaks.

    Attributes:
        stands: the message confirms the subscription to the account's orders.
        refuses: the message refuses it, or ends it.
        orders: the orders that a message tells of; None for one that tells of none and may be the client's own.
        params: what `watch_orders` has to be asked with.
    """

    stands: Callable[[Row], bool]
    refuses: Callable[[Row], bool]
    orders: Callable[[Row], Iterable[Heard] | None]
    params: Mapping[str, Any] = field(default_factory=dict)


def _number(row: Row, name: str) -> Decimal | None:
    try:
        return amount(row, name)
    except Unproven:
        return None


def _rows(value: Any) -> list[Row]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


_BINANCE_ENDS: Final = frozenset({"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"})


def _binance_event(message: Row) -> Row:
    event = message.get("event")
    return event if isinstance(event, dict) else message


def _binance_orders(message: Row) -> Iterable[Heard] | None:
    row = _binance_event(message)
    if row.get("e") != "executionReport":
        # Balances and lists of orders: each order of a list is told on its own.
        return () if "e" in row else None
    # `C` is the id that a cancelled order had; `c` is then the cancellation's.
    own = _text(row, "C") or _text(row, "c")
    return [Heard(own, _text(row, "i"), _number(row, "z"), _text(row, "X") in _BINANCE_ENDS)]


_BYBIT_ENDS: Final = frozenset({"Filled", "Cancelled", "PartiallyFilledCanceled", "Deactivated", "Rejected"})


def _bybit_orders(message: Row) -> Iterable[Heard] | None:
    topic = _text(message, "topic")
    if not topic.startswith("order"):
        return () if topic else None
    return [
        Heard(
            _text(row, "orderLinkId") or exit_id(row) or "",
            _text(row, "orderId"),
            _number(row, "cumExecQty"),
            _text(row, "orderStatus") in _BYBIT_ENDS,
        )
        for row in _rows(message.get("data"))
    ]


_KRAKEN_ENDS: Final = frozenset({"filled", "canceled", "expired"})


def _kraken_orders(message: Row) -> Iterable[Heard] | None:
    if message.get("channel") != "executions":
        return None
    if message.get("type") == "snapshot":
        # What stood there when the stream began: whoever connects compares anyway.
        return ()
    # A cancellation is told with Kraken's id alone.
    return [
        Heard(
            own_kraken_id(_text(row, "cl_ord_id")) or _text(row, "cl_ord_id"),
            _text(row, "order_id"),
            _number(row, "cum_qty"),
            _text(row, "order_status") in _KRAKEN_ENDS,
        )
        for row in _rows(message.get("data"))
    ]


_OKX_ENDS: Final = frozenset({"filled", "canceled", "mmp_canceled"})


def _okx_orders(message: Row) -> Iterable[Heard] | None:
    named = message.get("arg")
    if not isinstance(named, dict) or named.get("channel") != "orders" or "data" not in message:
        return None
    return [
        Heard(
            own_okx_id(_text(row, "clOrdId")) or _text(row, "clOrdId"),
            _text(row, "ordId"),
            _number(row, "accFillSz"),
            _text(row, "state") in _OKX_ENDS,
        )
        for row in _rows(message.get("data"))
    ]


_COINBASE_ENDS: Final = frozenset({"FILLED", "CANCELLED", "EXPIRED", "FAILED"})


def _coinbase_orders(message: Row) -> Iterable[Heard] | None:
    if message.get("channel") != "user":
        return None
    return [
        Heard(
            _text(row, "client_order_id"),
            _text(row, "order_id"),
            _number(row, "cumulative_quantity"),
            _text(row, "status") in _COINBASE_ENDS,
        )
        for event in _rows(message.get("events"))
        if event.get("type") != "snapshot"
        for row in _rows(event.get("orders"))
    ]


def _binance_stands(message: Row) -> bool:
    result = message.get("result")
    return isinstance(result, dict) and "subscriptionId" in result


def _kraken_stands(message: Row) -> bool:
    result = message.get("result")
    named = isinstance(result, dict) and result.get("channel") == "executions"
    return named and message.get("method") == "subscribe" and message.get("success") is True


def _okx_stands(message: Row) -> bool:
    named = message.get("arg")
    return message.get("event") == "subscribe" and isinstance(named, dict) and named.get("channel") == "orders"


def _coinbase_stands(message: Row) -> bool:
    listed = [event.get("subscriptions") for event in _rows(message.get("events"))]
    return message.get("channel") == "subscriptions" and any(
        isinstance(each, dict) and "user" in each for each in listed
    )


WORDS: Final[Mapping[str, Words]] = {
    "binance": Words(
        stands=_binance_stands,
        refuses=lambda message: (
            _binance_event(message).get("e") == "eventStreamTerminated" or message.get("status", 200) != 200
        ),
        orders=_binance_orders,
    ),
    "bybit": Words(
        stands=lambda message: message.get("op") == "subscribe" and message.get("success") is True,
        refuses=lambda message: _text(message, "op") in {"auth", "subscribe"} and message.get("success") is False,
        orders=_bybit_orders,
    ),
    "kraken": Words(
        stands=_kraken_stands,
        refuses=lambda message: message.get("method") == "subscribe" and message.get("success") is False,
        orders=_kraken_orders,
    ),
    "okx": Words(
        stands=_okx_stands,
        refuses=lambda message: message.get("event") == "error",
        orders=_okx_orders,
        params={"type": "SPOT"},
    ),
    "coinbase": Words(
        stands=_coinbase_stands,
        refuses=lambda message: message.get("type") == "error",
        orders=_coinbase_orders,
    ),
}
"""By the venue's id in ccxt."""
