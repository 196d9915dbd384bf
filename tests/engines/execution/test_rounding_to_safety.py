"""Rule 5 for any numbers and steps: what is sealed is on the step, never more than asked, never at a worse price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

STEPS = st.sampled_from([Decimal(step) for step in ("0.00000001", "0.0005", "0.01", "0.025", "0.3", "1", "5")])
QUANTITIES = st.decimals(Decimal("5.1"), Decimal(90), places=10)
PRICES = st.decimals(Decimal(90), Decimal(110), places=10)
MANY = 10**9


def test_rule_05_no_number_is_rounded_beyond_what_was_asked(desk: Any) -> None:
    desk.market.set_quote("BTC/USDT", "99.99", "100.01")
    desk.limit(max_order_notional=Decimal(MANY), max_account_exposure=Decimal(MANY), max_symbol_exposure=None)
    desk.limit(max_day_notional=None, max_orders_per_second=MANY, max_orders_per_minute=MANY)
    desk.limit(price_collar_percent=Decimal(50), duplicate_seconds=0)
    desk.trade("buy", "200")

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(side=st.sampled_from(["buy", "sell"]), lot=STEPS, tick=STEPS, quantity=QUANTITIES, price=PRICES)
    def holds(side: str, lot: Decimal, tick: Decimal, quantity: Decimal, price: Decimal) -> None:
        desk.list_as(lot_size=lot, tick_size=tick, min_quantity=lot, min_notional=Decimal(0))
        sealed = desk.ticket(side, str(quantity), order_type="limit", limit_price=price)
        assert (sealed.quantity % lot, sealed.limit_price % tick) == (0, 0)
        assert quantity - lot < sealed.quantity <= quantity
        if side == "buy":
            assert price - tick < sealed.limit_price <= price
        else:
            assert price <= sealed.limit_price < price + tick

    holds()
