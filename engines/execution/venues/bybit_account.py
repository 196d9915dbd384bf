"""Bybit spot: open orders, balances and trades of the account, and the pages they are told in.

Source: Bybit's v5 REST documentation, category `spot`, as ccxt 4.5.90 sends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from engines.execution.broker import Balance, OpenOrder, protective_ids
from engines.execution.venues.budget import Use
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.dialect import Execution, Market, Trade, TradesByMarket
from engines.execution.venues.documents import amount, moment, positive, rows, side_of, table, text
from engines.execution.venues.failures import Unproven

_DAY_MS: Final = 86_400_000
# The history is told in spans of at most a week; so many of them are read before an order is denied.
_SPAN_MS: Final = 7 * _DAY_MS
_SPANS: Final = 13
_EXITS: Final = frozenset({"StopLoss", "TakeProfit"})


class BybitPages:
    """Reads Bybit's lists to their end.

    Args:
        use: what for, as `RequestBudget` tells uses apart.
    """

    def __init__(self, client: VenueClient, use: Use = "read") -> None:
        self._client = client
        self._use: Final[Use] = use

    def orders(self, own: Mapping[str, str], since: datetime | None = None) -> Iterator[Mapping[str, Any]]:
        """Live orders, then ended ones, newest first, back to a time."""
        yield from self.pages("private_get_v5_order_realtime", own)
        yield from self.by_week("private_get_v5_order_history", own, since)

    def by_week(
        self, method: str, own: Mapping[str, str], since: datetime | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Rows from the newest week to the oldest that is told, or to a time; a day more, for no two clocks agree."""
        end = self._client.now_ms() + _DAY_MS
        since_ms = 0 if since is None else int(since.timestamp() * 1000) - _DAY_MS
        for _ in range(_SPANS):
            yield from self.pages(method, {**own, "startTime": str(end - _SPAN_MS), "endTime": str(end)})
            end -= _SPAN_MS
            if end < since_ms:
                return

    def pages(self, method: str, own: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Every row of a list."""
        found: list[Mapping[str, Any]] = []
        cursors = {""}
        cursor = ""
        while True:
            params = {**own, "limit": "50", **({"cursor": cursor} if cursor else {})}
            reply = self._client.call(method, params, self._use)
            page = rows(reply, "result", "list")
            found += page
            cursor = str(table(reply, "result").get("nextPageCursor") or "")
            if not cursor or not page:
                return found
            if cursor in cursors:
                raise Unproven("Bybit's pages lead in a circle.")
            cursors.add(cursor)


class BybitAccount(TradesByMarket):
    """Reads the account through a client with keys."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._pages = BybitPages(client, "survey")
        self._named: dict[str, str] = {}

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """`order/realtime` of all markets, conditional orders and exits included."""
        found = self._pages.pages("private_get_v5_order_realtime", {"category": "spot"})
        return tuple(self._open(row) for row in {text(row, "orderId"): row for row in found}.values())

    def balances(self) -> dict[str, Balance]:
        """`wallet-balance` of the unified account; what spot orders lock is not free."""
        reply = self._client.call("private_get_v5_account_wallet_balance", {"accountType": "UNIFIED"}, "survey")
        found = {}
        for account in rows(reply, "result", "list"):
            for row in rows(account, "coin"):
                total, locked = amount(row, "walletBalance"), positive(row, "locked") or Decimal(0)
                if total:
                    found[self._client.currency_of(text(row, "coin"))] = Balance(total, total - locked)
        return found

    def _trades_on(self, market: Market, after_ms: int) -> tuple[Trade, ...]:
        """`execution/list`, week by week back to that time.

        Raises:
            Unproven: Bybit does not tell trades of so long ago.
        """
        if self._client.now_ms() - after_ms > (_SPANS - 1) * _SPAN_MS:
            raise Unproven(f"Trades of more than {12 * 7} days ago are not read from Bybit.")
        own = {"category": "spot", "symbol": market.id}
        told = self._pages.by_week("private_get_v5_execution_list", own, moment(Decimal(after_ms)))
        found = {text(row, "execId"): row for row in told if amount(row, "execTime") >= after_ms}
        return tuple(Trade(self._name(row, market), side_of(row, "side"), execution(row)) for row in found.values())

    def _name(self, row: Mapping[str, Any], market: Market) -> str:
        """The id an order was placed under; an exit's is told with its order only."""
        order_id = text(row, "orderId")
        if row.get("orderLinkId"):
            return str(row["orderLinkId"])
        if row.get("stopOrderType") in {None, "", "UNKNOWN"}:
            return order_id
        if order_id not in self._named:
            own = {"category": "spot", "symbol": market.id, "orderId": order_id}
            order = next(self._pages.orders(own), None)
            if order is None:
                raise Unproven(f"Bybit does not show order {order_id} of a trade that it lists.")
            self._named[order_id] = exit_id(order) or order_id
        return self._named[order_id]

    def _open(self, row: Mapping[str, Any]) -> OpenOrder:
        trigger, limit = positive(row, "triggerPrice"), positive(row, "price")
        kind = text(row, "orderType")
        quantity = amount(row, "qty")
        at = trigger or limit
        if row.get("marketUnit") == "quoteCoin" and at is not None:
            # Only orders of others are told in quote currency: about so much of the base.
            quantity = quantity / at
        return OpenOrder(
            client_order_id=str(row.get("orderLinkId") or exit_id(row) or ""),
            venue_order_id=text(row, "orderId"),
            symbol=self._client.symbol_of(text(row, "symbol")),
            side=side_of(row, "side"),
            order_type="stop" if trigger else "limit" if kind == "Limit" else "market",
            quantity=quantity,
            filled=amount(row, "cumExecQty"),
            limit_price=limit if kind == "Limit" else None,
            stop_price=trigger,
            list_id=str(row.get("parentOrderLinkId") or "") if row.get("stopOrderType") in _EXITS else "",
        )


def exit_id(row: Mapping[str, Any]) -> str | None:
    """Our id of an exit, which Bybit tells by its entry and its kind; None for every other order."""
    parent, kind = str(row.get("parentOrderLinkId") or ""), row.get("stopOrderType")
    if not parent or kind not in _EXITS:
        return None
    stop_id, target_id = protective_ids(parent)
    return stop_id if kind == "StopLoss" else target_id


def execution(row: Mapping[str, Any]) -> Execution:
    """A row of `execution/list`."""
    return Execution(
        id=text(row, "execId"),
        price=amount(row, "execPrice"),
        quantity=amount(row, "execQty"),
        fee=amount(row, "execFee"),
        fee_currency=text(row, "feeCurrency"),
        time=moment(amount(row, "execTime")),
    )
