"""ccxt as it is, against the emulator's Binance."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ccxt
import pytest

Open = Callable[..., Any]
Make = Callable[..., Any]


@pytest.fixture
def venue(open_venue: Open) -> Any:
    return open_venue("binance")


@pytest.fixture
def client(sync_client: Make) -> Any:
    return sync_client("binance")


def every_text(addresses: Any) -> list[str]:
    if isinstance(addresses, dict):
        return [text for value in addresses.values() for text in every_text(value)]
    if isinstance(addresses, list):
        return [text for value in addresses for text in every_text(value)]
    return [addresses] if isinstance(addresses, str) else []


@pytest.mark.parametrize("name", ["binance", "bybit", "kraken"])
def test_no_address_of_a_client_leaves_loopback(name: str, sync_client: Make) -> None:
    addresses = every_text(sync_client(name).urls)
    assert len(addresses) > 5
    assert {text.split("//")[1].split(":")[0] for text in addresses} == {"127.0.0.1"}


def test_markets_carry_the_grids_and_minimums(venue: Any, client: Any) -> None:
    market = client.load_markets()["BTC/USDT"]
    assert market["precision"] == {"amount": 1e-5, "price": 0.01, "base": 1e-8, "quote": 1e-8}
    assert market["limits"]["cost"]["min"] == 5
    assert market["active"]
    assert abs(client.fetch_time() - time.time() * 1000) < 2000


def test_public_data_is_answered(venue: Any, client: Any) -> None:
    venue.crowd(symbol="BTC/USDT", side="buy", quantity="0.5")
    assert client.fetch_ticker("BTC/USDT")["last"] == 50005.0
    assert set(client.fetch_tickers()) == {"BTC/USDT", "ETH/USDT", "ETH/BTC", "BNB/USDT"}
    book = client.fetch_order_book("BTC/USDT", 3)
    assert book["asks"][0] == [50005.0, 4.5]
    assert book["bids"] == [[49995.0, 5.0], [49990.0, 5.0], [49985.0, 5.0]]
    newest = client.fetch_trades("BTC/USDT")[-1]
    assert (newest["price"], newest["amount"], newest["side"]) == (50005.0, 0.5, "buy")


def test_candles_of_an_hour_are_made_of_its_minutes(venue: Any, client: Any) -> None:
    hour = (int(time.time()) // 3600 - 30) * 3_600_000
    [whole] = client.fetch_ohlcv("BTC/USDT", "1h", hour, 1)
    minutes = client.fetch_ohlcv("BTC/USDT", "1m", hour, 60)
    assert [row[0] for row in minutes] == [hour + 60_000 * i for i in range(60)]
    high, low = max(row[2] for row in minutes), min(row[3] for row in minutes)
    assert whole[:5] == [hour, minutes[0][1], high, low, minutes[-1][4]]
    assert whole[5] == pytest.approx(sum(row[5] for row in minutes))


def test_a_candle_may_be_missing_or_revised(venue: Any, client: Any) -> None:
    hour = (int(time.time()) // 3600 - 5) * 3_600_000
    venue.candle(symbol="BTC/USDT", minutes=60, row=[hour, 0, 0, 0, 0, 0], hole=True)
    venue.candle(symbol="BTC/USDT", minutes=60, row=[hour + 3_600_000, "1", "4", "0.5", "2", "10"])
    [first, *_] = client.fetch_ohlcv("BTC/USDT", "1h", hour, 2)
    assert first == [hour + 3_600_000, 1.0, 4.0, 0.5, 2.0, 10.0]


def test_an_order_can_be_cancelled_from_outside(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000)
    venue.cancel(id=order["id"])
    assert client.fetch_order(order["id"], "BTC/USDT")["status"] == "canceled"


def test_the_client_id_finds_the_order(venue: Any, client: Any) -> None:
    placed = client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    found = client.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})
    assert (found["id"], found["status"], found["clientOrderId"]) == (placed["id"], "open", "qtp-1")
    assert venue.truth()["accepts"] == {"qtp-1": 1}
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-2"})
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order(None, "ETH/USDT", {"clientOrderId": "qtp-1"})


def test_an_open_client_id_is_refused_twice_and_a_filled_one_is_taken_again(venue: Any, client: Any) -> None:
    client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent") as raised:
        client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert type(raised.value) is ccxt.InvalidOrder
    for _ in range(2):
        client.create_order("BTC/USDT", "market", "buy", 0.1, None, {"clientOrderId": "qtp-2"})
    assert venue.truth()["accepts"] == {"qtp-1": 1, "qtp-2": 2}


def test_a_price_turns_a_market_order_into_an_amount_of_quote_currency(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USDT", "market", "buy", 0.1, 50000)
    assert order["info"]["origQuoteOrderQty"] == "5000.00000000"
    assert order["filled"] == 0.09999
    assert order["cost"] <= 5000


def test_a_resting_order_fills_in_parts_and_keeps_its_fills_when_cancelled(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USDT", "limit", "buy", 1, 49999)
    venue.crowd(symbol="BTC/USDT", side="sell", quantity="0.25", price="49999")
    venue.crowd(symbol="BTC/USDT", side="sell", quantity="0.5", price="49999")
    assert client.fetch_order(order["id"], "BTC/USDT")["filled"] == 0.75
    cancelled = client.cancel_order(order["id"], "BTC/USDT")
    assert (cancelled["status"], cancelled["filled"]) == ("canceled", 0.75)
    trades = client.fetch_my_trades("BTC/USDT")
    assert [(t["amount"], t["takerOrMaker"], t["order"]) for t in trades] == [
        (0.25, "maker", order["id"]),
        (0.5, "maker", order["id"]),
    ]
    assert client.fetch_open_orders("BTC/USDT") == []
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        client.cancel_order(order["id"], "BTC/USDT")


def test_the_older_of_two_orders_at_a_price_fills_first(venue: Any, client: Any) -> None:
    first, second = (client.create_order("BTC/USDT", "limit", "buy", 1, 49999)["id"] for _ in range(2))
    better = client.create_order("BTC/USDT", "limit", "buy", 1, "49999.5")["id"]
    venue.crowd(symbol="BTC/USDT", side="sell", quantity="2.5", price="49999")
    filled = {order["id"]: order["filled"] for order in client.fetch_orders("BTC/USDT")}
    assert filled == {better: 1.0, first: 1.0, second: 0.5}


def test_trades_are_paged_by_id(venue: Any, client: Any) -> None:
    for _ in range(7):
        client.create_order("BTC/USDT", "market", "buy", 0.01)
    everything = [trade["id"] for trade in client.fetch_my_trades("BTC/USDT")]
    paged, start = [], int(everything[0])
    while page := client.fetch_my_trades("BTC/USDT", limit=3, params={"fromId": start}):
        paged += [trade["id"] for trade in page]
        start = int(page[-1]["id"]) + 1
    assert paged == everything
    assert len(everything) == 7


@pytest.mark.parametrize(
    ("order", "error", "code"),
    [
        (("limit", "buy", 0.1, 9000), ccxt.InvalidOrder, "PERCENT_PRICE_BY_SIDE"),
        (("limit", "buy", 0.0001, 49000), ccxt.BadRequest, "NOTIONAL"),
        (("limit", "buy", 9001, 49000), ccxt.InvalidOrder, "LOT_SIZE"),
        (("limit", "buy", 25, 49000), ccxt.InsufficientFunds, "insufficient balance"),
        (("limit", "sell", 10.00001, 51000), ccxt.InsufficientFunds, "insufficient balance"),
        (("market", "sell", 10.00001, None), ccxt.InsufficientFunds, "insufficient balance"),
    ],
)
def test_filters_refuse_with_the_venues_own_words(
    venue: Any, client: Any, order: tuple[Any, ...], error: type[Exception], code: str
) -> None:
    with pytest.raises(error, match=code):
        client.create_order("BTC/USDT", *order)
    assert venue.truth()["orders"] == []


def test_a_price_off_the_tick_is_refused(venue: Any, client: Any) -> None:
    client.load_markets()
    raw = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    with pytest.raises(ccxt.InvalidOrder, match="PRICE_FILTER"):
        client.private_post_order(raw | {"price": "49000.001"})
    with pytest.raises(ccxt.BadRequest, match="-1111"):
        client.private_post_order(raw | {"price": "49000", "quantity": "0.123456789"})
    with pytest.raises(ccxt.BadSymbol):
        client.private_post_order(raw | {"symbol": "NOPE", "price": "49000"})
    venue.instrument(symbol="BTC/USDT", trading=False)
    with pytest.raises(ccxt.MarketClosed):
        client.private_post_order(raw | {"price": "49000"})


def test_post_only_and_fill_or_kill_are_honoured(venue: Any, client: Any) -> None:
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order("BTC/USDT", "limit", "buy", 0.1, 50005, {"postOnly": True})
    killed = client.create_order("BTC/USDT", "limit", "buy", 6, 50005, {"timeInForce": "FOK"})
    assert (killed["status"], killed["filled"]) == ("expired", 0)
    rest = client.create_order("BTC/USDT", "limit", "buy", 6, 50005, {"timeInForce": "IOC"})
    assert (rest["status"], rest["filled"]) == ("expired", 5)


def test_a_stop_sleeps_until_its_price_trades(venue: Any, client: Any) -> None:
    stop = client.create_order("BTC/USDT", "limit", "sell", 1, 48999, {"stopLossPrice": 49000})
    assert client.fetch_balance()["BTC"]["used"] == 1
    venue.price(symbol="BTC/USDT", price="49500")
    assert client.fetch_order(stop["id"], "BTC/USDT")["filled"] == 0
    venue.price(symbol="BTC/USDT", price="49000")
    assert client.fetch_order(stop["id"], "BTC/USDT")["status"] == "open"
    venue.crowd(symbol="BTC/USDT", side="buy", quantity="6")
    assert client.fetch_order(stop["id"], "BTC/USDT")["status"] == "closed"
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order("BTC/USDT", "market", "sell", 1, None, {"stopLossPrice": 60000})


OCO = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1", "aboveType": "LIMIT_MAKER", "abovePrice": "52000"}
OCO |= {"belowType": "STOP_LOSS_LIMIT", "belowStopPrice": "48000", "belowPrice": "47900", "belowTimeInForce": "GTC"}


@pytest.mark.parametrize(("price", "states"), [("52000", ("FILLED", "EXPIRED")), ("47950", ("EXPIRED", "FILLED"))])
def test_one_leg_of_an_oco_ends_the_other(venue: Any, client: Any, price: str, states: tuple[str, str]) -> None:
    client.load_markets()
    placed = client.private_post_orderlist_oco(OCO | {"listClientOrderId": "qtp-list"})
    assert client.fetch_balance()["BTC"]["used"] == 1
    venue.price(symbol="BTC/USDT", price=price)
    found = [client.fetch_order(o["orderId"], "BTC/USDT")["info"]["status"] for o in placed["orders"]]
    assert tuple(found) == states
    listed = client.private_get_orderlist({"origClientOrderId": "qtp-list"})
    assert listed["listOrderStatus"] == "ALL_DONE"
    assert client.fetch_balance()["BTC"] == {"free": 9.0, "used": 0.0, "total": 9.0}


def test_an_oco_with_its_prices_on_the_wrong_side_is_refused(venue: Any, client: Any) -> None:
    client.load_markets()
    with pytest.raises(ccxt.InvalidOrder, match="relationship of the prices"):
        client.private_post_orderlist_oco(OCO | {"belowStopPrice": "51000"})
    assert venue.truth()["orders"] == []


OTOCO = {"symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "49000"}
OTOCO |= {"workingQuantity": "1", "workingTimeInForce": "GTC", "pendingSide": "SELL", "pendingQuantity": "0.9"}
OTOCO |= {"pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "52000", "pendingBelowType": "STOP_LOSS"}
OTOCO |= {"pendingBelowStopPrice": "48000", "pendingBelowClientOrderId": "qtp-stop"}


def test_the_exits_of_a_bracket_wait_for_its_entry(venue: Any, client: Any) -> None:
    client.load_markets()
    placed = client.private_post_orderlist_otoco(OTOCO)
    assert [report["status"] for report in placed["orderReports"]] == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    venue.price(symbol="BTC/USDT", price="49000")
    assert [order["info"]["status"] for order in client.fetch_open_orders("BTC/USDT")] == ["NEW", "NEW"]
    venue.price(symbol="BTC/USDT", price="47000")
    assert client.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-stop"})["status"] == "closed"
    assert client.fetch_open_orders("BTC/USDT") == []


def test_cancelling_the_entry_of_a_bracket_cancels_its_exits(venue: Any, client: Any) -> None:
    client.load_markets()
    placed = client.private_post_orderlist_otoco(OTOCO)
    client.cancel_order(placed["orders"][0]["orderId"], "BTC/USDT")
    assert {order["state"] for order in venue.truth()["orders"]} == {"cancelled"}


def test_an_edited_order_is_cancelled_and_placed_again(venue: Any, client: Any) -> None:
    order = client.create_order("BTC/USDT", "limit", "buy", 1, 49000)
    edited = client.edit_order(order["id"], "BTC/USDT", "limit", "buy", 1, 48000)
    assert edited["id"] != order["id"]
    assert [(o["id"], o["status"]) for o in client.fetch_orders("BTC/USDT")] == [
        (order["id"], "canceled"),
        (edited["id"], "open"),
    ]


def test_cancel_all_answers_for_each_order(venue: Any, client: Any) -> None:
    placed = {client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000)["id"] for _ in range(3)}
    client.create_order("ETH/USDT", "limit", "buy", 1, 2900)
    answered = client.cancel_all_orders("BTC/USDT")
    assert {order["id"] for order in answered} == placed
    assert len(venue.truth()["orders"]) == 4
    assert client.fetch_balance()["USDT"]["used"] == 2900
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_all_orders("BTC/USDT")


def test_fees_are_charged_in_what_is_received_or_in_a_third_coin(venue: Any, client: Any) -> None:
    bought = client.create_order("BTC/USDT", "market", "buy", 1)
    assert bought["fees"] == [{"cost": 0.001, "currency": "BTC"}]
    assert client.fetch_balance()["BTC"]["free"] == 10.999
    venue.fees(maker="0.001", taker="0.00075", pay_in="coin", coin="BNB")
    venue.deposit(asset="BNB", amount="0.1")
    in_coin = client.create_order("BTC/USDT", "market", "sell", 1)
    assert in_coin["fees"] == [{"cost": 0.06249375, "currency": "BNB"}]
    without = client.create_order("BTC/USDT", "market", "sell", 1)
    assert without["fees"][0]["currency"] == "USDT"


def test_a_maker_may_be_paid_a_rebate(venue: Any, client: Any) -> None:
    venue.fees(maker="-0.0001", taker="0.001", pay_in="quote")
    order = client.create_order("BTC/USDT", "limit", "sell", 1, 50004)
    venue.crowd(symbol="BTC/USDT", side="buy", quantity="1")
    [trade] = client.fetch_my_trades("BTC/USDT", params={"orderId": order["id"]})
    assert trade["fee"] == {"currency": "USDT", "cost": -5.0004}
    assert client.fetch_balance()["USDT"]["total"] == 1_050_009.0004


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"secret": "wrong"}, ccxt.AuthenticationError, "-1022"),
        ({"apiKey": "wrong"}, ccxt.AuthenticationError, "-2015"),
    ],
)
def test_wrong_keys_are_refused(
    venue: Any, sync_client: Make, changes: dict[str, str], error: type[Exception], code: str
) -> None:
    with pytest.raises(error, match=code):
        sync_client("binance", **changes).fetch_balance()


@pytest.mark.parametrize("skew", [-3000, 12_000])
def test_a_clock_that_is_off_is_refused(venue: Any, client: Any, skew: int) -> None:
    venue.clock(skew_ms=skew)
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        client.fetch_balance()


def test_an_order_from_elsewhere_is_shown_and_not_counted_as_an_accept(venue: Any, client: Any) -> None:
    made = venue.external(symbol="BTC/USDT", side="buy", quantity="0.1", price="49000", client_id="web_1")
    assert [order["id"] for order in client.fetch_open_orders("BTC/USDT")] == [made["id"]]
    assert venue.truth()["accepts"] == {}


def test_the_listen_key_of_the_older_interface_is_given_out_and_withdrawn(venue: Any, client: Any) -> None:
    key = client.public_post_userdatastream()["listenKey"]
    assert client.public_put_userdatastream({"listenKey": key}) == {}
    client.public_delete_userdatastream({"listenKey": key})
    with pytest.raises(ccxt.AuthenticationError, match="-1125"):
        client.public_put_userdatastream({"listenKey": key})
