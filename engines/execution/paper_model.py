"""What the simulated venue assumes: its parameters, the sentence that states them, fees and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from engines.domain.instruments import Instrument
from engines.domain.orders import OrderType
from engines.errors import ConfigurationError

_FEE_STEP: Final = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class PaperModel:
    """The parameters of the simulation.

    Attributes:
        latency: how long an order travels; cancels arrive at once.
        volume_share: the part of a candle's volume that an account's orders on a symbol may fill together.
        impact: how far a price without a book moves against a small order, as a fraction.
        impact_notional: quote units that move it once more by as much.
        most_slippage: how far from the best price a market or stop order walks a book, as a fraction.

    Raises:
        ConfigurationError: one of them makes no sense.
    """

    latency: timedelta = timedelta(milliseconds=100)
    volume_share: Decimal = Decimal("0.1")
    impact: Decimal = Decimal("0.0001")
    impact_notional: Decimal = Decimal(100_000)
    most_slippage: Decimal = Decimal("0.05")

    def __post_init__(self) -> None:
        if self.latency < timedelta(0):
            raise ConfigurationError(f"A latency of {self.latency} lies in the past.", remedy="Use zero or more.")
        if not 0 < self.volume_share <= 1:
            raise ConfigurationError(f"A volume share of {self.volume_share} is none.", remedy="Use 0.1 for 10 %.")
        if self.impact < 0 or self.impact_notional <= 0 or not 0 < self.most_slippage < 1:
            raise ConfigurationError(
                f"An impact of {self.impact} per {self.impact_notional}, or a slippage of {self.most_slippage}, makes "
                f"no sense.",
                remedy="Use fractions, and an amount above zero.",
            )

    @property
    def statement(self) -> str:
        """How the venue fills, in words for a person."""
        sentences = (
            f"Paper fills: an order arrives {self.latency / timedelta(milliseconds=1):g} ms after it was sent and "
            "meets only prices from then on; cancels arrive at once.",
            "Market and crossing orders walk the market's order book level by level, market and stop orders up to "
            f"{_percent(self.most_slippage)} from the best price.",
            "Where the market gives no book they take the ask or bid, moved against you by "
            f"{_percent(self.impact)} plus {_percent(self.impact)} per {self.impact_notional:,f} of notional.",
            "Resting limit orders fill at their own price once a candle that opened after they arrived, or a later "
            "quote, touches it.",
            "A stop becomes a market order once its price is reached; one that a candle jumps over takes the candle's "
            "open or worse.",
            f"What waits, and whatever meets no book, fills at most {_percent(self.volume_share)} of a candle's "
            "volume, all of an account's orders on a symbol together, and the rest waits for the next candle; where "
            "the market tells no volume it fills whole.",
            "What a market or IOC order does not get at once is cancelled, and FOK fills whole or not at all.",
            "Where one candle touches both stop-loss and take-profit, the stop-loss counts.",
            "Fees as the market lists them: maker for resting limits, taker else.",
            "Orders off the market's lot or tick, below its least size, of a kind that it does not take, or beyond the "
            "funds that open orders leave, are refused.",
            "Protective orders grow with what their entry fills and shrink with the holding; the first of them that "
            "sells ends the rest of the entry.",
        )
        return " ".join(sentences)


@dataclass(frozen=True, slots=True)
class Take:
    """What an order gets: a price in quote units, base units, and the fee as a fraction of the notional."""

    price: Decimal
    quantity: Decimal
    fee_rate: Decimal

    @property
    def fee(self) -> Decimal:
        """In quote units, rounded up to eight decimals."""
        return (self.price * self.quantity * self.fee_rate).quantize(_FEE_STEP, ROUND_CEILING)

    @property
    def cost(self) -> Decimal:
        """What a buy of it takes out of the account, quote units."""
        return self.price * self.quantity + self.fee


def refusal_of(
    order_type: OrderType, force: str, quantity: Decimal, prices: tuple[Decimal, ...], instrument: Instrument
) -> str:
    """Why the market does not take an order, as a real venue would refuse it; empty when it does.

    Args:
        force: its time in force; empty for what its type does by itself.
        prices: what its notional is held against first, then every price that it names.
    """
    notional = quantity * prices[0]
    if not instrument.is_trading:
        return f"{instrument.symbol} is listed and takes no orders now."
    if order_type not in instrument.order_types:
        return f"{instrument.symbol} takes no {order_type} orders."
    # The desk itself ends what is good for the day or till a date, and what a market order is by itself is no choice.
    if order_type != "market" and force in {"IOC", "FOK"} and force not in instrument.times_in_force:
        return f"{instrument.symbol} takes no {force} orders."
    if quantity != instrument.round_quantity(quantity):
        return f"{quantity} is no whole number of lots of {instrument.lot_size} {instrument.base}."
    for price in prices[1:]:
        if price % instrument.tick_size:
            return f"{price} is no whole number of ticks of {instrument.tick_size} {instrument.quote}."
    if quantity < instrument.min_quantity or notional < instrument.min_notional:
        least = f"{instrument.min_quantity} {instrument.base} and {instrument.min_notional} {instrument.quote}"
        return f"{quantity} {instrument.base}, about {notional:.2f} {instrument.quote}, is below the least: {least}."
    most_quantity, most_notional = instrument.max_quantity, instrument.max_notional
    if (most_quantity is not None and quantity > most_quantity) or (
        most_notional is not None and notional > most_notional
    ):
        return f"{quantity} {instrument.base}, about {notional:.2f} {instrument.quote}, is more than the market takes."
    return ""


def _percent(fraction: Decimal) -> str:
    return f"{(fraction * 100).normalize():f} %"


MODEL: Final = PaperModel().statement
"""How the venue fills unless somebody says otherwise."""
