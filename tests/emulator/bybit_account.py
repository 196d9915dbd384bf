"""Bybit's signed routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .bybit_market import BybitMarket
from .bybit_orders import amount, exits_of, parse_order
from .bybit_words import execution_document, order_document, status_of, wallet_document
from .dialect import Dialect
from .exchanges import Json
from .orders import Fill, Order, Refusal

Item = TypeVar("Item")


class BybitAccount:
    """Orders, executions and balances of the account."""

    def __init__(self, dialect: Dialect, market: BybitMarket) -> None:
        self._venue = dialect.venue
        self._engine = dialect.engine
        self._market = market

    def key_information(self, params: dict[str, str]) -> Json:
        """`user/query-api`."""
        del params
        return {"id": "1", "readOnly": 0, "permissions": {"Spot": ["SpotTrade"]}, "unified": 0, "uta": 1, "userID": 1}

    def account_information(self, params: dict[str, str]) -> Json:
        """`account/info`."""
        del params
        return {"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 6, "updatedTime": "0"}

    def coins(self, params: dict[str, str]) -> Json:
        """`asset/coin/query-info`."""
        named = params.get("coin")
        chain = {"chain": "ETH", "chainType": "ETH", "chainDeposit": "0", "chainWithdraw": "0", "minAccuracy": "8"}
        coins = sorted({each.base for each in self._venue.instruments.values()} | {"USDT"})
        return {
            "rows": [
                {"name": coin, "coin": coin, "remainAmount": "0", "chains": [chain]}
                for coin in coins
                if named in {None, coin}
            ]
        }

    def wallet(self, params: dict[str, str]) -> Json:
        """`account/wallet-balance`."""
        named = params.get("coin", "")
        assets = [asset for asset in self._venue.account.total if not named or asset in named.split(",")]
        return {"list": [wallet_document(self._venue.account, assets)]}

    def fee_rates(self, params: dict[str, str]) -> Json:
        """`account/fee-rate`."""
        fees = self._venue.fees
        rates = {"takerFeeRate": str(fees.taker), "makerFeeRate": str(fees.maker)}
        return {"category": "spot", "list": [{"symbol": params.get("symbol", "BTCUSDT"), "baseCoin": "", **rates}]}

    def create(self, params: dict[str, str]) -> Json:
        """`order/create`."""
        symbol = self._market.symbol(params)
        new = parse_order(params, self._venue.instrument(symbol), self._venue.last[symbol])
        exits = exits_of(params, new)
        if exits:
            group = self._engine.place_group(new, exits)
            order = group.orders[0]
        else:
            order = self._engine.place(new)
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def _find_live(self, params: dict[str, str]) -> Order:
        symbol = self._market.symbol(params)
        if not params.get("orderId") and not params.get("orderLinkId"):
            raise Refusal("missing", "orderId or orderLinkId")
        order = self._venue.find(order_id=params.get("orderId"), client_id=params.get("orderLinkId"))
        if order.instrument.symbol != symbol or order.state == "waiting":
            raise Refusal("order not found", order.id)
        return order

    def amend(self, params: dict[str, str]) -> Json:
        """`order/amend`: quantity and price of an order on the book."""
        order = self._find_live(params)
        self._engine.amend(order, quantity=amount(params, "qty"), price=amount(params, "price"))
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def cancel(self, params: dict[str, str]) -> Json:
        """`order/cancel`."""
        order = self._find_live(params)
        self._engine.cancel(order)
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def cancel_all(self, params: dict[str, str]) -> Json:
        """`order/cancel-all`."""
        symbol = self._market.symbol(params) if params.get("symbol") else None
        wanted = params.get("orderFilter")
        cancelled = []
        for order in self._venue.live_orders(symbol):
            if order.is_live and wanted in {None, order.request.details.get("orderFilter", "Order")}:
                self._engine.cancel(order)
                cancelled.append({"orderId": order.id, "orderLinkId": order.client_id})
        return {"list": cancelled, "success": "1"}

    def open_orders(self, params: dict[str, str]) -> Json:
        """`order/realtime`: live orders; by `orderId` also one that has ended."""
        self._engine.expire_due()
        known = self._venue.all_orders() if params.get("orderId") else self._venue.live_orders()
        found = [order for order in known if order.state != "waiting" and self._matches(order, params)]
        return self._page(found, params, order_document, lambda order: order.number)

    def history(self, params: dict[str, str]) -> Json:
        """`order/history`: orders that have ended."""
        found = [order for order in self._venue.all_orders() if not order.is_live and self._matches(order, params)]
        start, end = int(params.get("startTime", "0")), int(params.get("endTime", str(1 << 62)))
        found = [order for order in found if start <= order.created_ms <= end]
        return self._page(found, params, order_document, lambda order: order.number)

    def _matches(self, order: Order, params: dict[str, str]) -> bool:
        # What Bybit does not know, such as `clientOrderId`, it ignores; an order id of "None" finds nothing.
        return (
            params.get("orderId", order.id) == order.id
            and params.get("orderLinkId", order.client_id) == order.client_id
            and (not params.get("symbol") or self._market.symbol(params) == order.instrument.symbol)
            and params.get("orderStatus", status_of(order)) == status_of(order)
            and params.get("orderFilter", order.request.details.get("orderFilter", "Order"))
            == order.request.details.get("orderFilter", "Order")
        )

    def executions(self, params: dict[str, str]) -> Json:
        """`execution/list`."""
        symbol = self._market.symbol(params) if params.get("symbol") else None
        start, end = int(params.get("startTime", "0")), int(params.get("endTime", str(1 << 62)))
        found = [
            (order, fill)
            for order, fill in self._venue.all_fills(symbol)
            if params.get("orderId", order.id) == order.id
            and params.get("orderLinkId", order.client_id) == order.client_id
            and start <= fill.at_ms <= end
        ]

        def document(item: tuple[Order, Fill]) -> Json:
            return execution_document(*item)

        return self._page(found, params, document, lambda item: item[1].number)

    def _page(
        self,
        found: list[Item],
        params: dict[str, str],
        document: Callable[[Item], Json],
        number: Callable[[Item], int],
    ) -> Json:
        """Newest first; the cursor is the number of the last entry shown."""
        limit = min(int(params.get("limit", "50")), 100)
        below = int(params["cursor"]) if params.get("cursor") else None
        newest = [item for item in reversed(found) if below is None or number(item) < below]
        shown = newest[:limit]
        cursor = str(number(shown[-1])) if len(newest) > limit else ""
        return {"category": "spot", "list": [document(item) for item in shown], "nextPageCursor": cursor}
