"""Bybit's public routes."""

from __future__ import annotations

from .amounts import ZERO, plain
from .bybit_words import market_document, market_id
from .candles import Candle
from .dialect import Dialect
from .exchanges import Json
from .orders import Refusal

INTERVALS = {"1": 1, "3": 3, "5": 5, "15": 15, "30": 30, "60": 60, "120": 120, "240": 240, "360": 360, "720": 720}
INTERVALS |= {"D": 1440}
DAY_MS = 86_400_000


class BybitMarket:
    """Answers what needs no signature."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._venue = dialect.venue

    def symbol(self, params: dict[str, str]) -> str:
        """The unified symbol a request names."""
        if params.get("category", "spot") != "spot":
            raise Refusal("unknown symbol", params["category"])
        for symbol, instrument in self._venue.instruments.items():
            if market_id(instrument) == params.get("symbol"):
                return symbol
        raise Refusal("unknown symbol", params.get("symbol", ""))

    def time(self, params: dict[str, str]) -> Json:
        """`market/time`."""
        del params
        now = self._venue.clock.now_ms()
        return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}

    def instruments(self, params: dict[str, str]) -> Json:
        """`market/instruments-info`."""
        wanted = {self.symbol(params)} if params.get("symbol") else set(self._venue.instruments)
        listed = [market_document(each) for symbol, each in self._venue.instruments.items() if symbol in wanted]
        return {"category": params.get("category", "spot"), "list": listed, "nextPageCursor": ""}

    def tickers(self, params: dict[str, str]) -> Json:
        """`market/tickers`."""
        symbols = [self.symbol(params)] if params.get("symbol") else list(self._venue.instruments)
        return {"category": "spot", "list": [self.ticker(symbol) for symbol in symbols]}

    def ticker(self, symbol: str) -> Json:
        """One market's day."""
        now, instrument, last = self._venue.clock.now_ms(), self._venue.instruments[symbol], self._venue.last[symbol]
        candle = self._dialect.candles.at(symbol, DAY_MS, (now // 60_000 + 1) * 60_000 - DAY_MS)
        book = self._venue.books[symbol]
        bid, ask = ([*book.sides[side].levels(1), (ZERO, ZERO)][0] for side in ("buy", "sell"))
        return {
            "symbol": market_id(instrument),
            "bid1Price": plain(bid[0]),
            "bid1Size": plain(bid[1]),
            "ask1Price": plain(ask[0]),
            "ask1Size": plain(ask[1]),
            "lastPrice": plain(last),
            "prevPrice24h": plain(candle.open),
            "price24hPcnt": f"{last / candle.open - 1:.4f}",
            "highPrice24h": plain(max(candle.high, last)),
            "lowPrice24h": plain(min(candle.low, last)),
            "turnover24h": plain(candle.volume * last),
            "volume24h": plain(candle.volume),
            "usdIndexPrice": plain(last),
        }

    def book(self, params: dict[str, str]) -> Json:
        """`market/orderbook`."""
        return self.book_document(self.symbol(params), int(params.get("limit", "1")))

    def book_document(self, symbol: str, depth: int) -> Json:
        """The best levels of both sides."""
        book = self._venue.books[symbol]
        sides = {"b": book.sides["buy"], "a": book.sides["sell"]}
        levels = {name: [[plain(p), plain(q)] for p, q in side.levels(depth)] for name, side in sides.items()}
        head = {"s": market_id(self._venue.instruments[symbol]), "u": book.sequence, "seq": book.sequence}
        return head | {"ts": self._venue.clock.now_ms(), "cts": self._venue.clock.now_ms()} | levels

    def trades(self, params: dict[str, str]) -> Json:
        """`market/recent-trade`, newest first."""
        recent = list(self._venue.trades[self.symbol(params)])[-int(params.get("limit", "60")) :]
        rows = [
            {
                "execId": self._venue.rules.fill_id(trade.number),
                "symbol": market_id(trade.instrument),
                "price": plain(trade.price),
                "size": plain(trade.quantity),
                "side": trade.side.capitalize(),
                "time": str(trade.at_ms),
                "isBlockTrade": False,
                "isRPITrade": False,
                "seq": str(trade.number),
            }
            for trade in reversed(recent)
        ]
        return {"category": "spot", "list": rows}

    def klines(self, params: dict[str, str]) -> Json:
        """`market/kline`, newest first; the newest is still forming."""
        symbol, interval = self.symbol(params), params.get("interval", "")
        if interval not in INTERVALS:
            raise Refusal("interval", interval)
        length, limit = INTERVALS[interval] * 60_000, min(int(params.get("limit", "200")), 1000)
        end = int(params.get("end", str(self._venue.clock.now_ms())))
        since = int(params["start"]) if "start" in params else end - end % length - (limit - 1) * length
        found = self._dialect.candles.between(symbol, length, since, limit)
        rows = [kline(candle) for candle in found if candle.open_ms <= end]
        return {"category": "spot", "symbol": params["symbol"], "list": rows[::-1]}


def kline(candle: Candle) -> list[str]:
    """One row of `kline`."""
    amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.volume * candle.close)
    return [str(candle.open_ms), *map(plain, amounts)]
