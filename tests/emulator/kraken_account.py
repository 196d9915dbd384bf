"""Kraken's signed routes."""

from __future__ import annotations

import secrets

from .amounts import fixed
from .dialect import Dialect
from .exchanges import Json
from .kraken_market import KrakenMarket
from .kraken_orders import amount, parse_order
from .kraken_words import asset_id, description, order_document, trade_document
from .orders import Order, Refusal

PAGE = 50
TOKEN_SECONDS = 900


class KrakenAccount:
    """Orders, trades and balances of the account."""

    def __init__(self, dialect: Dialect, market: KrakenMarket) -> None:
        self._venue = dialect.venue
        self._engine = dialect.engine
        self._market = market
        self.tokens: set[str] = set()

    def token(self, params: dict[str, str]) -> Json:
        """`GetWebSocketsToken`."""
        del params
        token = secrets.token_urlsafe(32)
        self.tokens.add(token)
        return {"token": token, "expires": TOKEN_SECONDS}

    def balance(self, params: dict[str, str]) -> Json:
        """`Balance`."""
        del params
        return {asset_id(asset): fixed(total, 10) for asset, total in self._venue.account.total.items()}

    def extended_balance(self, params: dict[str, str]) -> Json:
        """`BalanceEx`."""
        del params
        account = self._venue.account
        return {
            asset_id(asset): {"balance": fixed(total, 10), "hold_trade": fixed(account.reserved[asset], 10)}
            for asset, total in list(account.total.items())
        }

    def create(self, params: dict[str, str]) -> Json:
        """`AddOrder`; with `validate` the order is only described."""
        instrument = self._venue.instrument(self._market.symbol(params))
        new = parse_order(params, instrument, self._venue.clock.now_ms())
        if params.get("validate", "").lower() == "true":
            return {"descr": {"order": description(self._engine.draft(new, self._venue.account))}}
        order = self._engine.place(new)
        descr = {"order": description(order)}
        if new.on_fill is not None:
            descr["close"] = new.details["close"]
        return {"descr": descr, "txid": [order.id]}

    def _document(self, order: Order) -> Json:
        return order_document(order, self._venue.fees_of(order))

    def _find_live(self, params: dict[str, str]) -> Order:
        if not params.get("txid") and not params.get("cl_ord_id"):
            raise Refusal("arguments")
        return self._venue.find(order_id=params.get("txid"), client_id=params.get("cl_ord_id"))

    def query(self, params: dict[str, str]) -> Json:
        """`QueryOrders`: by Kraken's own ids only."""
        if not params.get("txid"):
            raise Refusal("arguments")
        found = [self._venue.find(order_id=name) for name in params["txid"].split(",")]
        return {order.id: self._document(order) for order in found if _referred(order, params)}

    def open_orders(self, params: dict[str, str]) -> Json:
        """`OpenOrders`."""
        self._engine.expire_due()
        found = [order for order in self._venue.live_orders() if _referred(order, params)]
        return {"open": {order.id: self._document(order) for order in reversed(found)}}

    def closed_orders(self, params: dict[str, str]) -> Json:
        """`ClosedOrders`, newest first, fifty to a page."""
        found = [o for o in self._venue.all_orders() if not o.is_live and _referred(o, params)]
        found = [order for order in found if _within(order.updated_ms, params)][::-1]
        page = found[int(params.get("ofs", "0")) :][:PAGE]
        return {"closed": {order.id: self._document(order) for order in page}, "count": len(found)}

    def trades(self, params: dict[str, str]) -> Json:
        """`TradesHistory`, newest first, fifty to a page."""
        found = [(o, fill) for o, fill in self._venue.all_fills() if _within(fill.at_ms, params)][::-1]
        page = found[int(params.get("ofs", "0")) :][:PAGE]
        return {"trades": {fill.id: trade_document(order, fill) for order, fill in page}, "count": len(found)}

    def query_trades(self, params: dict[str, str]) -> Json:
        """`QueryTrades`: by trade ids."""
        wanted = set(params.get("txid", "").split(","))
        return {fill.id: trade_document(o, fill) for o, fill in self._venue.all_fills() if fill.id in wanted}

    def cancel(self, params: dict[str, str]) -> Json:
        """`CancelOrder`."""
        self._engine.cancel(self._find_live(params))
        return {"count": 1}

    def cancel_all(self, params: dict[str, str]) -> Json:
        """`CancelAll`."""
        del params
        live = self._venue.live_orders()
        for order in live:
            self._engine.cancel(order)
        return {"count": len(live)}

    def amend(self, params: dict[str, str]) -> Json:
        """`AmendOrder`: the order keeps its id."""
        order = self._find_live(params)
        quantity = amount(params, "order_qty", needed=False)
        self._engine.amend(order, quantity=quantity, price=amount(params, "limit_price", needed=False))
        return {"amend_id": f"TA{self._venue.number('amend'):04d}-EMULA-TOR000"}

    def edit(self, params: dict[str, str]) -> Json:
        """`EditOrder`: the order is cancelled and placed again under a new id."""
        old = self._find_live(params)
        self._engine.cancel(old)
        left = {"ordertype": old.request.details["ordertype"], "type": old.side, "volume": fixed(old.remaining, 8)}
        if old.price is not None:
            left["price"] = str(old.price)
        placed = self.create(left | {name: text for name, text in params.items() if name not in {"txid", "cl_ord_id"}})
        return {"status": "ok", "originaltxid": old.id, "orders_cancelled": 1, **placed, "txid": placed["txid"][0]}


def _referred(order: Order, params: dict[str, str]) -> bool:
    reference = order.request.details.get("userref", "")
    return params.get("cl_ord_id", order.client_id) == order.client_id and params.get("userref", reference) == reference


def _within(at_ms: int, params: dict[str, str]) -> bool:
    start, end = float(params.get("start") or 0), float(params.get("end") or 1 << 62)
    return start * 1000 <= at_ms <= end * 1000
