"""ccxt as it is, against the emulator's Bybit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import ccxt
import pytest

Open = Callable[..., Any]
Make = Callable[..., Any]


@pytest.fixture
def venue(open_venue: Open) -> Any:
    return open_venue("bybit")


@pytest.fixture
def client(sync_client: Make) -> Any:
    return sync_client("bybit")


async def soon(waiting: Any) -> Any:
    return await asyncio.wait_for(waiting, 10)


def test_markets_and_public_data_are_answered(venue: Any, client: Any) -> None:
    market = client.load_markets()["BTC/USDT"]
    assert market["precision"]["amount"] == 1e-6
    assert market["limits"]["cost"]["min"] == 5
    venue.crowd(symbol="BTC/USDT", side="buy", quantity="0.5")
    assert client.fetch_ticker("BTC/USDT")["last"] == 50005.0
    assert client.fetch_order_book("BTC/USDT", 3)["asks"][0] == [50005.0, 4.5]
    assert client.fetch_trades("BTC/USDT")[-1]["amount"] == 0.5
    assert abs(client.fetch_time() - time.time() * 1000) < 2000
    hour = (int(time.time()) // 3600 - 30) * 3_600_000
    assert [row[0] for row in client.fetch_ohlcv("BTC/USDT", "1h", hour, 3)] == [hour + i * 3_600_000 for i in range(3)]


def test_the_order_link_id_finds_live_and_ended_orders_in_two_places(venue: Any, client: Any) -> None:
    client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    mine = {"orderLinkId": "qtp-1"}
    [found] = client.fetch_open_orders("BTC/USDT", params=mine)
    assert (found["clientOrderId"], found["status"]) == ("qtp-1", "open")
    assert client.fetch_canceled_and_closed_orders("BTC/USDT", params=mine) == []
    client.cancel_order(None, "BTC/USDT", mine)
    assert client.fetch_open_orders("BTC/USDT", params=mine) == []
    [ended] = client.fetch_canceled_and_closed_orders("BTC/USDT", params=mine)
    assert (ended["clientOrderId"], ended["status"]) == ("qtp-1", "canceled")


def test_the_look_ups_that_look_right_find_nothing(venue: Any, client: Any) -> None:
    client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_open_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})
    assert venue.log(route="open_orders")[-1]["params"]["clientOrderId"] == "qtp-1"
    with pytest.raises(ccxt.BadRequest, match="10001"):
        client.cancel_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})
    client.cancel_all_orders("BTC/USDT")
    assert client.fetch_closed_orders("BTC/USDT", params={"orderLinkId": "qtp-1"}) == []


def test_a_link_id_is_taken_once_and_for_all(venue: Any, client: Any) -> None:
    for kind, price in (("limit", 49000), ("market", None)):
        order = ("BTC/USDT", kind, "buy", 0.1, price, {"clientOrderId": f"qtp-{kind}"})
        client.create_order(*order)
        with pytest.raises(ccxt.InvalidOrder, match="170141"):
            client.create_order(*order)
    assert venue.truth()["accepts"] == {"qtp-limit": 1, "qtp-market": 1}


def test_partial_fills_their_fees_and_a_cancel_are_told(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USDT", "limit", "buy", 1, 49999, {"clientOrderId": "qtp-1"})
    venue.crowd(symbol="BTC/USDT", side="sell", quantity="0.25", price="49999")
    [found] = client.fetch_open_orders("BTC/USDT", params={"orderLinkId": "qtp-1"})
    assert (found["filled"], found["remaining"], found["status"]) == (0.25, 0.75, "open")
    client.cancel_order(order["id"], "BTC/USDT")
    [ended] = client.fetch_canceled_and_closed_orders("BTC/USDT", params={"orderLinkId": "qtp-1"})
    assert ended["filled"] == 0.25
    assert ended["info"]["orderStatus"] == "PartiallyFilledCanceled"
    [trade] = client.fetch_my_trades("BTC/USDT", params={"orderLinkId": "qtp-1"})
    assert (trade["amount"], trade["takerOrMaker"], trade["fee"]) == (
        0.25,
        "maker",
        {"cost": 0.00025, "currency": "BTC", "rate": 0.001},
    )
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(order["id"], "BTC/USDT")


def test_executions_are_paged_by_cursor(venue: Any, client: Any) -> None:
    for _ in range(5):
        client.create_order("BTC/USDT", "market", "buy", 0.01)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"category": "spot", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.private_get_v5_execution_list(params)["result"]
        seen += [row["execId"] for row in page["list"]]
        cursor = page["nextPageCursor"] or None
    assert seen == [fill["id"] for fill in venue.truth()["fills"]][::-1]
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("order", "error", "code"),
    [
        (("limit", "buy", 0.00002, 49000), ccxt.InvalidOrder, "170140"),
        (("limit", "buy", 9001, 49000), ccxt.InvalidOrder, "170135"),
        (("limit", "buy", 25, 49000), ccxt.InsufficientFunds, "170131"),
        (("market", "sell", 10.00001, None), ccxt.InsufficientFunds, "170131"),
    ],
)
def test_filters_refuse_with_the_venues_own_codes(
    venue: Any, client: Any, order: tuple[Any, ...], error: type[Exception], code: str
) -> None:
    with pytest.raises(error, match=code):
        client.create_order("BTC/USDT", *order)
    assert venue.truth()["orders"] == []


def test_post_only_is_accepted_and_then_cancelled(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USDT", "limit", "buy", 0.1, 50005, {"postOnly": True, "clientOrderId": "qtp-1"})
    assert order["id"]
    [ended] = client.fetch_canceled_and_closed_orders("BTC/USDT", params={"orderLinkId": "qtp-1"})
    assert (ended["status"], ended["info"]["rejectReason"]) == ("canceled", "EC_PostOnlyWillTakeLiquidity")


def test_a_stop_sleeps_until_its_price_trades(venue: Any, client: Any) -> None:
    client.create_order("BTC/USDT", "market", "sell", 1, None, {"triggerPrice": 49000, "clientOrderId": "qtp-1"})
    [asleep] = client.fetch_open_orders("BTC/USDT", params={"orderLinkId": "qtp-1"})
    assert asleep["info"]["orderStatus"] == "Untriggered"
    venue.price(symbol="BTC/USDT", price="49000")
    [ended] = client.fetch_canceled_and_closed_orders("BTC/USDT", params={"orderLinkId": "qtp-1"})
    assert (ended["status"], ended["filled"]) == ("closed", 1)


def test_exits_attached_to_an_entry_sell_what_it_left_after_the_fee(venue: Any, client: Any) -> None:
    exits = {"takeProfit": {"triggerPrice": 52000}, "stopLoss": {"triggerPrice": 48000}}
    client.create_order("BTC/USDT", "limit", "buy", 1, 49000, {"clientOrderId": "qtp-1", **exits})
    assert [order["clientOrderId"] for order in client.fetch_open_orders("BTC/USDT")] == ["qtp-1"]
    venue.price(symbol="BTC/USDT", price="49000")
    live = client.fetch_open_orders("BTC/USDT")
    assert {(order["info"]["stopOrderType"], order["amount"]) for order in live} == {
        ("TakeProfit", 0.999),
        ("StopLoss", 0.999),
    }
    venue.price(symbol="BTC/USDT", price="47900")
    assert client.fetch_open_orders("BTC/USDT") == []
    states = {order["info"]["stopOrderType"]: order["info"]["orderStatus"] for order in ended_exits(client)}
    assert states == {"TakeProfit": "Deactivated", "StopLoss": "Filled"}
    assert client.fetch_balance()["BTC"]["free"] == 10


def ended_exits(client: Any) -> list[Any]:
    return [o for o in client.fetch_canceled_and_closed_orders("BTC/USDT") if o["info"]["stopOrderType"]]


def test_an_amended_order_keeps_its_id(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USDT", "limit", "buy", 1, 49000, {"clientOrderId": "qtp-1"})
    edited = client.edit_order(order["id"], "BTC/USDT", "limit", "buy", 0.5, 48000)
    assert edited["id"] == order["id"]
    [found] = client.fetch_open_orders("BTC/USDT", params={"orderLinkId": "qtp-1"})
    assert (found["amount"], found["price"]) == (0.5, 48000)
    assert client.fetch_balance()["USDT"]["used"] == 24_000


@pytest.mark.parametrize(
    ("changes", "skew", "error", "code"),
    [
        ({"secret": "wrong"}, 0, ccxt.AuthenticationError, "10004"),
        ({"apiKey": "wrong"}, 0, ccxt.AuthenticationError, "10003"),
        ({}, -3000, ccxt.InvalidNonce, "10002"),
        ({}, 12_000, ccxt.InvalidNonce, "10002"),
    ],
)
def test_wrong_keys_and_clocks_are_refused(
    venue: Any, sync_client: Make, changes: dict[str, str], skew: int, error: type[Exception], code: str
) -> None:
    venue.clock(skew_ms=skew)
    with pytest.raises(error, match=code):
        sync_client("bybit", **changes).private_get_v5_account_wallet_balance({"accountType": "UNIFIED"})


@pytest.mark.parametrize(
    ("fault", "error", "accepts"),
    [
        ("unavailable_before", ccxt.ExchangeNotAvailable, 0),
        ("unavailable_after", ccxt.ExchangeNotAvailable, 1),
        ("timeout_after", ccxt.RequestTimeout, 1),
        ("drop_after", ccxt.NetworkError, 1),
        ("status_unknown", ccxt.ExchangeError, 1),
        ("timeout_code", ccxt.RequestTimeout, 1),
        ("rate_limited", ccxt.RateLimitExceeded, 0),
        ("banned", ccxt.RateLimitExceeded, 0),
    ],
)
def test_faults_raise_their_classes(
    venue: Any, sync_client: Make, fault: str, error: type[Exception], accepts: int
) -> None:
    client = sync_client("bybit", timeout=400)
    client.load_markets()
    client.is_unified_enabled()
    venue.fault(route="create", kind=fault, seconds=0.8)
    with pytest.raises(error):
        client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert venue.truth()["accepts"].get("qtp-1", 0) == accepts


@pytest.mark.parametrize("fault", ["html", "empty", "no_id"])
def test_a_reply_without_an_order_is_no_error_to_the_client(venue: Any, client: Any, fault: str) -> None:
    venue.fault(route="create", kind=fault)
    order = client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert order["id"] is None
    assert venue.truth()["accepts"] == {"qtp-1": 1}


@pytest.mark.anyio
async def test_public_streams_arrive(venue: Any, pro_client: Make) -> None:
    async with pro_client("bybit") as client:
        trades = asyncio.create_task(client.watch_trades("BTC/USDT"))
        candles = asyncio.create_task(client.watch_ohlcv("BTC/USDT", "1h"))
        book = await soon(client.watch_order_book("BTC/USDT"))
        assert book["asks"][0] == [50005.0, 5.0]
        await venue.subscribed(3)
        changed = asyncio.create_task(client.watch_order_book("BTC/USDT"))
        await asyncio.sleep(0)
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        assert (await soon(trades))[0]["amount"] == 0.5
        assert (await soon(candles))[-1][4] == 50005.0
        assert (await soon(changed))["asks"][0] == [50005.0, 4.5]


@pytest.mark.anyio
async def test_the_accounts_own_events_arrive(venue: Any, pro_client: Make) -> None:
    async with pro_client("bybit") as client:
        await client.load_markets()
        orders = asyncio.create_task(client.watch_orders())
        trades = asyncio.create_task(client.watch_my_trades())
        balance = asyncio.create_task(client.watch_balance())
        await venue.subscribed(3)
        await client.create_order("BTC/USDT", "market", "buy", 1, None, {"clientOrderId": "qtp-1"})
        [trade] = await soon(trades)
        assert (trade["amount"], trade["fee"]["cost"], trade["price"]) == (1.0, 0.001, 50005.0)
        [order] = await soon(orders)
        assert order["clientOrderId"] == "qtp-1"
        assert (await soon(balance))["BTC"]["total"] == 10.999


@pytest.mark.anyio
async def test_wrong_keys_open_no_private_stream(venue: Any, pro_client: Make) -> None:
    async with pro_client("bybit", secret="wrong") as client:
        client.options |= {"enableUnifiedMargin": False, "enableUnifiedAccount": True}
        with pytest.raises(ccxt.AuthenticationError):
            await soon(client.watch_orders())
