"""Kraken spot: open orders, balances and trades of the account.

Source: Kraken's Spot REST documentation (`/0/private`), as ccxt 4.5.90 sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engines.execution.broker import Balance, OpenOrder
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.dialect import Execution, Market, Trade
from engines.execution.venues.documents import amount, moment, positive, side_of, table, text
from engines.execution.venues.failures import Unproven
from engines.execution.venues.kraken_ids import own_id

_PAGE: Final = 50
_ORDERS_PER_QUERY: Final = 50


class KrakenAccount:
    """Reads the account through a client with keys."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        # What an order was placed under, and whether it pays its fees in base currency.
        self._known: dict[str, tuple[str, bool]] = {}

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """`OpenOrders` of all markets."""
        found = table(self._client.call("private_post_openorders", {}, "survey"), "result", "open")
        return tuple(self._open(order_id, row) for order_id, row in found.items())

    def balances(self) -> dict[str, Balance]:
        """`BalanceEx`; what open orders hold is not free."""
        told = table(self._client.call("private_post_balanceex", {}, "survey"), "result")
        found = {}
        for name in told:
            row = table(told, name)
            total, held = amount(row, "balance"), positive(row, "hold_trade") or 0
            if total:
                found[self._client.currency_of(name)] = Balance(total, total - held)
        return found

    def trades(self, markets: Iterable[Market], after_ms: int) -> dict[str, tuple[Trade, ...]]:
        """`TradesHistory`, newest first and of all markets at once, and `QueryOrders` for what was placed under."""
        wanted = tuple(markets)
        by_name = {name: market for market in wanted for name in (market.id, market.alias)}
        own = {
            trade_id: row
            for trade_id, row in self._history(after_ms).items()
            if row.get("pair") in by_name and amount(row, "time") * 1000 >= after_ms
        }
        orders = self._orders({text(row, "ordertxid") for row in own.values()})
        found: dict[str, list[Trade]] = {market.symbol: [] for market in wanted}
        for trade_id, row in own.items():
            market, (name, in_base) = by_name[row["pair"]], orders[text(row, "ordertxid")]
            fee_currency = market.base if in_base else market.quote
            found[market.symbol].append(Trade(name, side_of(row, "type"), execution(trade_id, row, fee_currency)))
        return {symbol: tuple(trades) for symbol, trades in found.items()}

    def _history(self, after_ms: int) -> dict[str, Mapping[str, Any]]:
        """Trades that come in between two pages push older ones on: they are told twice and never left out."""
        found: dict[str, Mapping[str, Any]] = {}
        offset = 0
        # Kraken leaves out the very time that it is asked for.
        start = str(after_ms // 1000 - 1)
        while True:
            params = {"start": start, "ofs": str(offset)}
            told = table(self._client.call("private_post_tradeshistory", params, "survey", 2), "result")
            page = table(told, "trades")
            found |= {trade_id: table(page, trade_id) for trade_id in page}
            offset += len(page)
            if len(page) < _PAGE or offset >= int(amount(told, "count")):
                return found

    def _orders(self, order_ids: set[str]) -> dict[str, tuple[str, bool]]:
        """What orders were placed under, and whether their fees are in base currency.

        Raises:
            Unproven: Kraken lists a trade of an order that it does not show.
        """
        unknown = sorted(order_ids - self._known.keys())
        for first in range(0, len(unknown), _ORDERS_PER_QUERY):
            wanted = unknown[first : first + _ORDERS_PER_QUERY]
            told = table(self._client.call("private_post_queryorders", {"txid": ",".join(wanted)}, "survey"), "result")
            for order_id in wanted:
                if order_id not in told:
                    raise Unproven(f"Kraken does not show order {order_id} of a trade that it lists.")
                row = table(told, order_id)
                flags = str(row.get("oflags", "")).split(",")
                self._known[order_id] = placed_under(row) or order_id, "fcib" in flags
        return {order_id: self._known[order_id] for order_id in order_ids}

    def _open(self, order_id: str, row: Mapping[str, Any]) -> OpenOrder:
        descr = table(row, "descr")
        kind = text(descr, "ordertype")
        first, second = positive(descr, "price"), positive(descr, "price2")
        plain = kind in {"limit", "market", "iceberg"}
        quantity = amount(row, "vol")
        if "viqc" in str(row.get("oflags", "")) and first is not None:
            # Only orders of others are told in quote currency: about so much of the base.
            quantity = quantity / first
        return OpenOrder(
            client_order_id=placed_under(row),
            venue_order_id=order_id,
            symbol=self._client.symbol_of(text(descr, "pair")),
            side=side_of(descr, "type"),
            order_type="stop" if not plain else "market" if kind == "market" else "limit",
            quantity=quantity,
            filled=amount(row, "vol_exec"),
            limit_price=first if plain else second,
            stop_price=None if plain else first,
        )


def placed_under(row: Mapping[str, Any]) -> str:
    """Our id of an order document; the placer's own where it is not ours, empty where it has none."""
    theirs = str(row.get("cl_ord_id") or "")
    return own_id(theirs) or theirs


def execution(trade_id: str, row: Mapping[str, Any], fee_currency: str) -> Execution:
    """A row of Kraken's trade lists, which leave out the fee's currency."""
    return Execution(
        id=trade_id,
        price=amount(row, "price"),
        quantity=amount(row, "vol"),
        fee=amount(row, "fee"),
        fee_currency=fee_currency,
        time=moment(amount(row, "time") * 1000),
    )
