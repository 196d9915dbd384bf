"""ccxt as it is, against the emulator's Kraken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import ccxt
import pytest

Open = Callable[..., Any]
Make = Callable[..., Any]


@pytest.fixture
def venue(open_venue: Open) -> Any:
    return open_venue("kraken")


@pytest.fixture
def client(sync_client: Make) -> Any:
    return sync_client("kraken")


async def soon(waiting: Any) -> Any:
    return await asyncio.wait_for(waiting, 10)


def test_markets_and_public_data_are_answered(venue: Any, client: Any) -> None:
    markets = client.load_markets()
    assert {symbol: market["id"] for symbol, market in markets.items()} == {
        "BTC/USD": "XXBTZUSD",
        "ETH/USD": "XETHZUSD",
        "BTC/USDT": "XBTUSDT",
        "ETH/BTC": "XETHXXBT",
    }
    assert markets["BTC/USD"]["limits"]["cost"]["min"] == 0.5
    assert markets["BTC/USD"]["precision"] == {"amount": 1e-8, "price": 0.1}
    venue.crowd(symbol="BTC/USD", side="buy", quantity="0.5")
    assert client.fetch_ticker("BTC/USD")["last"] == 50005.0
    assert set(client.fetch_tickers()) == set(markets)
    assert client.fetch_order_book("BTC/USD", 3)["asks"][0][:2] == [50005.0, 4.5]
    assert client.fetch_trades("BTC/USD")[-1]["amount"] == 0.5
    hour = (int(time.time()) // 3600 - 30) * 3_600_000
    assert [row[0] for row in client.fetch_ohlcv("BTC/USD", "1h", hour, 3)] == [hour + i * 3_600_000 for i in range(3)]


def test_the_client_id_finds_open_and_closed_orders_in_two_places(venue: Any, client: Any) -> None:
    placed = client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert placed["clientOrderId"] is None
    mine = {"clientOrderId": "qtp-1"}
    [found] = client.fetch_open_orders("BTC/USD", params=mine)
    assert (found["id"], found["clientOrderId"], found["status"], found["price"]) == (
        placed["id"],
        "qtp-1",
        "open",
        49000,
    )
    assert client.fetch_closed_orders("BTC/USD", params=mine) == []
    client.cancel_order(None, "BTC/USD", mine)
    assert client.fetch_open_orders("BTC/USD", params=mine) == []
    [ended] = client.fetch_closed_orders("BTC/USD", params=mine)
    assert (ended["id"], ended["status"]) == (placed["id"], "canceled")


def test_the_look_up_that_looks_right_asks_for_another_field(venue: Any, client: Any) -> None:
    client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    with pytest.raises(ccxt.BadRequest):
        client.fetch_order("", "BTC/USD", {"clientOrderId": "qtp-1"})
    sent = venue.log(route="lookup")[-1]["params"]
    assert (sent["txid"], sent["userref"]) == ("", "qtp-1")


def test_an_open_client_id_is_refused_twice_and_a_closed_one_is_taken_again(venue: Any, client: Any) -> None:
    client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    with pytest.raises(ccxt.ExchangeError, match="cl_ord_id"):
        client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    for _ in range(2):
        client.create_order("BTC/USD", "market", "buy", 0.1, None, {"clientOrderId": "qtp-2"})
    assert venue.truth()["accepts"] == {"qtp-1": 1, "qtp-2": 2}


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("a" * 18, True),
        ("da8e4ad59b78481c93e589746b0cf91f", True),
        ("6d1b345e-2821-40e2-ad83-4ecb18a06876", True),
        ("qtp-01JD5ZK8Q2V7W3X4Y5Z6A7B8C9", False),
    ],
)
def test_a_client_id_is_a_uuid_or_a_short_text(venue: Any, client: Any, text: str, taken: bool) -> None:
    order = ("BTC/USD", "limit", "buy", 0.1, 49000, {"clientOrderId": text})
    if not taken:
        with pytest.raises(ccxt.ExchangeError, match="Invalid arguments:cl_ord_id"):
            client.create_order(*order)
    else:
        client.create_order(*order)
    assert venue.truth()["accepts"] == ({text: 1} if taken else {})


def test_partial_fills_and_their_fees_in_quote_currency_are_told(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USD", "limit", "buy", 1, 49999)
    assert client.fetch_balance()["USD"]["used"] == pytest.approx(49999 * 1.004)
    venue.crowd(symbol="BTC/USD", side="sell", quantity="0.25", price="49999")
    found = client.fetch_order(order["id"], "BTC/USD")
    assert (found["filled"], found["remaining"], found["status"]) == (0.25, 0.75, "open")
    assert (float(found["fee"]["cost"]), found["fee"]["currency"]) == (31.249375, "USD")
    client.cancel_order(order["id"], "BTC/USD")
    assert client.fetch_order(order["id"], "BTC/USD")["filled"] == 0.25
    [trade] = client.fetch_my_trades("BTC/USD")
    assert (trade["amount"], trade["takerOrMaker"], trade["fee"]) == (
        0.25,
        "maker",
        {"cost": 31.249375, "currency": "USD"},
    )
    assert client.fetch_balance()["USD"]["used"] == 0
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(order["id"], "BTC/USD")


def test_a_fee_in_base_currency_may_be_asked_for(venue: Any, client: Any) -> None:
    client.create_order("BTC/USD", "market", "buy", 1, None, {"oflags": "fcib"})
    assert venue.truth()["fills"][-1]["fee_currency"] == "BTC"
    assert client.fetch_balance()["BTC"]["total"] == 10.996


def test_trades_are_paged_by_offset(venue: Any, client: Any) -> None:
    for _ in range(55):
        venue.external(symbol="BTC/USD", side="buy", quantity="0.001")
    pages = [client.private_post_tradeshistory({"ofs": start})["result"] for start in (0, 50)]
    assert [(len(page["trades"]), page["count"]) for page in pages] == [(50, 55), (5, 55)]
    assert len({name for page in pages for name in page["trades"]}) == 55


@pytest.mark.parametrize(
    ("order", "error", "code"),
    [
        (("limit", "buy", 0.00001, 49000), ccxt.InvalidOrder, "volume minimum not met"),
        (("limit", "buy", 25, 49000), ccxt.InsufficientFunds, "Insufficient funds"),
        (("market", "sell", 10.00001, None), ccxt.InsufficientFunds, "Insufficient funds"),
        (("limit", "buy", 0.1, 50005, {"postOnly": True}), ccxt.ExchangeError, "Post only"),
    ],
)
def test_filters_refuse_with_the_venues_own_words(
    venue: Any, client: Any, order: tuple[Any, ...], error: type[Exception], code: str
) -> None:
    with pytest.raises(error, match=code):
        client.create_order("BTC/USD", *order)
    assert venue.truth()["orders"] == []


def test_a_stop_sleeps_until_its_price_trades(venue: Any, client: Any) -> None:
    stop = client.create_order("BTC/USD", "market", "sell", 1, None, {"stopLossPrice": 49000})
    assert client.fetch_order(stop["id"], "BTC/USD")["stopLossPrice"] == 49000
    venue.price(symbol="BTC/USD", price="49500")
    assert client.fetch_order(stop["id"], "BTC/USD")["filled"] == 0
    venue.price(symbol="BTC/USD", price="49000")
    found = client.fetch_order(stop["id"], "BTC/USD")
    assert (found["status"], found["filled"]) == ("closed", 1)


def test_a_conditional_close_follows_each_execution(venue: Any, client: Any) -> None:
    close = {"ordertype": "stop-loss", "price": 48000}
    client.create_order("BTC/USD", "limit", "buy", 1, 49999, {"close": close, "clientOrderId": "qtp-1"})
    venue.crowd(symbol="BTC/USD", side="sell", quantity="0.25", price="49999")
    stops = [o for o in client.fetch_open_orders("BTC/USD") if o["side"] == "sell"]
    assert [(order["amount"], order["stopLossPrice"]) for order in stops] == [(0.25, 48000)]
    venue.price(symbol="BTC/USD", price="47900")
    assert client.fetch_balance()["BTC"]["total"] == 10
    assert client.fetch_open_orders("BTC/USD") == []


def test_an_order_after_its_deadline_is_refused_and_one_past_its_time_expires(venue: Any, client: Any) -> None:
    late = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    with pytest.raises(ccxt.ExchangeError, match="Deadline elapsed"):
        client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"deadline": late})
    order = client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"timeInForce": "GTD", "expiretm": "+60"})
    venue.clock(advance_ms=60_000)
    assert client.fetch_order(order["id"], "BTC/USD")["status"] == "expired"


def test_validate_books_nothing(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"validate": "true"})
    assert order["id"] is None
    assert venue.truth()["orders"] == []


def test_an_amended_order_keeps_its_id(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USD", "limit", "buy", 1, 49000)
    client.edit_order(order["id"], "BTC/USD", "limit", "buy", 0.5, 48000)
    [found] = client.fetch_open_orders("BTC/USD")
    assert (found["id"], found["amount"], found["price"]) == (order["id"], 0.5, 48000)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"secret": "d3Jvbmc="}, "EAPI:Invalid signature"), ({"apiKey": "wrong"}, "EAPI:Invalid key")],
)
def test_wrong_keys_are_refused(venue: Any, sync_client: Make, changes: dict[str, str], code: str) -> None:
    with pytest.raises(ccxt.ExchangeError, match=code):
        sync_client("kraken", **changes).private_post_balance()


def test_a_nonce_that_does_not_grow_is_refused(venue: Any, sync_client: Make) -> None:
    client = sync_client("kraken", timeout=4999)
    client.private_post_balance()
    client.incrementing_nonce = lambda: 1
    with pytest.raises(ccxt.InvalidNonce):
        client.private_post_balance()


@pytest.mark.parametrize(
    ("fault", "error", "accepts"),
    [
        ("unavailable_before", ccxt.ExchangeNotAvailable, 0),
        ("unavailable_after", ccxt.ExchangeNotAvailable, 1),
        ("timeout_after", ccxt.RequestTimeout, 1),
        ("drop_after", ccxt.NetworkError, 1),
        ("status_unknown", ccxt.ExchangeNotAvailable, 1),
        ("timeout_code", ccxt.ExchangeNotAvailable, 1),
        ("rate_limited", ccxt.DDoSProtection, 0),
        ("banned", ccxt.DDoSProtection, 0),
    ],
)
def test_faults_raise_their_classes(
    venue: Any, sync_client: Make, fault: str, error: type[Exception], accepts: int
) -> None:
    client = sync_client("kraken", timeout=400)
    client.load_markets()
    venue.fault(route="create", kind=fault, seconds=0.8)
    with pytest.raises(error):
        client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert venue.truth()["accepts"].get("qtp-1", 0) == accepts


@pytest.mark.parametrize("fault", ["empty", "no_id"])
def test_a_reply_without_an_order_is_no_error_to_the_client(venue: Any, client: Any, fault: str) -> None:
    client.load_markets()
    venue.fault(route="create", kind=fault)
    order = client.create_order("BTC/USD", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert order["id"] is None
    assert venue.truth()["accepts"] == {"qtp-1": 1}


@pytest.mark.anyio
async def test_public_streams_arrive(venue: Any, pro_client: Make) -> None:
    async with pro_client("kraken") as client:
        await client.load_markets()
        trades = asyncio.create_task(client.watch_trades("BTC/USD"))
        candles = asyncio.create_task(client.watch_ohlcv("BTC/USD", "1h"))
        book = await soon(client.watch_order_book("BTC/USD"))
        assert book["asks"][0] == [50005.0, 5.0]
        await venue.subscribed(3)
        changed = asyncio.create_task(client.watch_order_book("BTC/USD"))
        await asyncio.sleep(0)
        await venue.aside("crowd", symbol="BTC/USD", side="buy", quantity="0.5")
        assert (await soon(trades))[0]["amount"] == 0.5
        assert (await soon(candles))[-1][4] == 50005.0
        assert (await soon(changed))["asks"][0] == [50005.0, 4.5]


@pytest.mark.anyio
async def test_the_accounts_own_events_arrive(venue: Any, pro_client: Make) -> None:
    async with pro_client("kraken") as client:
        await client.load_markets()
        await client.watch_balance()
        trades = asyncio.create_task(client.watch_my_trades())
        balance = asyncio.create_task(client.watch_balance())
        await venue.subscribed(2)
        await client.create_order("BTC/USD", "market", "buy", 1, None, {"clientOrderId": "qtp-1"})
        [trade] = await soon(trades)
        assert (trade["amount"], trade["price"], trade["fee"]) == (1.0, 50005.0, {"cost": 200.02, "currency": "USD"})
        assert trade["info"]["cl_ord_id"] == "qtp-1"
        assert (await soon(balance))["BTC"]["total"] == 11
        orders = asyncio.create_task(client.watch_orders())
        await asyncio.sleep(0)
        order = await client.create_order("BTC/USD", "limit", "buy", 1, 49000)
        seen = await soon(orders)
        assert order["id"] in {each["id"] for each in seen}


@pytest.mark.anyio
async def test_a_stream_without_a_token_is_refused(venue: Any, pro_client: Make) -> None:
    async with pro_client("kraken", secret="d3Jvbmc=") as client:
        with pytest.raises(ccxt.ExchangeError, match="Invalid signature"):
            await soon(client.watch_orders())
