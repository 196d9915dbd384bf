"""Candles of any timeframe: a made-up past without chance, then what was traded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .amounts import ZERO, floored
from .events import Event, Traded
from .instruments import Instrument
from .venue import Venue

MINUTE_MS = 60_000
_PERIOD = 720
"""Minutes from one top of the made-up price to the next bottom."""


@dataclass(frozen=True, slots=True)
class Candle:
    """One period; `open_ms` is its first millisecond."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int = 0


class Candles:
    """Past candles follow a zigzag known at every minute, so every timeframe agrees with its minutes."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._start = venue.clock.now_ms() // MINUTE_MS
        self._minutes: dict[str, dict[int, Candle]] = {}
        self.replaced: dict[tuple[str, int, int], Candle | None] = {}
        """Candles a test put in place, by symbol, length and opening time; None is a hole."""

    def heard(self, event: Event) -> None:
        """Add a trade to its minute."""
        if not isinstance(event, Traded):
            return
        minute, symbol = event.at_ms // MINUTE_MS, event.instrument.symbol
        minutes, price = self._minutes.setdefault(symbol, {}), event.price
        known = minutes.get(minute) or Candle(minute * MINUTE_MS, price, price, price, price, ZERO)
        high, low = max(known.high, price), min(known.low, price)
        volume = known.volume + event.quantity
        minutes[minute] = Candle(known.open_ms, known.open, high, low, price, volume, known.trades + 1)

    def between(self, symbol: str, length_ms: int, since_ms: int, count: int) -> list[Candle]:
        """Up to `count` candles that open at or after `since_ms`, none from the future; the last may be forming."""
        first = -(-since_ms // length_ms) * length_ms
        now = self._venue.clock.now_ms()
        found = []
        for open_ms in range(first, min(first + count * length_ms, now + 1), length_ms):
            key = (symbol, length_ms, open_ms)
            candle = self.replaced[key] if key in self.replaced else self.at(symbol, length_ms, open_ms)
            if candle is not None:
                found.append(candle)
        return found

    def at(self, symbol: str, length_ms: int, open_ms: int) -> Candle:
        """The candle that opens then."""
        first, last = open_ms // MINUTE_MS, (open_ms + length_ms) // MINUTE_MS
        parts = []
        if first < self._start:
            parts.append(self._made_up(self._venue.instruments[symbol], first, min(last, self._start)))
        minutes = self._minutes.get(symbol, {})
        if len(minutes) < last - first:
            parts += [minutes[minute] for minute in sorted(minutes) if first <= minute < last]
        else:
            parts += [minutes[minute] for minute in range(first, last) if minute in minutes]
        if not parts:
            price = self._close_before(symbol, first)
            return Candle(open_ms, price, price, price, price, ZERO)
        return Candle(
            open_ms,
            parts[0].open,
            max(part.high for part in parts),
            min(part.low for part in parts),
            parts[-1].close,
            sum((part.volume for part in parts), ZERO),
            sum(part.trades for part in parts),
        )

    def _close_before(self, symbol: str, minute: int) -> Decimal:
        earlier = [known for known in self._minutes.get(symbol, {}) if known < minute]
        if earlier:
            return self._minutes[symbol][max(earlier)].close
        return self._price(self._venue.instruments[symbol], self._start)

    def _price(self, instrument: Instrument, minute: int) -> Decimal:
        phase = minute % (2 * _PERIOD)
        height = _PERIOD - abs(_PERIOD - phase)
        swing = instrument.start_price / 50 * height / _PERIOD
        return floored(instrument.start_price * Decimal("0.98") + swing, instrument.price_tick)

    def _made_up(self, instrument: Instrument, first: int, last: int) -> Candle:
        ends = [self._price(instrument, first), self._price(instrument, last)]
        turns = _turns(first, last)
        prices = ends + [self._price(instrument, minute) for minute in turns]
        volume = Decimal(_volume_until(last) - _volume_until(first)) / 100
        count = last - first
        return Candle(first * MINUTE_MS, ends[0], max(prices), min(prices), ends[1], volume, count)


def _turns(first: int, last: int) -> list[int]:
    """Up to one top and one bottom of the zigzag inside [first, last]."""
    start = -(-first // _PERIOD) * _PERIOD
    return [turn for turn in (start, start + _PERIOD) if turn <= last]


def _volume_until(minute: int) -> int:
    """Hundredths of a base unit traded before a minute: minute m trades 1 + m % 10 of them."""
    whole, rest = divmod(minute, 10)
    return whole * 55 + rest * (rest + 1) // 2
