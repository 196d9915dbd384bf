"""Binance's documents for orders, fills, lists, markets and balances."""

from __future__ import annotations

from decimal import Decimal

from .accounts import Account
from .amounts import ZERO, fixed
from .events import OrderChanged
from .exchanges import Json
from .instruments import Instrument
from .orders import Fill, Group, Order
from .venue import Venue

_STATES = {
    "waiting": "PENDING_NEW",
    "untriggered": "NEW",
    "filled": "FILLED",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
}
_EXECUTIONS = {"new": "NEW", "trade": "TRADE", "cancelled": "CANCELED", "expired": "EXPIRED", "amended": "REPLACED"}
ORDER_TYPES = [
    *("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"),
]


def eight(value: Decimal | None) -> str:
    """Binance writes amounts with eight decimals."""
    return fixed(value or ZERO, 8)


def market_id(instrument: Instrument) -> str:
    """`BTCUSDT` for `BTC/USDT`."""
    return instrument.base + instrument.quote


def status_of(order: Order) -> str:
    """The venue's word for the order's state."""
    if order.state == "open":
        return "PARTIALLY_FILLED" if order.filled else "NEW"
    return _STATES[order.state]


def order_document(order: Order) -> Json:
    """An order as look-ups show it."""
    request, trigger = order.request, order.request.trigger
    return {
        "symbol": market_id(order.instrument),
        "orderId": int(order.id),
        "orderListId": order.group.number if order.group else -1,
        "clientOrderId": order.client_id,
        "price": eight(order.price),
        "origQty": eight(order.quantity),
        "executedQty": eight(order.filled),
        "origQuoteOrderQty": eight(request.budget),
        "cummulativeQuoteQty": eight(order.notional),
        "status": status_of(order),
        "timeInForce": request.time_in_force.removesuffix("-MISS"),
        "type": request.details["type"],
        "side": order.side.upper(),
        **({"stopPrice": eight(trigger.price)} if trigger else {}),
        "icebergQty": "0.00000000",
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.state not in {"waiting", "untriggered"},
        "workingTime": order.triggered_ms or order.created_ms,
        "selfTradePreventionMode": "NONE",
    }


def placed_document(order: Order, detail: str) -> Json:
    """The answer to a new order, as long as `newOrderRespType` asks."""
    short = {
        "symbol": market_id(order.instrument),
        "orderId": int(order.id),
        "orderListId": order.group.number if order.group else -1,
        "clientOrderId": order.client_id,
        "transactTime": order.updated_ms,
    }
    if detail == "ACK":
        return short
    long = order_document(order)
    for name in ("time", "updateTime", "isWorking", "icebergQty"):
        del long[name]
    if detail == "FULL":
        long["fills"] = [
            {
                "price": eight(fill.price),
                "qty": eight(fill.quantity),
                "commission": eight(fill.fee),
                "commissionAsset": fill.fee_currency,
                "tradeId": fill.number,
            }
            for fill in order.fills
        ]
    return long | {"transactTime": order.updated_ms}


def cancelled_document(order: Order, cancel_id: str) -> Json:
    """The answer to a cancel: the id of the order moves to `origClientOrderId`."""
    document = placed_document(order, "RESULT")
    return document | {"origClientOrderId": order.client_id, "clientOrderId": cancel_id}


def group_document(group: Group, *, reports: str = "") -> Json:
    """An order list; `reports` names the detail in which its orders are attached."""
    live = any(order.is_live for order in group.orders)
    kind = "OTO" if group.first else "OCO"
    document = {
        "orderListId": group.number,
        "contingencyType": kind,
        "listStatusType": "EXEC_STARTED" if live else "ALL_DONE",
        "listOrderStatus": "EXECUTING" if live else "ALL_DONE",
        "listClientOrderId": group.client_id,
        "transactionTime": group.created_ms,
        "symbol": market_id(group.instrument),
        "orders": [
            {"symbol": market_id(group.instrument), "orderId": int(order.id), "clientOrderId": order.client_id}
            for order in group.orders
        ],
    }
    if reports:
        document["orderReports"] = [placed_document(order, reports) for order in group.orders]
    return document


def fill_document(order: Order, fill: Fill) -> Json:
    """One execution as `myTrades` shows it."""
    return {
        "symbol": market_id(order.instrument),
        "id": fill.number,
        "orderId": int(order.id),
        "orderListId": order.group.number if order.group else -1,
        "price": eight(fill.price),
        "qty": eight(fill.quantity),
        "quoteQty": eight(fill.notional),
        "commission": eight(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": fill.at_ms,
        "isBuyer": order.side == "buy",
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


def report_document(event: OrderChanged, now_ms: int) -> Json:
    """The `executionReport` of the user data stream."""
    order, fill = event.order, event.fill
    trigger = order.request.trigger
    return {
        "e": "executionReport",
        "E": now_ms,
        "s": market_id(order.instrument),
        "c": order.client_id,
        "S": order.side.upper(),
        "o": order.request.details["type"],
        "f": order.request.time_in_force.removesuffix("-MISS"),
        "q": eight(order.quantity),
        "p": eight(order.price),
        "P": eight(trigger.price if trigger else None),
        "F": "0.00000000",
        "g": order.group.number if order.group else -1,
        "C": "",
        "x": _EXECUTIONS.get(event.execution, "NEW"),
        "X": status_of(order),
        "r": "NONE",
        "i": int(order.id),
        "l": eight(fill.quantity if fill else None),
        "z": eight(order.filled),
        "L": eight(fill.price if fill else None),
        "n": eight(fill.fee) if fill else "0",
        "N": fill.fee_currency if fill else None,
        "T": fill.at_ms if fill else order.updated_ms,
        "t": fill.number if fill else -1,
        "I": order.number,
        "w": order.resting,
        "m": bool(fill and fill.maker),
        "M": False,
        "O": order.created_ms,
        "Z": eight(order.notional),
        "Y": eight(fill.notional if fill else None),
        "Q": eight(order.request.budget),
    }


def balances_document(account: Account, assets: list[str], *, short: bool) -> list[Json]:
    """Free and locked amounts, in the words of the account route or of the stream."""
    names = ("a", "f", "l") if short else ("asset", "free", "locked")
    return [
        dict(zip(names, (asset, eight(account.free(asset)), eight(account.reserved[asset])), strict=True))
        for asset in assets
    ]


def market_document(venue: Venue, instrument: Instrument) -> Json:
    """One entry of `exchangeInfo`."""
    return {
        "symbol": market_id(instrument),
        "status": "TRADING" if instrument.trading else "HALT",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ORDER_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _filters(instrument: Instrument) -> list[Json]:
    tick, step = eight(instrument.price_tick), eight(instrument.quantity_step)
    least, most = eight(instrument.min_notional), eight(instrument.max_notional)
    band, inverse = str(instrument.band), str(1 / instrument.band)
    low, high = eight(instrument.min_quantity), eight(instrument.max_quantity)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": low, "maxQty": high, "stepSize": step},
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": band,
            "bidMultiplierDown": inverse,
            "askMultiplierUp": band,
            "askMultiplierDown": inverse,
            "avgPriceMins": 0,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": least,
            "applyMinToMarket": True,
            "maxNotional": most,
            "applyMaxToMarket": True,
            "avgPriceMins": 0,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 20000},
    ]
