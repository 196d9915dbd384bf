"""Binance spot: open orders, balances and trades of the account.

Source: Binance's Spot REST documentation (`/api/v3`), as ccxt 4.5.90 sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from engines.execution.broker import Balance, OpenOrder
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.dialect import Execution, Market, Trade, TradesByMarket
from engines.execution.venues.documents import amount, moment, positive, rows, side_of, table, text
from engines.execution.venues.failures import Unproven

_PAGE: Final = 1_000
_DAY_MS: Final = 86_400_000
# Trades of a time are told for a day at a time; what is older than this is read from the first trade on.
_MOST_DAYS: Final = 30
_LIMITS: Final = frozenset({"LIMIT", "LIMIT_MAKER"})


class BinanceAccount(TradesByMarket):
    """Reads the account through a client with keys."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._named: dict[tuple[str, str], str] = {}

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """`openOrders` of all markets in one request."""
        return tuple(self._open(row) for row in rows(self._client.call("private_get_openorders", {}, "survey", 80)))

    def balances(self) -> dict[str, Balance]:
        """`account`."""
        told = self._client.call("private_get_account", {"omitZeroBalances": "true"}, "survey", 20)
        return {
            self._client.currency_of(text(row, "asset")): Balance(
                amount(row, "free") + amount(row, "locked"), amount(row, "free")
            )
            for row in rows(told, "balances")
        }

    def _trades_on(self, market: Market, after_ms: int) -> tuple[Trade, ...]:
        """`myTrades`, and `allOrders` for the ids that their orders were placed under."""
        found = {text(row, "id"): row for row in self._told(market, after_ms) if amount(row, "time") >= after_ms}
        names = self._names(market, {text(row, "orderId") for row in found.values()})
        return tuple(
            Trade(names[text(row, "orderId")], "buy" if row.get("isBuyer") else "sell", execution(row, market))
            for row in found.values()
        )

    def _told(self, market: Market, after_ms: int) -> Iterator[Mapping[str, Any]]:
        """Day by day until there is a trade, then page after page by trade id."""
        now = self._client.now_ms() + _DAY_MS
        since, start = 0, after_ms
        if now - after_ms <= _MOST_DAYS * _DAY_MS:
            page: list[Mapping[str, Any]] = []
            while not page and start < now:
                span = {"startTime": str(start), "endTime": str(start + _DAY_MS - 1), "limit": str(_PAGE)}
                page = self._page({"symbol": market.id, **span})
                start += _DAY_MS
            if not page:
                return
            since = min(int(amount(row, "id")) for row in page)
        while True:
            page = self._page({"symbol": market.id, "fromId": str(since), "limit": str(_PAGE)})
            yield from page
            if len(page) < _PAGE:
                return
            newest = int(amount(page[-1], "id"))
            if newest < since:
                raise Unproven("Binance's pages of trades do not go on.")
            since = newest + 1

    def _page(self, params: dict[str, str]) -> list[Mapping[str, Any]]:
        return rows(self._client.call("private_get_mytrades", params, "survey", 20))

    def _names(self, market: Market, order_ids: set[str]) -> dict[str, str]:
        """The ids that orders were placed under, by Binance's: a list from the oldest on, single look-ups for the rest.

        Raises:
            Unproven: Binance lists a trade of an order that it does not show.
        """
        unknown = {each for each in order_ids if (market.id, each) not in self._named}
        if unknown:
            params = {"symbol": market.id, "orderId": min(unknown, key=int), "limit": str(_PAGE)}
            self._learn(market, rows(self._client.call("private_get_allorders", params, "survey", 20)))
        for order_id in sorted(each for each in unknown if (market.id, each) not in self._named):
            params = {"symbol": market.id, "orderId": order_id}
            self._learn(market, [table(self._client.call("private_get_order", params, "survey", 4))])
            if (market.id, order_id) not in self._named:
                raise Unproven(f"Binance does not show order {order_id} of a trade that it lists.")
        return {order_id: self._named[market.id, order_id] for order_id in order_ids}

    def _learn(self, market: Market, orders: Iterable[Mapping[str, Any]]) -> None:
        for row in orders:
            self._named[market.id, text(row, "orderId")] = str(row.get("clientOrderId") or text(row, "orderId"))

    def _open(self, row: Mapping[str, Any]) -> OpenOrder:
        kind = text(row, "type")
        return OpenOrder(
            client_order_id=str(row.get("clientOrderId") or ""),
            venue_order_id=text(row, "orderId"),
            symbol=self._client.symbol_of(text(row, "symbol")),
            side=side_of(row, "side"),
            order_type="limit" if kind in _LIMITS else "market" if kind == "MARKET" else "stop",
            quantity=amount(row, "origQty"),
            filled=amount(row, "executedQty"),
            limit_price=positive(row, "price"),
            stop_price=positive(row, "stopPrice"),
            list_id=_list_of(row),
        )


def _list_of(row: Mapping[str, Any]) -> str:
    """Binance names no list as -1."""
    found = str(row.get("orderListId") or "")
    return "" if found == "-1" else found


def execution(row: Mapping[str, Any], market: Market) -> Execution:
    """A row of `myTrades`; Binance counts trades per market, so the market is part of the id."""
    return Execution(
        id=f"{market.id}-{text(row, 'id')}",
        price=amount(row, "price"),
        quantity=amount(row, "qty"),
        fee=amount(row, "commission"),
        fee_currency=text(row, "commissionAsset"),
        time=moment(amount(row, "time")),
    )
