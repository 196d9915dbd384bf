"""Binance's signed routes."""

from __future__ import annotations

from dataclasses import replace

from .binance_errors import refused
from .binance_lists import BinanceLists
from .binance_orders import amount, client_id, parse_order
from .binance_words import (
    balances_document,
    cancelled_document,
    eight,
    fill_document,
    group_document,
    order_document,
    placed_document,
)
from .exchanges import Json, Reply
from .orders import Order, Refusal


class BinanceAccount(BinanceLists):
    """Orders, trades and balances of the account."""

    def account(self, params: dict[str, str]) -> Json:
        """`account`."""
        account, fees = self._venue.account, self._venue.fees
        assets = [asset for asset in account.total if account.total[asset] or "omitZeroBalances" not in params]
        return {
            "makerCommission": 10,
            "takerCommission": 10,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {"maker": eight(fees.maker), "taker": eight(fees.taker), "buyer": "0", "seller": "0"},
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self._venue.clock.now_ms(),
            "accountType": "SPOT",
            "balances": balances_document(account, assets, short=False),
            "permissions": ["SPOT"],
            "uid": 1,
        }

    def commission(self, params: dict[str, str]) -> Json:
        """`account/commission`."""
        fees = self._venue.fees
        rates = {"maker": eight(fees.maker), "taker": eight(fees.taker), "buyer": "0", "seller": "0"}
        return {"symbol": params["symbol"], "standardCommission": rates, "taxCommission": rates, "discount": {}}

    def create(self, params: dict[str, str]) -> Json:
        """`POST order`."""
        instrument = self._venue.instrument(self._market.symbol(params))
        new = parse_order(params, instrument, self._own_id())
        order = self._engine.place(new)
        at_once = new.details["type"] in {"MARKET", "LIMIT"}
        return placed_document(order, params.get("newOrderRespType", "FULL" if at_once else "ACK"))

    def test(self, params: dict[str, str]) -> Json:
        """`POST order/test`: the form of an order is checked, nothing is booked."""
        parse_order(params, self._venue.instrument(self._market.symbol(params)), self._own_id())
        return {}

    def lookup(self, params: dict[str, str]) -> Json:
        """`GET order`."""
        return order_document(self._find(params))

    def _find(self, params: dict[str, str]) -> Order:
        symbol = self._market.symbol(params)
        if not params.get("orderId") and not params.get("origClientOrderId"):
            raise Refusal("missing", "orderId")
        order = self._venue.find(order_id=params.get("orderId"), client_id=params.get("origClientOrderId"))
        if order.instrument.symbol != symbol:
            raise Refusal("order not found", order.id)
        return order

    def _find_live(self, params: dict[str, str]) -> Order:
        try:
            return self._find(params)
        except Refusal as refusal:
            # A cancel of what never was and of what is over sound the same here.
            raise Refusal(
                "not open" if refusal.reason == "order not found" else refusal.reason, refusal.detail
            ) from refusal

    def open_orders(self, params: dict[str, str]) -> Json:
        """`openOrders`."""
        symbol = self._market.symbol(params) if "symbol" in params else None
        self._engine.expire_due()
        return [order_document(order) for order in self._venue.live_orders(symbol)]

    def all_orders(self, params: dict[str, str]) -> Json:
        """`allOrders`: from an id or a time on, or the newest."""
        found = [
            order
            for order in self._venue.all_orders(self._market.symbol(params))
            if int(order.id) >= int(params.get("orderId", "0"))
            and int(params.get("startTime", "0"))
            <= order.created_ms
            <= int(params.get("endTime", str(order.created_ms)))
        ]
        limit = min(int(params.get("limit", "500")), 1000)
        found = found[:limit] if {"orderId", "startTime"} & set(params) else found[-limit:]
        return [order_document(order) for order in found]

    def fills(self, params: dict[str, str]) -> Json:
        """`myTrades`: from an id or a time on, or the newest."""
        found = [
            (order, fill)
            for order, fill in self._venue.all_fills(self._market.symbol(params))
            if fill.number >= int(params.get("fromId", "0"))
            and params.get("orderId", order.id) == order.id
            and int(params.get("startTime", "0")) <= fill.at_ms <= int(params.get("endTime", str(fill.at_ms)))
        ]
        limit = min(int(params.get("limit", "500")), 1000)
        found = found[:limit] if {"fromId", "startTime"} & set(params) else found[-limit:]
        return [fill_document(order, fill) for order, fill in found]

    def cancel(self, params: dict[str, str]) -> Json:
        """`DELETE order`; an order of a list takes the list with it."""
        order = self._find_live(params)
        self._engine.cancel(order)
        if order.group is not None:
            return group_document(order.group, reports="RESULT")
        return cancelled_document(order, client_id(params, "newClientOrderId", self._own_id()))

    def cancel_all(self, params: dict[str, str]) -> Json:
        """`DELETE openOrders`."""
        live = self._venue.live_orders(self._market.symbol(params))
        if not live:
            raise Refusal("not open")
        documents: list[Json] = []
        for order in live:
            if not order.is_live:
                continue
            self._engine.cancel(order)
            document = group_document(order.group, reports="RESULT") if order.group else None
            documents.append(document or cancelled_document(order, self._own_id()))
        return documents

    def replace(self, params: dict[str, str]) -> Json:
        """`POST order/cancelReplace`."""
        results: dict[str, Json] = {"cancelResult": "SUCCESS", "newOrderResult": "SUCCESS"}
        aim = {"symbol": params["symbol"]}
        aim |= {"orderId": params["cancelOrderId"]} if "cancelOrderId" in params else {}
        aim |= {"origClientOrderId": params["cancelOrigClientOrderId"]} if "cancelOrigClientOrderId" in params else {}
        try:
            results["cancelResponse"] = self.cancel(aim)
        except Refusal as refusal:
            results |= {"cancelResult": "FAILURE", "cancelResponse": refused(refusal).content}
        if results["cancelResult"] == "FAILURE" and params.get("cancelReplaceMode") != "ALLOW_FAILURE":
            results |= {"newOrderResult": "NOT_ATTEMPTED", "newOrderResponse": None}
        else:
            try:
                results["newOrderResponse"] = self.create(params)
            except Refusal as refusal:
                results |= {"newOrderResult": "FAILURE", "newOrderResponse": refused(refusal).content}
        outcomes = [results["cancelResult"], results["newOrderResult"]]
        if outcomes == ["SUCCESS", "SUCCESS"]:
            return results
        if "SUCCESS" in outcomes:
            return Reply({"code": -2021, "msg": "Order cancel-replace partially failed.", "data": results}, 409)
        return Reply({"code": -2022, "msg": "Order cancel-replace failed.", "data": results}, 400)

    def amend(self, params: dict[str, str]) -> Json:
        """`PUT order/amend/keepPriority`: a smaller quantity, the same place in the queue."""
        order, quantity = self._find_live(params), amount(params, "newQty")
        if quantity is None or quantity >= order.quantity:
            raise Refusal("quantity", str(quantity))
        self._engine.amend(order, quantity=quantity, price=None)
        given = client_id(params, "newClientOrderId", "")
        if given:
            order.client_id = given
            order.request = replace(order.request, client_id=given)
            self._venue.by_client_id[given].append(order)
        return {"transactTime": order.updated_ms, "executionId": order.number, "amendedOrder": order_document(order)}
