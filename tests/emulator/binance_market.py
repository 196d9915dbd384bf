"""Binance's public routes."""

from __future__ import annotations

from .amounts import ZERO
from .binance_words import eight, market_document, market_id
from .candles import Candle
from .dialect import Dialect
from .events import Traded
from .exchanges import Json
from .orders import Refusal

INTERVALS = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480}
INTERVALS |= {"12h": 720, "1d": 1440, "3d": 4320}
DAY_MS = 86_400_000


class BinanceMarket:
    """Answers what needs no signature."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._venue = dialect.venue

    def symbol(self, params: dict[str, str]) -> str:
        """The unified symbol a request names."""
        name = params.get("symbol")
        if not name:
            raise Refusal("missing", "symbol")
        for symbol, instrument in self._venue.instruments.items():
            if market_id(instrument) == name:
                return symbol
        raise Refusal("unknown symbol", name)

    def ping(self, params: dict[str, str]) -> Json:
        """`ping`."""
        del params
        return {}

    def time(self, params: dict[str, str]) -> Json:
        """`time`."""
        del params
        return {"serverTime": self._venue.clock.now_ms()}

    def information(self, params: dict[str, str]) -> Json:
        """`exchangeInfo`."""
        wanted = {self.symbol(params)} if "symbol" in params else set(self._venue.instruments)
        listed = [each for symbol, each in self._venue.instruments.items() if symbol in wanted]
        return {
            "timezone": "UTC",
            "serverTime": self._venue.clock.now_ms(),
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            ],
            "exchangeFilters": [],
            "symbols": [market_document(self._venue, instrument) for instrument in listed],
        }

    def depth(self, params: dict[str, str]) -> Json:
        """`depth`."""
        book = self._venue.books[self.symbol(params)]
        limit = int(params.get("limit", "100"))
        sides = {"bids": book.sides["buy"], "asks": book.sides["sell"]}
        levels = {name: [[eight(p), eight(q)] for p, q in side.levels(limit)] for name, side in sides.items()}
        return {"lastUpdateId": book.sequence, **levels}

    def trades(self, params: dict[str, str]) -> Json:
        """`trades`."""
        recent = list(self._venue.trades[self.symbol(params)])[-int(params.get("limit", "500")) :]
        return [
            {
                "id": trade.number,
                "price": eight(trade.price),
                "qty": eight(trade.quantity),
                "quoteQty": eight(trade.price * trade.quantity),
                "time": trade.at_ms,
                "isBuyerMaker": trade.side == "sell",
                "isBestMatch": True,
            }
            for trade in recent
        ]

    def aggregated(self, params: dict[str, str]) -> Json:
        """`aggTrades`: each trade stands for itself."""
        trades = [trade for trade in self._venue.trades[self.symbol(params)] if _inside(trade, params)]
        limit = int(params.get("limit", "500"))
        return [
            {
                "a": trade.number,
                "p": eight(trade.price),
                "q": eight(trade.quantity),
                "f": trade.number,
                "l": trade.number,
                "T": trade.at_ms,
                "m": trade.side == "sell",
                "M": True,
            }
            for trade in (trades[:limit] if {"fromId", "startTime"} & set(params) else trades[-limit:])
        ]

    def klines(self, params: dict[str, str]) -> Json:
        """`klines`: from `startTime` on, or the last ones; the newest is still forming."""
        symbol, interval = self.symbol(params), params.get("interval", "")
        if interval not in INTERVALS:
            raise Refusal("interval", interval)
        length, limit = INTERVALS[interval] * 60_000, min(int(params.get("limit", "500")), 1000)
        end = int(params.get("endTime", str(self._venue.clock.now_ms())))
        since = int(params["startTime"]) if "startTime" in params else end - end % length - (limit - 1) * length
        found = self._dialect.candles.between(symbol, length, since, limit)
        return [kline(candle, length) for candle in found if candle.open_ms <= end]

    def day(self, params: dict[str, str]) -> Json:
        """`ticker/24hr`: one market, or all of them."""
        if "symbol" in params:
            return self._day(self.symbol(params))
        return [self._day(symbol) for symbol in self._venue.instruments]

    def _day(self, symbol: str) -> Json:
        now, instrument = self._venue.clock.now_ms(), self._venue.instruments[symbol]
        candle = self._dialect.candles.at(symbol, DAY_MS, (now // 60_000 + 1) * 60_000 - DAY_MS)
        last = self._venue.last[symbol]
        return {
            "symbol": market_id(instrument),
            "priceChange": eight(last - candle.open),
            "priceChangePercent": f"{(last / candle.open - 1) * 100:.3f}",
            "weightedAvgPrice": eight((candle.high + candle.low) / 2),
            "prevClosePrice": eight(candle.open),
            "lastPrice": eight(last),
            "lastQty": eight(instrument.min_quantity),
            **self.best(symbol),
            "openPrice": eight(candle.open),
            "highPrice": eight(max(candle.high, last)),
            "lowPrice": eight(min(candle.low, last)),
            "volume": eight(candle.volume),
            "quoteVolume": eight(candle.volume * last),
            "openTime": now - DAY_MS,
            "closeTime": now,
            "firstId": 1,
            "lastId": len(self._venue.trades[symbol]),
            "count": candle.trades,
        }

    def best(self, symbol: str) -> dict[str, str]:
        """Best bid and ask with their quantities, zeros where a side is empty."""
        book = self._venue.books[symbol]
        bid, ask = ([*book.sides[side].levels(1), (ZERO, ZERO)][0] for side in ("buy", "sell"))
        names = ("bidPrice", "bidQty", "askPrice", "askQty")
        return dict(zip(names, map(eight, (*bid, *ask)), strict=True))

    def price(self, params: dict[str, str]) -> Json:
        """`ticker/price`."""
        symbols = [self.symbol(params)] if "symbol" in params else list(self._venue.instruments)
        found = [
            {"symbol": market_id(self._venue.instruments[symbol]), "price": eight(self._venue.last[symbol])}
            for symbol in symbols
        ]
        return found[0] if "symbol" in params else found

    def quotes(self, params: dict[str, str]) -> Json:
        """`ticker/bookTicker`."""
        symbols = [self.symbol(params)] if "symbol" in params else list(self._venue.instruments)
        found = [{"symbol": market_id(self._venue.instruments[symbol]), **self.best(symbol)} for symbol in symbols]
        return found[0] if "symbol" in params else found


def kline(candle: Candle, length: int) -> Json:
    """One row of `klines`."""
    amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    half = eight(candle.volume / 2)
    close = candle.open_ms + length - 1
    return [
        candle.open_ms,
        *map(eight, amounts),
        close,
        eight(candle.volume * candle.close),
        candle.trades,
        half,
        half,
        "0",
    ]


def _inside(trade: Traded, params: dict[str, str]) -> bool:
    return (
        trade.number >= int(params.get("fromId", "0"))
        and trade.at_ms >= int(params.get("startTime", "0"))
        and trade.at_ms <= int(params.get("endTime", str(trade.at_ms)))
    )
