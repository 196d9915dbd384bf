"""What holds at the emulator whatever is done to it: money is conserved, orders are neither lost nor doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError

import ccxt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Open = Callable[..., Any]
Make = Callable[..., Any]

PRICES = st.integers(-40, 40).map(lambda steps: str(50_000 + 5 * steps))
QUANTITIES = st.integers(1, 300_000).map(lambda steps: str(Decimal(steps) / 100_000))
SIDES = st.sampled_from(["buy", "sell"])
PLACE = st.tuples(st.just("external"), SIDES, QUANTITIES, st.none() | PRICES)
CROWD = st.tuples(st.just("crowd"), SIDES, QUANTITIES, st.none() | PRICES)
MOVE = st.tuples(st.just("price"), SIDES, QUANTITIES, PRICES)
FEES = st.tuples(st.just("fees"), SIDES, QUANTITIES, st.none())
CANCEL = st.tuples(st.just("cancel"), SIDES, QUANTITIES, st.none())
STEPS = st.lists(st.one_of(PLACE, PLACE, CROWD, MOVE, FEES, CANCEL), min_size=1, max_size=25)
WAYS = [("received", "0.001"), ("quote", "-0.00015"), ("base", "0.0025"), ("coin", "0.00075")]


def do(venue: Any, step: tuple[str, str, str, str | None]) -> None:
    """Carry out a step; what the venue refuses is part of the game."""
    verb, side, quantity, price = step
    fields: dict[str, Any] = {"symbol": "BTC/USDT", "side": side, "quantity": quantity}
    if verb == "price":
        fields = {"symbol": "BTC/USDT", "price": price}
    elif price is not None:
        fields["price"] = price
    if verb == "fees":
        pay_in, rate = WAYS[int(Decimal(quantity) * 100_000) % len(WAYS)]
        fields = {"maker": rate, "taker": "0.001", "pay_in": pay_in, "coin": "BNB"}
    if verb == "cancel":
        live = [order["id"] for order in venue.truth()["orders"] if order["state"] == "open"]
        if not live:
            return
        fields = {"id": live[0]}
    try:
        getattr(venue, verb)(**fields)
    except HTTPError as refused:
        refused.close()
        if refused.code != 422:
            raise


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_money_is_conserved_and_nothing_is_spent_twice(open_venue: Open, steps: list[Any]) -> None:
    venue = open_venue("binance", USDT="200000", BTC="3", BNB="0.5")
    for step in steps:
        do(venue, step)
    truth = venue.truth()
    assert truth["imbalance"] == {}
    assert truth["overdrawn"] == {}
    for order in truth["orders"]:
        own = [fill for fill in truth["fills"] if fill["order_id"] == order["id"]]
        assert sum((Decimal(fill["quantity"]) for fill in own), Decimal(0)) == Decimal(order["filled"])
        assert Decimal(order["filled"]) <= Decimal(order["quantity"])
        if order["price"] is not None:
            better = max if order["side"] == "buy" else min
            assert all(
                better(Decimal(fill["price"]), Decimal(order["price"])) == Decimal(order["price"]) for fill in own
            )


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_balances_follow_from_the_fills_alone(open_venue: Open, steps: list[Any]) -> None:
    venue = open_venue("binance", USDT="200000", BTC="3", BNB="0.5")
    for step in steps:
        do(venue, step)
    truth = venue.truth()
    expected = {"USDT": Decimal(200_000), "BTC": Decimal(3), "BNB": Decimal("0.5")}
    for fill in truth["fills"]:
        sign = 1 if fill["side"] == "buy" else -1
        expected["BTC"] += sign * Decimal(fill["quantity"])
        expected["USDT"] -= sign * Decimal(fill["quantity"]) * Decimal(fill["price"])
        expected[fill["fee_currency"]] -= Decimal(fill["fee"])
    assert {asset: Decimal(truth["balances"][asset]["total"]) for asset in expected} == expected


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["binance", "bybit", "kraken"])
async def test_many_orders_under_random_faults_are_neither_lost_nor_doubled(
    open_venue: Open, pro_client: Make, name: str
) -> None:
    venue = open_venue(name)
    symbol = "BTC/USD" if name == "kraken" else "BTC/USDT"
    async with pro_client(name, timeout=300) as client:
        await client.load_markets()
        if name == "bybit":
            await client.isUnifiedEnabled()
        kinds = ["unavailable_before", "unavailable_after", "drop_after", "truncated", "html", "empty", "other_id"]
        await venue.aside("chaos", seed=11, rate=0.3, routes=["create"], kinds=kinds)

        async def place(number: int) -> None:
            try:
                own = {"clientOrderId": f"qtp-{number}"}
                await client.create_order(symbol, "limit", "buy", 0.001, 49000, own)
            except ccxt.BaseError:
                return

        # One after the other, for a Kraken key's nonces must arrive in order.
        for number in range(100):
            await place(number)
    log, truth = venue.log(route="create"), venue.truth()
    unseen = sum(entry["fault"] == "unavailable_before" for entry in log)
    assert sum(entry["fault"] is not None for entry in log) > 15
    assert len(truth["orders"]) == 100 - unseen
    assert set(truth["accepts"].values()) == {1}
    assert truth["imbalance"] == {}


@pytest.mark.anyio
async def test_parallel_clients_cannot_spend_the_same_money_twice(open_venue: Open, pro_client: Make) -> None:
    venue = open_venue("binance", USDT="1000", BTC="0")
    async with pro_client("binance") as client:
        await client.load_markets()
        orders = [client.create_order("BTC/USDT", "limit", "buy", 0.005, 49000) for _ in range(20)]
        outcomes = await asyncio.gather(*orders, return_exceptions=True)
    assert sum(isinstance(each, dict) for each in outcomes) == 4
    assert {type(each) for each in outcomes if not isinstance(each, dict)} == {ccxt.InsufficientFunds}
    assert venue.truth()["overdrawn"] == {}
