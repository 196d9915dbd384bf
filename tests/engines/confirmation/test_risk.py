"""Risk review: each limit alone, on both sides of its edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.confirmation.risk import CHECKS, RiskLimits, Situation, default_limits, largest_passing, review
from engines.domain.activity import Activity
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import Account, OrderIntent, Side
from engines.errors import InvalidRequest

NOW = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
LOT = Decimal("0.001")
BTC = Instrument("BTC/USDT", "BTC", "USDT", Decimal("0.01"), LOT, LOT, Decimal(5), Decimal("0.0008"), Decimal("0.001"))
QUOTE = Quote("BTC/USDT", Decimal("64119.99"), Decimal(64_120), Decimal(64_120), NOW, "fixed", simulated=True)
ROOMY = RiskLimits("7", max_order_notional=Decimal(10**9), max_account_exposure=Decimal(10**9))


def situation(
    usdt: str = "100000", btc: str = "0", reserved: dict[str, Decimal] | None = None, **fields: Any
) -> Situation:
    balances = {"USDT": Decimal(usdt), "BTC": Decimal(btc)}
    account = Account("a", "ann", "paper", "USDT", balances, reserved or {}, ())
    exposure = Decimal(btc) * QUOTE.last
    found = Situation(account, BTC, QUOTE, Decimal(usdt) + exposure, exposure, 0, NOW)
    return replace(found, **fields)


def order(quantity: str = "0.1", **fields: Any) -> OrderIntent:
    return replace(OrderIntent("a", "t", "BTC/USDT", "buy", Decimal(quantity)), **fields)


def denial(intent: OrderIntent, held: Situation, limits: RiskLimits) -> str | None:
    verdict = review(intent, held, limits)
    return verdict.denial.name if verdict.denial else None


def test_an_order_within_all_limits_runs_every_check() -> None:
    verdict = review(order(), situation(), default_limits())
    assert (verdict.outcome, verdict.quantity, verdict.denial) == ("approved", Decimal("0.1"), None)
    assert len(verdict.checks) == len(CHECKS)
    assert all(check.passed and not check.message for check in verdict.checks)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("limits", [default_limits(), ROOMY])
def test_every_check_names_a_limit_and_what_the_order_comes_to(limits: RiskLimits, side: Side) -> None:
    for activity in (None, Activity(NOW)):
        verdict = review(order(side=side), situation(btc="0.5", activity=activity), limits)
        assert verdict.outcome == "approved"
        assert not [check.name for check in verdict.checks if not (check.limit and check.value)]


def test_the_review_stops_at_the_first_denial() -> None:
    verdict = review(order("5"), situation(), default_limits())
    assert (verdict.outcome, verdict.quantity) == ("denied", Decimal(0))
    last = verdict.checks[-1]
    assert (last.name, last.limit, last.value) == ("order_notional", "10,000 USDT", "320,600 USDT")
    assert (last.before, last.after) == (Decimal(5), Decimal(0))
    assert len(verdict.checks) < len(CHECKS)


@pytest.mark.parametrize(
    ("intent", "held", "limits", "expected"),
    [
        (order("0.155"), situation(), default_limits(), None),
        (order("0.156"), situation(), default_limits(), "order_notional"),
        (order(), situation(), replace(ROOMY, max_order_fraction=Decimal("0.065")), None),
        (order(), situation(), replace(ROOMY, max_order_fraction=Decimal("0.064")), "order_fraction"),
        (order(), situation(), replace(ROOMY, max_account_exposure=Decimal(6_412)), None),
        (order(), situation(), replace(ROOMY, max_account_exposure=Decimal(6_411)), "account_exposure"),
        (order(), situation(exposure=Decimal(94_000)), default_limits(), "account_exposure"),
        (order(side="sell"), situation(btc="2", usdt="0"), replace(ROOMY, max_account_exposure=Decimal(1)), None),
        (order(), situation(open_orders=19), default_limits(), None),
        (order(), situation(open_orders=20), default_limits(), "open_orders"),
        (order(), situation(), replace(ROOMY, allow_list=frozenset({"BTC/USDT"})), None),
        (order(), situation(), replace(ROOMY, allow_list=frozenset({"ETH/USDT"})), "allow_list"),
        (order(), situation(now=NOW + timedelta(seconds=60)), ROOMY, None),
        (order(), situation(now=NOW + timedelta(seconds=61)), ROOMY, "quote_age"),
        (order(), situation(now=NOW - timedelta(seconds=3)), ROOMY, "quote_age"),
        (order("1.55"), situation(), ROOMY, None),
        (order("1.56"), situation(), ROOMY, "balance"),
        (order(), situation(reserved={"USDT": Decimal(93_600)}), ROOMY, "balance"),
        (order("0.5", side="sell"), situation(btc="0.5"), ROOMY, None),
        (order("0.501", side="sell"), situation(btc="0.5"), ROOMY, "balance"),
        (order("0.5", side="sell"), situation(btc="0.5", reserved={"BTC": Decimal("0.001")}), ROOMY, "balance"),
        (order("0.5", side="sell", reduce_only=True), situation(btc="0.4"), ROOMY, "reduce_only"),
        (order(reduce_only=True), situation(), ROOMY, "reduce_only"),
    ],
)
def test_each_limit_holds_at_its_edge(
    intent: OrderIntent, held: Situation, limits: RiskLimits, expected: str | None
) -> None:
    assert denial(intent, held, limits) == expected


@pytest.mark.parametrize(
    ("side", "price", "expected"),
    [
        ("buy", "70000", None),
        ("buy", "71000", "price_collar"),
        ("buy", "33000", None),
        ("buy", "31000", "price_collar"),
        ("sell", "58000", None),
        ("sell", "57000", "price_collar"),
        ("sell", "96000", None),
        ("sell", "97000", "price_collar"),
    ],
)
def test_the_collar_is_tight_where_the_price_hurts_and_wide_where_it_waits(
    side: Any, price: str, expected: str | None
) -> None:
    intent = order(side=side, order_type="limit", limit_price=Decimal(price))
    assert denial(intent, situation(btc="1"), ROOMY) == expected


@pytest.mark.parametrize(("price", "expected"), [("54000", None), ("33000", None), ("31000", "price_collar")])
def test_a_protective_stop_waits_for_the_market_and_may_lie_far_from_it(price: str, expected: str | None) -> None:
    intent = order(side="sell", order_type="stop", stop_price=Decimal(price))
    assert denial(intent, situation(btc="1"), ROOMY) == expected


def test_a_denial_names_limit_value_and_version() -> None:
    intent = order(order_type="limit", limit_price=Decimal(71_000))
    verdict = review(intent, situation(), replace(ROOMY, version="v3"))
    assert verdict.checks[-1].message == (
        "The price 71,000 USDT is 10.7 % from the market's 64,120 USDT and the limit is 10 % (limits v3)."
    )


@pytest.mark.parametrize(
    ("seconds", "told"), [(61, "61 s"), (119, "119 s"), (300, "5 min"), (7_200, "2 h"), (10**6, "11 days")]
)
def test_a_stale_price_says_how_old_it_is(seconds: int, told: str) -> None:
    verdict = review(order(), situation(now=NOW + timedelta(seconds=seconds)), ROOMY)
    assert verdict.checks[-1].message == f"The last price of BTC/USDT is {told} old and the limit is 60 s (limits v7)."


@pytest.mark.parametrize(("quantity", "price"), [("0.001", "1000"), ("0.0009", "64000")])
def test_less_than_the_market_takes_is_invalid_not_denied(quantity: str, price: str) -> None:
    intent = order(quantity, order_type="limit", limit_price=Decimal(price))
    with pytest.raises(InvalidRequest, match="below this market's minimum"):
        review(intent, situation(), ROOMY)


def test_nothing_passes_when_the_account_is_empty() -> None:
    assert largest_passing(order(), situation(usdt="0"), default_limits()) is None
    assert largest_passing(order(), situation(open_orders=20), default_limits()) is None


@given(
    quantity=st.integers(1, 10**7),
    usdt=st.integers(0, 10**7),
    btc=st.integers(0, 10**4),
    cap=st.integers(1, 10**6),
    selling=st.booleans(),
)
def test_the_largest_that_passes_passes_and_one_lot_more_does_not(
    quantity: int, usdt: int, btc: int, cap: int, selling: bool
) -> None:
    limits = replace(ROOMY, max_order_notional=Decimal(cap))
    held = situation(str(usdt), str(Decimal(btc).scaleb(-3)))
    intent = replace(order(), quantity=Decimal(quantity).scaleb(-3), side="sell" if selling else "buy")
    largest = largest_passing(intent, held, limits)
    if largest is None:
        assert denial(replace(intent, quantity=Decimal("0.001")), held, limits) is not None
        return
    assert largest <= intent.quantity
    assert denial(replace(intent, quantity=largest), held, limits) is None
    if largest < intent.quantity:
        assert denial(replace(intent, quantity=largest + BTC.lot_size), held, limits) is not None
