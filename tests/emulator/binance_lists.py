"""Binance's order lists: OCO, OTO and OTOCO."""

from __future__ import annotations

from dataclasses import replace

from .binance_market import BinanceMarket
from .binance_orders import check_legs, client_id, parse_leg
from .binance_words import group_document
from .dialect import Dialect
from .exchanges import Json
from .orders import Group, NewOrder, Refusal


class BinanceLists:
    """Routes that place, show and cancel lists."""

    def __init__(self, dialect: Dialect, market: BinanceMarket) -> None:
        self._venue = dialect.venue
        self._engine = dialect.engine
        self._market = market

    def _own_id(self) -> str:
        return f"venue{self._venue.number('own id'):017d}"

    def _legs(self, params: dict[str, str], prefix: str, side: str, quantity: str) -> list[NewOrder]:
        instrument = self._venue.instrument(self._market.symbol(params))
        common = {"side": params.get(side, ""), "quantity": params.get(quantity, "")}
        names = (prefix + "Above", prefix + "Below") if prefix else ("above", "below")
        return [parse_leg(params, name, common, instrument, self._own_id()) for name in names]

    def oco(self, params: dict[str, str]) -> Json:
        """`POST orderList/oco`."""
        above, below = self._legs(params, "", "side", "quantity")
        check_legs(above, below, self._venue.last[above.instrument.symbol])
        return self._placed(self._engine.place_group(None, [above, below], self._list_id(params)), params)

    def old_oco(self, params: dict[str, str]) -> Json:
        """`POST order/oco`: the older words for the same."""
        limited = "stopLimitPrice" in params
        stop = {"Type": "STOP_LOSS_LIMIT" if limited else "STOP_LOSS", "StopPrice": params.get("stopPrice", "")}
        stop |= (
            {"Price": params["stopLimitPrice"], "TimeInForce": params.get("stopLimitTimeInForce", "")}
            if limited
            else {}
        )
        stop |= {"ClientOrderId": params["stopClientOrderId"]} if "stopClientOrderId" in params else {}
        take = {"Type": "LIMIT_MAKER", "Price": params.get("price", "")}
        take |= {"ClientOrderId": params["limitClientOrderId"]} if "limitClientOrderId" in params else {}
        top, bottom = (stop, take) if params.get("side") == "BUY" else (take, stop)
        legs = {f"above{name}": text for name, text in top.items()} | {
            f"below{name}": text for name, text in bottom.items()
        }
        common = {name: text for name, text in params.items() if name not in {"price", "stopPrice"}}
        return self.oco(common | legs)

    def oto(self, params: dict[str, str]) -> Json:
        """`POST orderList/oto`."""
        instrument = self._venue.instrument(self._market.symbol(params))
        first, second = (parse_leg(params, name, {}, instrument, self._own_id()) for name in ("working", "pending"))
        return self._placed(self._engine.place_group(first, [second], self._list_id(params)), params)

    def otoco(self, params: dict[str, str]) -> Json:
        """`POST orderList/otoco`."""
        instrument = self._venue.instrument(self._market.symbol(params))
        first = parse_leg(params, "working", {}, instrument, self._own_id())
        if first.details["type"] not in {"LIMIT", "LIMIT_MAKER"}:
            raise Refusal("order type", first.details["type"])
        above, below = self._legs(params, "pending", "pendingSide", "pendingQuantity")
        check_legs(above, below, None)
        rest = [replace(leg, post_only=False) for leg in (above, below)]
        return self._placed(self._engine.place_group(first, rest, self._list_id(params)), params)

    def _list_id(self, params: dict[str, str]) -> str:
        given = client_id(params, "listClientOrderId", self._own_id())
        if any(
            group.client_id == given and any(o.is_live for o in group.orders) for group in self._venue.groups.values()
        ):
            raise Refusal("duplicate client id", given)
        return given

    def _placed(self, group: Group, params: dict[str, str]) -> Json:
        self._venue.accepts[group.client_id] += 1
        return group_document(group, reports=params.get("newOrderRespType", "RESULT"))

    def _find_list(self, params: dict[str, str]) -> Group:
        named = params.get("origClientOrderId") or params.get("listClientOrderId")
        for group in reversed(list(self._venue.groups.values())):
            wanted = group.client_id == named if named else group.id == params.get("orderListId")
            if wanted and all(self._venue.is_visible(order) for order in group.orders):
                return group
        raise Refusal("list not found")

    def list_lookup(self, params: dict[str, str]) -> Json:
        """`GET orderList`."""
        return group_document(self._find_list(params))

    def lists(self, params: dict[str, str]) -> Json:
        """`GET allOrderList`."""
        return [group_document(group) for group in self._venue.groups.values()][-int(params.get("limit", "500")) :]

    def open_lists(self, params: dict[str, str]) -> Json:
        """`GET openOrderList`."""
        del params
        return [group_document(g) for g in self._venue.groups.values() if any(o.is_live for o in g.orders)]

    def cancel_list(self, params: dict[str, str]) -> Json:
        """`DELETE orderList`."""
        group = self._find_list(params)
        self._engine.cancel_group(group)
        return group_document(group, reports="RESULT")
