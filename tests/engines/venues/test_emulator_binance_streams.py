"""ccxt.pro as it is, on the emulator's Binance streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import ccxt
import pytest

pytestmark = pytest.mark.anyio
Open = Callable[..., Any]
Make = Callable[..., Any]


@pytest.fixture
def venue(open_venue: Open) -> Any:
    return open_venue("binance")


async def soon(waiting: Any) -> Any:
    return await asyncio.wait_for(waiting, 10)


async def test_public_trades_arrive(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        waiting = asyncio.create_task(client.watch_trades("BTC/USDT"))
        await venue.subscribed()
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        [trade] = await soon(waiting)
        assert (trade["price"], trade["amount"], trade["side"]) == (50005.0, 0.5, "buy")


async def test_the_forming_candle_follows_the_trades(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        waiting = asyncio.create_task(client.watch_ohlcv("BTC/USDT", "1h"))
        await venue.subscribed()
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        candle = (await soon(waiting))[-1]
        assert (candle[0] % 3_600_000, candle[4]) == (0, 50005.0)
        assert candle == (await client.fetch_ohlcv("BTC/USDT", "1h"))[-1]


async def test_the_book_is_kept_in_step_and_a_lost_update_is_noticed(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        waiting = asyncio.create_task(client.watch_order_book("BTC/USDT"))
        await venue.subscribed()
        await asyncio.sleep(0.1)
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        book = await soon(waiting)
        while book["asks"][0] != [50005.0, 4.5]:
            book = await soon(client.watch_order_book("BTC/USDT"))
        assert book["bids"][0] == [49995.0, 5.0]
        await venue.aside("fault", route="stream:book", kind="drop")
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        waiting = asyncio.create_task(client.watch_order_book("BTC/USDT"))
        await asyncio.sleep(0)
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        with pytest.raises(ccxt.ChecksumError):
            await soon(waiting)


async def test_tickers_and_best_prices_arrive(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        waiting = [asyncio.create_task(client.watch_ticker("BTC/USDT"))]
        waiting += [asyncio.create_task(client.watch_bids_asks(["BTC/USDT"]))]
        await venue.subscribed(2)
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        ticker, best = await soon(asyncio.gather(*waiting))
        assert ticker["last"] == 50005.0
        assert (best["BTC/USDT"]["ask"], best["BTC/USDT"]["askVolume"]) == (50005.0, 4.5)


async def follow_orders(client: Any, steps: int) -> list[tuple[Any, ...]]:
    seen: list[tuple[Any, ...]] = []
    while len(seen) < steps:
        seen += [(order["clientOrderId"], order["status"], order["filled"]) for order in await client.watch_orders()]
    return seen


async def test_the_accounts_own_events_arrive_step_by_step(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        await client.load_markets()
        orders = asyncio.create_task(follow_orders(client, 3))
        trades = asyncio.create_task(client.watch_my_trades())
        await venue.subscribed()
        await client.create_order("BTC/USDT", "limit", "buy", 1, 49999, {"clientOrderId": "qtp-1"})
        await venue.aside("crowd", symbol="BTC/USDT", side="sell", quantity="0.4", price="49999")
        await venue.aside("crowd", symbol="BTC/USDT", side="sell", quantity="0.6", price="49999")
        assert await soon(orders) == [("qtp-1", "open", 0.0), ("qtp-1", "open", 0.4), ("qtp-1", "closed", 1.0)]
        [trade] = await soon(trades)
        assert (trade["amount"], trade["fee"]) == (0.4, {"cost": 0.0004, "currency": "BTC"})


async def test_a_balance_arrives_after_a_fill(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        await client.load_markets()
        waiting = asyncio.create_task(client.watch_balance())
        await venue.subscribed()
        await client.create_order("BTC/USDT", "limit", "buy", 1, 49000)
        balance = await soon(waiting)
        assert balance["USDT"]["free"] == 951_000


async def test_wrong_keys_open_no_private_stream(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance", secret="wrong") as client:
        # The client trips over its own clean-up after the refusal, hence the second class.
        with pytest.raises((ccxt.AuthenticationError, KeyError)):
            await soon(client.watch_orders())
        assert not any(socket["private"] for socket in (await venue.aside("sockets"))["open"])


async def test_a_fill_may_be_told_before_the_order_is_acknowledged(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        await client.load_markets()
        orders = asyncio.create_task(follow_orders(client, 2))
        await venue.subscribed()
        await venue.aside("fault", route="create", kind="late_ack", seconds=0.5)
        acknowledged = asyncio.create_task(client.create_order("BTC/USDT", "market", "buy", 1))
        seen = await soon(orders)
        assert [step[1:] for step in seen] == [("open", 0.0), ("closed", 1.0)]
        assert not acknowledged.done()
        assert (await acknowledged)["status"] == "closed"


async def numbers_of_trades(venue: Any, client: Any, fault: str, fills: int, **details: Any) -> list[str]:
    """Trade numbers in the order in which `fills` fills reach the client with a fault on the first of them."""
    await client.load_markets()
    arrived: list[str] = []

    async def listen() -> None:
        while True:
            arrived.extend(trade["id"] for trade in await client.watch_my_trades())

    listener = asyncio.create_task(listen())
    await venue.subscribed()
    # An order is booked, executed, and the balances follow: the execution is the second message.
    await venue.aside("fault", route="stream:private", kind=fault, skip=1, **details)
    for _ in range(fills):
        await client.create_order("BTC/USDT", "market", "buy", 0.01)
    await asyncio.sleep(0.4)
    listener.cancel()
    return arrived


@pytest.mark.parametrize(
    ("fault", "details", "places"),
    [("drop", {}, [1]), ("late", {"seconds": 0.2}, [1, 0])],
)
async def test_trade_events_may_be_lost_or_late(
    venue: Any, pro_client: Make, fault: str, details: dict[str, Any], places: list[int]
) -> None:
    async with pro_client("binance", newUpdates=True) as client:
        arrived = await numbers_of_trades(venue, client, fault, 2, **details)
    truth = [fill["id"] for fill in venue.truth()["fills"]]
    assert arrived == [truth[place] for place in places]


@pytest.mark.parametrize(
    ("fault", "filled"),
    [("duplicate", ["0", "1", "1", "2"]), ("reorder", ["0", "2", "1"]), ("drop", ["0", "2"])],
)
async def test_an_execution_may_be_told_twice_out_of_order_or_not_at_all(
    venue: Any, sync_client: Make, emulator: Any, fault: str, filled: list[str]
) -> None:
    client = sync_client("binance")
    key = client.public_post_userdatastream()["listenKey"]
    seen: list[str] = []
    address = f"{emulator.addresses('binance')['ws']['spot']}/{key}"
    # Read from the wire: ccxt keeps one entry for each id and would hide a repetition.
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as stream:
        await venue.subscribed()
        await venue.aside("fault", route="stream:private", kind=fault, skip=1)
        await venue.aside("crowd", symbol="BTC/USDT", side="sell", quantity="1", price="50001")
        await asyncio.to_thread(client.create_order, "BTC/USDT", "market", "buy", 2)
        while (message := await stream.receive_json(timeout=10))["e"] != "outboundAccountPosition":
            seen.append(message["z"].rstrip("0").rstrip("."))
    assert seen == filled


async def test_messages_are_spoilt_by_chance_the_same_way_for_the_same_seed(
    venue: Any, sync_client: Make, emulator: Any
) -> None:
    client = sync_client("binance")
    seen: list[list[int]] = []
    for _ in range(2):
        await venue.aside("reset")
        await venue.aside("chaos", seed=3, rate=0.4, routes=["stream:private"], kinds=["drop", "duplicate", "reorder"])
        key = client.public_post_userdatastream()["listenKey"]
        address = f"{emulator.addresses('binance')['ws']['spot']}/{key}"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as stream:
            await venue.subscribed()
            for _ in range(10):
                await venue.aside("external", symbol="BTC/USDT", side="buy", quantity="0.01")
            await venue.aside("clear")
            await venue.aside("external", symbol="BTC/USDT", side="sell", quantity="0.02")
            trades: list[int] = []
            while (message := await stream.receive_json(timeout=10)).get("S") != "SELL":
                trades += [message["t"]] if message.get("x") == "TRADE" else []
        seen.append(trades)
    assert seen[0] == seen[1]
    assert seen[0] != sorted(set(seen[0])) or len(seen[0]) < 10


async def test_a_cut_connection_is_an_error_and_the_next_one_works(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        waiting = asyncio.create_task(client.watch_trades("BTC/USDT"))
        await venue.subscribed()
        assert (await venue.aside("cut"))["cut"] == 1
        with pytest.raises(ccxt.NetworkError):
            await soon(waiting)
        waiting = asyncio.create_task(client.watch_trades("BTC/USDT"))
        await venue.subscribed()
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        assert len(await soon(waiting)) == 1


async def test_a_silent_connection_stays_up_and_says_nothing(venue: Any, pro_client: Make) -> None:
    async with pro_client("binance") as client:
        waiting = asyncio.create_task(client.watch_trades("BTC/USDT"))
        await venue.subscribed()
        await venue.aside("silence", seconds=60)
        await venue.aside("crowd", symbol="BTC/USDT", side="buy", quantity="0.5")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting, 0.3)
        assert len((await venue.aside("sockets"))["open"]) == 1


async def test_connections_may_be_refused_for_a_while(venue: Any, pro_client: Make) -> None:
    await venue.aside("refuse", seconds=60)
    async with pro_client("binance") as client:
        with pytest.raises(ccxt.NetworkError):
            await soon(client.watch_trades("BTC/USDT"))
