"""What can be traded, and the grids and minimums a venue enforces."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """One spot market. Prices in quote units, quantities in base units."""

    base: str
    quote: str
    price_tick: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    max_notional: Decimal
    start_price: Decimal
    band: Decimal = Decimal(5)
    """A limit price may be at most `band` times the last price, and at least its inverse."""
    trading: bool = True

    @property
    def symbol(self) -> str:
        """Unified name, `BASE/QUOTE`."""
        return f"{self.base}/{self.quote}"


def _of(pair: str, tick: str, step: str, minimum: str, least: str, price: str) -> Instrument:
    base, quote = pair.split("/")
    return Instrument(
        base=base,
        quote=quote,
        price_tick=Decimal(tick),
        quantity_step=Decimal(step),
        min_quantity=Decimal(minimum),
        max_quantity=Decimal(9000),
        min_notional=Decimal(least),
        max_notional=Decimal(9_000_000),
        start_price=Decimal(price),
    )


INSTRUMENTS: dict[str, tuple[Instrument, ...]] = {
    "binance": (
        _of("BTC/USDT", "0.01", "0.00001", "0.00001", "5", "50000"),
        _of("ETH/USDT", "0.01", "0.0001", "0.0001", "5", "3000"),
        _of("ETH/BTC", "0.00001", "0.0001", "0.0001", "0.0001", "0.06"),
        _of("BNB/USDT", "0.01", "0.001", "0.001", "5", "600"),
    ),
    "bybit": (
        _of("BTC/USDT", "0.01", "0.000001", "0.000011", "5", "50000"),
        _of("ETH/USDT", "0.01", "0.00001", "0.00001", "5", "3000"),
        _of("ETH/BTC", "0.000001", "0.0001", "0.0001", "0.0001", "0.06"),
    ),
    "kraken": (
        _of("BTC/USD", "0.1", "0.00000001", "0.00005", "0.5", "50000"),
        _of("ETH/USD", "0.01", "0.00000001", "0.002", "0.5", "3000"),
        _of("BTC/USDT", "0.1", "0.00000001", "0.00005", "0.5", "50000"),
        _of("ETH/BTC", "0.00001", "0.00000001", "0.002", "0.00002", "0.06"),
    ),
}
