"""Kraken's public routes."""

from __future__ import annotations

from decimal import Decimal

from .amounts import ZERO, fixed, places_of
from .candles import Candle
from .dialect import Dialect
from .exchanges import Json
from .kraken_words import asset_id, market_document, market_id, names_of, short_name
from .orders import Refusal

MINUTES = (1, 5, 15, 30, 60, 240, 1440)
DAY_MS = 86_400_000


class KrakenMarket:
    """Answers what needs no signature."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._venue = dialect.venue

    def symbol(self, params: dict[str, str]) -> str:
        """The unified symbol a request names."""
        for symbol, instrument in self._venue.instruments.items():
            if params.get("pair") in names_of(instrument):
                return symbol
        raise Refusal("unknown symbol", params.get("pair", ""))

    def _several(self, params: dict[str, str]) -> list[str]:
        if not params.get("pair"):
            return list(self._venue.instruments)
        return [self.symbol({"pair": name}) for name in params["pair"].split(",")]

    def time(self, params: dict[str, str]) -> Json:
        """`Time`."""
        del params
        return {"unixtime": self._venue.clock.now_ms() // 1000, "rfc1123": ""}

    def status(self, params: dict[str, str]) -> Json:
        """`SystemStatus`."""
        del params
        return {"status": "online", "timestamp": ""}

    def assets(self, params: dict[str, str]) -> Json:
        """`Assets`."""
        del params
        listed = sorted({asset for each in self._venue.instruments.values() for asset in (each.base, each.quote)})
        return {
            asset_id(asset): {
                "aclass": "currency",
                "altname": short_name(asset),
                "decimals": 10,
                "display_decimals": 8,
                "status": "enabled",
            }
            for asset in listed
        }

    def pairs(self, params: dict[str, str]) -> Json:
        """`AssetPairs`."""
        listed = [self._venue.instruments[symbol] for symbol in self._several(params)]
        return {market_id(each): market_document(each, self._venue.fees) for each in listed}

    def ticker(self, params: dict[str, str]) -> Json:
        """`Ticker`."""
        found = {}
        for symbol in self._several(params):
            day = self.day(symbol)
            places = places_of(self._venue.instruments[symbol].price_tick)
            bid, ask = self.best(symbol)
            found[market_id(self._venue.instruments[symbol])] = {
                "a": [fixed(ask[0], places), str(int(ask[1])), fixed(ask[1], 3)],
                "b": [fixed(bid[0], places), str(int(bid[1])), fixed(bid[1], 3)],
                "c": [fixed(self._venue.last[symbol], places), "0.00000000"],
                "v": [fixed(day.volume, 8)] * 2,
                "p": [fixed((day.high + day.low) / 2, places)] * 2,
                "t": [day.trades] * 2,
                "l": [fixed(day.low, places)] * 2,
                "h": [fixed(day.high, places)] * 2,
                "o": fixed(day.open, places),
            }
        return found

    def day(self, symbol: str) -> Candle:
        """The last 24 hours."""
        now = self._venue.clock.now_ms()
        return self._dialect.candles.at(symbol, DAY_MS, (now // 60_000 + 1) * 60_000 - DAY_MS)

    def best(self, symbol: str) -> list[tuple[Decimal, Decimal]]:
        """Best bid and ask with their quantities, zeros where a side is empty."""
        book = self._venue.books[symbol]
        return [[*book.sides[side].levels(1), (ZERO, ZERO)][0] for side in ("buy", "sell")]

    def depth(self, params: dict[str, str]) -> Json:
        """`Depth`."""
        symbol = self.symbol(params)
        instrument, book = self._venue.instruments[symbol], self._venue.books[symbol]
        now, places = self._venue.clock.now_ms() // 1000, places_of(instrument.price_tick)
        sides = {"asks": book.sides["sell"], "bids": book.sides["buy"]}
        count = int(params.get("count", "100"))
        levels = {
            name: [[fixed(price, places), fixed(quantity, 3), now] for price, quantity in side.levels(count)]
            for name, side in sides.items()
        }
        return {market_id(instrument): levels}

    def candles(self, params: dict[str, str]) -> Json:
        """`OHLC`: what opened after `since`, of the last 720; the newest is still forming."""
        symbol, minutes = self.symbol(params), int(params.get("interval", "1"))
        if minutes not in MINUTES:
            raise Refusal("missing", "interval")
        length, now = minutes * 60_000, self._venue.clock.now_ms()
        oldest = now - now % length - 719 * length
        since = max(oldest, int(params.get("since", "0")) * 1000 + 1)
        instrument = self._venue.instruments[symbol]
        places = places_of(instrument.price_tick)
        rows = [
            [
                candle.open_ms // 1000,
                *(fixed(value, places) for value in (candle.open, candle.high, candle.low, candle.close)),
                fixed((candle.high + candle.low) / 2, places),
                fixed(candle.volume, 8),
                candle.trades,
            ]
            for candle in self._dialect.candles.between(symbol, length, since, 720)
        ]
        return {market_id(instrument): rows, "last": (now - now % length - length) // 1000}

    def trades(self, params: dict[str, str]) -> Json:
        """`Trades`."""
        symbol = self.symbol(params)
        instrument = self._venue.instruments[symbol]
        since = int(params.get("since", "0"))
        # Seconds and nanoseconds are both taken.
        since_ms = since * 1000 if since < 10**11 else since // 1_000_000
        found = [trade for trade in self._venue.trades[symbol] if trade.at_ms >= since_ms]
        places, count = places_of(instrument.price_tick), int(params.get("count", "1000"))
        rows = [
            [
                fixed(trade.price, places),
                fixed(trade.quantity, 8),
                trade.at_ms / 1000,
                trade.side[0],
                "m",
                "",
                trade.number,
            ]
            for trade in found[-count:]
        ]
        last = found[-1].at_ms * 1_000_000 if found else since
        return {market_id(instrument): rows, "last": str(last)}
