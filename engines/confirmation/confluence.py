"""What both engines say about an order's symbol: evidence for and against its side, summed in the open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engines.cipher import WARM_UP, compute_panel
from engines.cipher.reading import read_panel
from engines.domain.instruments import Instrument
from engines.domain.orders import Argument, Confluence, Side
from engines.domain.signals import Signal, fill
from engines.domain.timeframe import Timeframe, duration_ms
from engines.errors import InsufficientData, InvalidRequest, QuantumTraderError, VenueError
from engines.market.data import MarketData
from engines.volume_profile import DESK_LOOKBACK
from engines.volume_profile.desk import desk_profile
from engines.volume_profile.reading import read_levels
from engines.volume_profile.summary import weighed_levels

TIMEFRAMES: Final[tuple[Timeframe, ...]] = ("1h", "4h")
# A last candle that closed this many candle lengths ago or more says nothing about now.
STALE_AFTER: Final = 2


@dataclass(frozen=True, slots=True)
class _View:
    """What one tool's engine read on one timeframe."""

    tool: str
    signal: Signal


def confluence(
    side: Side,
    symbol: str,
    *,
    market: MarketData,
    as_of: datetime | None = None,
    timeframes: tuple[Timeframe, ...] = TIMEFRAMES,
) -> Confluence:
    """Sum the engines' reasons for and against buying or selling now.

    Per timeframe the weights are: wave direction 0.25, last dot (12 candles) 0.25, money flow's sign 0.15, RSI zone
    0.10, Stoch RSI K against D 0.05; price against value area 0.10 or, inside it, against the POC 0.05, acceptance or
    rejection at value's edges 0.05, side of the volume-weighted average price 0.05. Readable timeframes count equally.
    The weights are a convention and were not fitted to anything: the score says how much the panels agree, not how
    likely a profit is.

    No look-ahead: only candles closed at `as_of` (the market's now when None) are read.

    Returns:
        Arguments strongest first, weights positive in favour of `side` and summing to the score in [-1, 1]; `turns`
        says what would end those in favour. What could not be read, or is too old to count, is told in `missing` and
        counts nothing; score None when nothing could be.
    """
    try:
        known = as_of or market.now(symbol)
    except QuantumTraderError as error:
        return Confluence(None, missing=(str(error),))
    views: list[_View] = []
    missing: list[str] = []
    readable = 0
    for timeframe in timeframes:
        try:
            instrument = market.instrument(symbol)
            found = list(_views(market, instrument, timeframe, known, missing))
        except QuantumTraderError as error:
            missing.append(f"{timeframe}: {error}")
            continue
        views += found
        readable += 1 if found else 0
    told = [found for view in views for found in _arguments(view, side, readable)]
    told.sort(key=lambda found: -abs(found[0].weight))
    arguments = tuple(argument for argument, _ in told)
    score = max(-1.0, min(1.0, round(sum(argument.weight for argument in arguments), 12))) if views else None
    turns = tuple(turn for argument, turn in told if turn and argument.weight > 0)
    return Confluence(score, arguments, tuple(missing), turns)


def _views(
    market: MarketData, instrument: Instrument, timeframe: Timeframe, known: datetime, missing: list[str]
) -> Iterator[_View]:
    """What each engine reads on one timeframe; what it cannot read goes to `missing`."""
    candles = market.closed_candles(instrument.symbol, timeframe, count=WARM_UP + DESK_LOOKBACK, as_of=known)
    age = known - candles.as_of
    if age >= STALE_AFTER * timedelta(milliseconds=duration_ms(timeframe)):
        closed = f"{candles.as_of:%Y-%m-%d %H:%M} UTC"
        missing.append(f"{timeframe}: the last candle closed at {closed}, too long ago to count.")
        return
    try:
        signal = read_panel(compute_panel(candles))
        if signal.caveat:
            missing.append(f"{timeframe}: {signal.caveat}.")
        else:
            yield _View("analyze_cipher", signal)
    except InsufficientData as error:
        missing.append(f"{timeframe}: {error}")
    try:
        desk = desk_profile(market, instrument.symbol, timeframe, candles=candles[-DESK_LOOKBACK:])
        yield _View("analyze_volume_profile", read_levels(weighed_levels(desk, instrument)))
    except (InsufficientData, InvalidRequest, VenueError) as error:
        missing.append(f"{timeframe}: {error}")


def _arguments(view: _View, side: Side, readable: int) -> Iterator[tuple[Argument, str]]:
    """Each reason as an argument, and what would end it; empty where nothing short would."""
    timeframe = view.signal.timeframe
    source = f"{view.tool} {view.signal.timeframe}, candle closed {view.signal.confirmed_at:%Y-%m-%d %H:%M} UTC"
    for reason in view.signal.reasons:
        if reason.weight:
            weight = reason.weight / readable * (1 if side == "buy" else -1)
            turn = f"{fill(reason.turns, reason.values)} on the {timeframe}" if reason.turns else ""
            yield Argument(f"{timeframe}: {reason.spoken()}", weight, source), turn
