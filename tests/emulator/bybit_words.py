"""Bybit's documents for orders, executions, balances and markets."""

from __future__ import annotations

from .accounts import Account
from .amounts import ZERO, plain
from .exchanges import Json
from .instruments import Instrument
from .orders import Fill, Order, Trigger

_FORCES = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK"}


def market_id(instrument: Instrument) -> str:
    """`BTCUSDT` for `BTC/USDT`."""
    return instrument.base + instrument.quote


def status_of(order: Order) -> str:
    """The venue's word for the order's state."""
    if order.state in {"waiting", "untriggered"}:
        return "Untriggered"
    if order.state == "open":
        return "PartiallyFilled" if order.filled else "New"
    if order.state == "filled":
        return "Filled"
    if order.filled:
        return "PartiallyFilledCanceled"
    return "Deactivated" if order.request.trigger and order.triggered_ms is None else "Cancelled"


def _reject_reason(order: Order) -> str:
    reasons = {"post only": "EC_PostOnlyWillTakeLiquidity", "no liquidity": "EC_NoImmediateQtyToFill"}
    return reasons.get(order.reason, "EC_PerCancelRequest" if order.state == "cancelled" else "EC_NoError")


def order_document(order: Order) -> Json:
    """An order as look-ups and the order stream show it."""
    request, trigger = order.request, order.request.trigger
    in_quote = request.budget is not None
    first = order.group.first if order.group else None
    attached = {
        name: request.details.get(name, "") for name in ("takeProfit", "stopLoss", "tpLimitPrice", "slLimitPrice")
    }
    return {
        "category": "spot",
        "symbol": market_id(order.instrument),
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "side": order.side.capitalize(),
        "orderStatus": status_of(order),
        "cancelType": "CancelByUser" if order.state == "cancelled" else "UNKNOWN",
        "rejectReason": _reject_reason(order),
        "createType": "CreateByUser",
        "timeInForce": "PostOnly" if request.post_only else _FORCES.get(request.time_in_force, "FOK"),
        "orderType": "Market" if request.is_market else "Limit",
        "stopOrderType": request.details.get("stopOrderType", ""),
        "orderFilter": request.details.get("orderFilter", "Order"),
        "price": plain(order.price or ZERO),
        "qty": plain(request.budget if in_quote and request.budget is not None else order.quantity),
        "marketUnit": request.details.get("marketUnit", ""),
        "avgPrice": plain(order.average),
        "leavesQty": plain(order.remaining if order.is_live else ZERO),
        "leavesValue": plain(order.remaining * (order.price or ZERO) if order.is_live else ZERO),
        "cumExecQty": plain(order.filled),
        "cumExecValue": plain(order.notional),
        "cumExecFee": plain(sum((fill.fee for fill in order.fills), ZERO)),
        "cumFeeDetail": {currency: plain(fee) for currency, fee in order.fees().items()},
        **_trigger_part(trigger),
        "parentOrderLinkId": first.client_id if first and first is not order else "",
        **attached,
        "tpslMode": request.details.get("tpslMode", ""),
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
    }


def _trigger_part(trigger: Trigger | None) -> Json:
    return {
        "triggerPrice": plain(trigger.price if trigger else ZERO),
        "triggerDirection": {"up": 1, "down": 2}[trigger.direction] if trigger else 0,
        "triggerBy": "LastPrice" if trigger else "",
    }


def execution_document(order: Order, fill: Fill) -> Json:
    """One execution as the list and the stream show it."""
    rate = fill.fee / (fill.quantity if fill.fee_currency == order.instrument.base else fill.notional)
    return {
        "category": "spot",
        "symbol": market_id(order.instrument),
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "side": order.side.capitalize(),
        "orderType": "Market" if order.request.is_market else "Limit",
        "orderPrice": plain(order.price or ZERO),
        "orderQty": plain(order.quantity),
        "leavesQty": plain(order.remaining),
        "execId": fill.id,
        "execPrice": plain(fill.price),
        "execQty": plain(fill.quantity),
        "execValue": plain(fill.notional),
        "execFee": plain(fill.fee),
        "feeCurrency": fill.fee_currency,
        "feeRate": f"{rate:.6f}",
        "execType": "Trade",
        "execTime": str(fill.at_ms),
        "isMaker": fill.maker,
        "isLeverage": "0",
        "stopOrderType": order.request.details.get("stopOrderType", ""),
        "seq": fill.number,
    }


def wallet_document(account: Account, assets: list[str]) -> Json:
    """The unified account with some of its coins."""
    return {
        "accountType": "UNIFIED",
        "accountIMRate": "0",
        "totalEquity": "0",
        "totalWalletBalance": "0",
        "totalAvailableBalance": "0",
        "coin": [
            {
                "coin": asset,
                "equity": plain(account.total[asset]),
                "usdValue": "0",
                "walletBalance": plain(account.total[asset]),
                "free": "",
                "locked": plain(account.reserved[asset]),
                "availableToWithdraw": "",
                "borrowAmount": "0",
                "totalOrderIM": "0",
                "totalPositionIM": "0",
                "unrealisedPnl": "0",
                "cumRealisedPnl": "0",
            }
            for asset in assets
        ],
    }


def market_document(instrument: Instrument) -> Json:
    """One entry of `instruments-info`."""
    return {
        "symbol": market_id(instrument),
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "innovation": "0",
        "status": "Trading" if instrument.trading else "PreLaunch",
        "marginTrading": "none",
        "lotSizeFilter": {
            "basePrecision": plain(instrument.quantity_step),
            "quotePrecision": "0.00000001",
            "minOrderQty": plain(instrument.min_quantity),
            "maxOrderQty": plain(instrument.max_quantity),
            "minOrderAmt": plain(instrument.min_notional),
            "maxOrderAmt": plain(instrument.max_notional),
        },
        "priceFilter": {"tickSize": plain(instrument.price_tick)},
        "riskParameters": {"priceLimitRatioX": "0.1", "priceLimitRatioY": "0.1"},
    }
