"""Whatever a venue sends, it is our order, or it proves nothing: no document breaks a look-up in another way."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.orders import OrderTicket
from engines.execution.venues import EXERCISED, VENUES
from engines.execution.venues.dialect import Execution, Market, Sighting
from engines.execution.venues.failures import NoAnswer
from engines.execution.venues.kraken import kraken_id
from engines.execution.venues.standing import standing_of

OURS = "qtp-0123456789abcdef01234567"
MARKET = Market(
    symbol="BTC/USDT",
    id="BTCUSDT",
    alias="XBTUSDT",
    base="BTC",
    quote="USDT",
    is_trading=True,
    lot_size=Decimal("0.00001"),
    taker_fee=Decimal("0.001"),
    order_types=frozenset(),
)
WORDS = ("BTCUSDT", OURS, "BUY", "NEW", "Filled", "closed", "0.1", "NaN", "-1", "1e999", "")
NUMBERS = st.one_of(st.integers(-(10**30), 10**30), st.floats())
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.sampled_from(WORDS), st.text())
JSON = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(), inner, max_size=2))
)

_TRADE = {"orderId": 1, "price": "50000", "qty": "0.1", "commission": "0", "commissionAsset": "BTC", "time": 1}
_REPLY_TRADES = [{**_TRADE, "tradeId": 7}]
_BINANCE = {
    "symbol": "BTCUSDT",
    "orderId": 1,
    "clientOrderId": OURS,
    "side": "BUY",
    "status": "FILLED",
    "origQty": "0.1",
    "executedQty": "0.1",
    "transactTime": 1_772_467_200_000,
}
_BYBIT = {
    "symbol": "BTCUSDT",
    "orderId": "1",
    "orderLinkId": OURS,
    "side": "Buy",
    "orderStatus": "Filled",
    "qty": "0.1",
    "cumExecQty": "0.1",
    "execId": "7",
    "execPrice": "1",
    "execQty": "0.1",
    "execFee": "0",
    "feeCurrency": "BTC",
    "execTime": "1772467200000",
}
_KRAKEN = {
    "cl_ord_id": kraken_id(OURS),
    "status": "closed",
    "descr": {"pair": "XBTUSDT", "type": "buy"},
    "vol": "0.1",
    "vol_exec": "0.1",
    "trades": ["T1"],
    "oflags": "fciq",
}
_KRAKEN_TRADE = {"ordertxid": "1", "price": "1", "vol": "0.1", "fee": "0", "time": 1_772_467_200.5}
DOCUMENTS: dict[str, list[Any]] = {
    "binance": [
        {**_BINANCE, "fills": _REPLY_TRADES, "serverTime": 1_772_467_200_000},
        [{**_TRADE, "id": 7}],
        {"orderReports": [_BINANCE]},
    ],
    "bybit": [
        {"result": {"list": [_BYBIT], "nextPageCursor": "", "orderLinkId": OURS, "orderId": "1", "timeNano": "1"}}
    ],
    "kraken": [
        {"result": {"open": {"OEMULA-00000-000001": _KRAKEN}, "closed": {}, "unixtime": 1_772_467_200}},
        {"result": {"T1": _KRAKEN_TRADE}},
        {"result": {"txid": ["OEMULA-00000-000001"]}},
    ],
}


@st.composite
def spoiled(draw: st.DrawFn, name: str) -> Any:
    """A document of the venue in which one or two values are others, or missing."""
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS[name])))
    for _ in range(draw(st.integers(0, 2))):
        place = document
        while True:
            keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            if isinstance(place, dict) and draw(st.booleans()):
                del place[key]
            else:
                place[key] = draw(JSON)
            break
    return document


class Answering:
    """Stands in for a client: it answers every request with the next document, the last one for good."""

    title = "The venue"

    def __init__(self, documents: list[Any]) -> None:
        self._documents = documents

    def call(self, method: str, params: Any, use: str, weight: float = 1.0) -> Any:
        return self._documents.pop(0) if len(self._documents) > 1 else self._documents[0]

    def now_ms(self) -> int:
        return 1_772_467_200_000


def dialect_of(name: Any, *documents: Any) -> Any:
    client: Any = Answering(list(documents))
    return VENUES[name][0](client)


@pytest.mark.parametrize("name", EXERCISED)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_spoiled_document_is_our_order_or_proves_nothing(
    name: str, data: st.DataObject, ticket: Callable[..., OrderTicket]
) -> None:
    documents = [data.draw(spoiled(name)) for _ in range(data.draw(st.integers(1, 2)))]
    known = Sighting(OURS, "1", "NEW", "accepted", "buy", Decimal(1), Decimal(1), trade_ids=("T1",), fee_currency="BTC")
    one = replace(ticket(), client_order_id=OURS)
    listed = replace(ticket(limit_price=49000, stop_loss=48000), client_order_id=OURS)
    with suppress(NoAnswer):
        seen = dialect_of(name, *documents).look_up(OURS, MARKET)
        assert seen is None or seen.client_order_id == OURS
    with suppress(NoAnswer):
        assert all(each.quantity.is_finite() for each in dialect_of(name, *documents).executions(known, MARKET))
    with suppress(NoAnswer):
        dialect_of(name, *documents).venue_time_ms()
    for sent in (one, listed):
        with suppress(NoAnswer):
            assert dialect_of(name, *documents).acknowledged(sent, MARKET, documents[0]).client_order_id == OURS


@pytest.mark.parametrize("name", EXERCISED)
def test_a_document_that_is_not_spoiled_is_read(name: str) -> None:
    seen = dialect_of(name, DOCUMENTS[name][0]).look_up(OURS, MARKET)
    assert (seen.status, seen.quantity, seen.executed) == ("filled", Decimal("0.1"), Decimal("0.1"))


def test_pages_that_never_end_prove_nothing() -> None:
    endless = {"result": {"list": [_BYBIT], "nextPageCursor": "again"}}
    with pytest.raises(NoAnswer, match="circle"):
        dialect_of("bybit", endless).look_up(OURS, MARKET)
    page = [{**_TRADE, "id": 7}] * 1000
    seen = Sighting(OURS, "1", "NEW", "accepted", "buy", Decimal(1), Decimal(1))
    with pytest.raises(NoAnswer, match="do not go on"):
        dialect_of("binance", page).executions(seen, MARKET)


@pytest.mark.parametrize("time", [10**30, -(10**30)])
def test_a_time_that_is_none_proves_nothing(time: int) -> None:
    seen = Sighting(OURS, "1", "NEW", "accepted", "buy", Decimal(1), Decimal(1))
    with pytest.raises(NoAnswer, match="which is none"):
        dialect_of("binance", [{**_TRADE, "id": 7, "time": time}]).executions(seen, MARKET)


AMOUNTS = st.integers(0, 8).map(Decimal)


@given(
    word=st.sampled_from(["accepted", "partially_filled", "filled", "cancelled", "rejected", None]),
    quantity=AMOUNTS,
    executed=AMOUNTS,
    trades=st.lists(AMOUNTS.filter(bool), max_size=4),
)
def test_an_order_is_done_only_when_all_of_it_is_known(
    word: Any, quantity: Decimal, executed: Decimal, trades: list[Decimal]
) -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    known = tuple(Execution(str(n), Decimal(1), each, Decimal(0), "USDT", at) for n, each in enumerate(trades))
    seen = Sighting(OURS, "1", str(word), word, "buy", quantity, executed)
    status, reason = standing_of(seen, known, "The venue")
    done = status in {"filled", "cancelled", "rejected"}
    assert not done or (status == word and sum(trades) == executed)
    assert status != "filled" or sum(trades) == quantity
    assert done or status == ("partially_filled" if trades else "accepted")
    assert reason or status == "filled" or word in {"accepted", "partially_filled"}
