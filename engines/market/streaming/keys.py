"""What can be streamed, and of which exchange what is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from engines.domain.timeframe import Timeframe

Kind = Literal["candles", "ticker", "trades", "book"]

# Streams of one exchange at a time. Exchanges take more on one connection; a desk that looks at more than this
# scans, and scanning is what REST is for.
MOST_STREAMS: Final = 50
# An exchange whose trades of a symbol are numbered without a hole.
SEQUENTIAL_TRADES: Final = frozenset({"binance", "kraken"})
# Books are streamed only where a lost change is noticed: by numbers without a hole, or by a checksum. How deep.
BOOK_DEPTHS: Final = {"binance": 1_000, "kraken": 100}
# ccxt tells the candles of these apart by symbol only: a second timeframe of a symbol would be taken for the first.
ONE_TIMEFRAME: Final = frozenset({"kraken"})


@dataclass(frozen=True, slots=True)
class StreamKey:
    """One stream: candles have a timeframe, the others none."""

    kind: Kind
    symbol: str
    timeframe: Timeframe | None = None

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.symbol, self.timeframe) if part)
