"""What fills cost, told currency by currency."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from agents.nodes.outcome import fees_of
from engines.domain.orders import Fill

NOW = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)


def fill(number: int, fee: str, currency: str) -> Fill:
    return Fill(
        id=str(number),
        order_id="qtp-1",
        account="a",
        symbol="BTC/USDT",
        side="buy",
        price=Decimal(60_000),
        quantity=Decimal("0.1"),
        fee=Decimal(fee),
        fee_currency=currency,
        time=NOW,
    )


def test_fees_of_two_currencies_are_never_added_up() -> None:
    told, values = fees_of((fill(1, "6", "USDT"), fill(2, "0.01", "BNB"), fill(3, "1.5", "USDT")))

    said = told.format(**{name: value.text for name, value in values.items()})
    assert said == "fee 7.50 USDT and 0.01 BNB"
    assert [value.label for value in values.values()] == ["fee paid, USDT", "fee paid, BNB"]
