"""What tests start from: a listed coin and an approved ticket, to be changed where a test needs another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engines.domain.instruments import Instrument
from engines.domain.orders import Confluence, OrderTicket, RiskVerdict

START = datetime(2026, 3, 2, 16, tzinfo=UTC)
TICKET = OrderTicket(
    id="tkt-1",
    label="T-1",
    owner="ann",
    thread_id="thread-1",
    account="a",
    mode="paper",
    market="fixed",
    simulated=True,
    kind="order",
    symbol="BTC/USDT",
    side="buy",
    order_type="market",
    quantity=Decimal(1),
    limit_price=None,
    stop_price=None,
    stop_loss=None,
    take_profit=None,
    reduce_only=False,
    cancels=(),
    time_in_force="",
    reference_price=Decimal(100),
    quote_time=START,
    price_band=(Decimal(1), Decimal(1_000_000)),
    notional=Decimal(100),
    estimated_fee=Decimal(0),
    fee_currency="USDT",
    risk=RiskVerdict("approved", Decimal(1), ()),
    confluence=Confluence(None),
    differences=(),
    user_words="",
    limits_version="1",
    created_at=START,
    expires_at=START + timedelta(seconds=60),
    client_order_id="qtp-1",
    status="approved",
)
"""One coin of BTC/USDT at the market, quoted at 100."""


def listed(base: str = "BTC", quote: str = "USDT", **changed: Any) -> Instrument:
    """A coin by cents, in lots of 0.0001, from 5 quote units on, at fees of 0.08 and 0.1 %, unless given otherwise."""
    plain: dict[str, Any] = {
        "symbol": f"{base}/{quote}",
        "base": base,
        "quote": quote,
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.0001"),
        "min_notional": Decimal(5),
        "maker_fee": Decimal("0.0008"),
        "taker_fee": Decimal("0.001"),
    }
    told = plain | changed
    return Instrument(**{"min_quantity": told["lot_size"], **told})
