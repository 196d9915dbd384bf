"""Marking the road not taken: what a ticket would have come to, from closed candles alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.domain.instruments import Instrument
from engines.domain.orders import OrderTicket
from engines.domain.review import Road, RoadState, Step
from engines.domain.timeframe import to_ms
from engines.errors import InsufficientData
from engines.ledger.candle_path import CandlePath, PathReader

MODEL: Final = (
    "As if approved at its price: a market order, or a limit that the quote had already reached, fills whole at the "
    "ticket's own quote; a resting limit at its price once a closed candle that opened after the ticket touches it; a "
    "stop at its price, or at the candle's open where that is worse; neither after the order's own end. Stop-loss and "
    "take-profit are honoured; where one candle touches both, the stop-loss counts, and the candle that fills an entry "
    "can stop it but not take its profit; such a candle is read in minutes where the market has them. What is still "
    "held is marked at the last closed candle, as if sold there. "
    "Fees as the market lists them: maker for resting limits and take-profits, taker else. No impact, no partial "
    "fills, and each ticket by itself: whether the account's cash would have covered all of them is not looked at. A "
    "sale is held against holding on."
)
_FEE_STEP: Final = Decimal("1e-8")
_ZERO: Final = Decimal(0)
# What fills at once or not at all.
_AT_ONCE: Final = frozenset({"IOC", "FOK"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a ticket would have filled: `row` is the candle it happened in, -1 before the first."""

    step: Step
    row: int
    fee_rate: Decimal


def road_of(ticket: OrderTicket, path: CandlePath, instrument: Instrument) -> Road:
    """What a ticket would have come to by the end of `path`, if it had been approved at its price.

    No look-ahead: the road at a candle rests on that candle and earlier ones, and a final one never changes. `MODEL`
    says by which rules. O(candles).

    Args:
        path: closed candles that opened after the ticket's quote, ascending.

    Raises:
        InsufficientData: no candle has closed since.
    """
    if not len(path):
        raise InsufficientData(f"No candle of {ticket.symbol} that opened after the ticket has closed yet.")
    last = Step(path.price(-1, "close"), path.closed(-1), "close of the last closed candle")
    entry = _entry(ticket, path, instrument)
    if entry is None:
        return _road("unfilled", path, None, None, last, fees=_ZERO, result=_ZERO, over=_is_over(ticket, path))
    opened = entry.step.price
    fees = _fee(opened, ticket.quantity, entry.fee_rate)
    if ticket.side == "sell":
        return _road(
            "sold", path, entry.step, None, last, fees=fees, result=ticket.quantity * (opened - last.price) - fees
        )
    state, end, fee_rate, notes = _exit(ticket, path, entry, instrument)
    closing = end or last
    fees += _fee(closing.price, ticket.quantity, fee_rate)
    result = ticket.quantity * (closing.price - opened) - fees
    return _road(state, path, entry.step, end, last, fees=fees, result=result, notes=notes)


def read_road(ticket: OrderTicket, reader: PathReader, instrument: Instrument) -> Road:
    """A ticket's road up to now, read as finely as the market tells it wherever something happened to the order.

    An hour or a day hides which of two prices came first. Minutes that told it once go on telling it after their hour
    has closed, so a final road stays what it was.

    Raises:
        InsufficientData: no candle has closed since the ticket.
        NotFound, VenueUnavailable: as the market does.
    """
    path = reader.read(ticket.symbol, ticket.quote_time)
    whole: set[int] = set()
    while (row := _telling(ticket, path, instrument, whole)) is not None:
        finer = reader.finer(ticket.symbol, path, row)
        if finer is None:
            whole.add(int(path.open_time[row]))
        path = finer or path
    return road_of(ticket, path, instrument)


def _telling(ticket: OrderTicket, path: CandlePath, instrument: Instrument, whole: set[int]) -> int | None:
    """The first candle that decides the road and may yet be split: of the entry, an exit, or the order's own end."""
    entry = _entry(ticket, path, instrument) if len(path) else None
    if entry is not None:
        exits = () if ticket.side == "sell" else _exit_rows(ticket, path, entry)
        rows = [entry.row, *sorted(row for row in exits if row is not None)[:1]]
    else:
        ends = None if ticket.good_till is None else path.row_around(ticket.good_till)
        rows = [] if ends is None else [ends]
    splits = (row for row in rows if row >= 0 and path.timeframes[row] != "1m")
    return next((row for row in splits if int(path.open_time[row]) not in whole), None)


def own_price(ticket: OrderTicket) -> Decimal:
    """The price a ticket names: of its limit or stop, else what the market quoted."""
    return ticket.limit_price or ticket.stop_price or ticket.reference_price


def _entry(ticket: OrderTicket, path: CandlePath, instrument: Instrument) -> _Entry | None:
    buys, limit, stop = ticket.side == "buy", ticket.limit_price, ticket.stop_price
    quoted = ticket.reference_price
    reached = limit is not None and (limit >= quoted if buys else limit <= quoted)
    if ticket.order_type == "market" or reached:
        return _Entry(Step(quoted, ticket.quote_time, "the ticket's own quote"), -1, instrument.taker_fee)
    if ticket.time_in_force in _AT_ONCE:
        return None
    if limit is not None:
        row = _first((path.low <= float(limit) if buys else path.high >= float(limit)) & _good(ticket, path))
        if row is None:
            return None
        return _Entry(Step(limit, path.closed(row), f"limit touched by {path.told(row)}"), row, instrument.maker_fee)
    if stop is None:
        return None
    row = _first((path.high >= float(stop) if buys else path.low <= float(stop)) & _good(ticket, path))
    if row is None:
        return None
    opened = path.price(row, "open")
    price = max(stop, opened) if buys else min(stop, opened)
    return _Entry(Step(price, path.closed(row), f"stop reached by {path.told(row)}"), row, instrument.taker_fee)


def _good(ticket: OrderTicket, path: CandlePath) -> NDArray[np.bool_]:
    """Candles that were over before the order's own end: in one that goes on past it nobody knows which came first."""
    until = ticket.good_till
    return path.close_time <= (to_ms(until) if until is not None else np.iinfo(np.int64).max)


def _is_over(ticket: OrderTicket, path: CandlePath) -> bool:
    """True when what has not filled never will."""
    ended = ticket.good_till is not None and path.closed(-1) >= ticket.good_till
    return ended or ticket.time_in_force in _AT_ONCE


def _exit(
    ticket: OrderTicket, path: CandlePath, entry: _Entry, instrument: Instrument
) -> tuple[RoadState, Step | None, Decimal, tuple[str, ...]]:
    """How a purchase would have ended: state, step, fee of the sale, and what was assumed."""
    stop, target = ticket.stop_loss, ticket.take_profit
    stopped, taken = _exit_rows(ticket, path, entry)
    if stop is not None and stopped is not None and (taken is None or stopped <= taken):
        price = stop if stopped == entry.row else min(stop, path.price(stopped, "open"))
        notes = (f"Both exits lie within {path.told(stopped)}: the stop-loss counts.",) if stopped == taken else ()
        step = Step(price, path.closed(stopped), f"stop-loss reached by {path.told(stopped)}")
        return "stopped", step, instrument.taker_fee, notes
    if target is not None and taken is not None:
        step = Step(target, path.closed(taken), f"take-profit touched by {path.told(taken)}")
        return "target", step, instrument.maker_fee, ()
    return "held", None, instrument.taker_fee, ()


def _exit_rows(ticket: OrderTicket, path: CandlePath, entry: _Entry) -> tuple[int | None, int | None]:
    """Where the stop-loss and the take-profit are reached first."""
    stop, target = ticket.stop_loss, ticket.take_profit
    stopped = None if stop is None else _first(path.low <= float(stop), max(entry.row, 0))
    taken = None if target is None else _first(path.high >= float(target), entry.row + 1)
    return stopped, taken


def _first(touched: NDArray[np.bool_], start: int = 0) -> int | None:
    rows = np.flatnonzero(touched[start:])
    return int(rows[0]) + start if len(rows) else None


def _fee(price: Decimal, quantity: Decimal, rate: Decimal) -> Decimal:
    return (price * quantity * rate).quantize(_FEE_STEP, ROUND_CEILING)


def _road(
    state: RoadState,
    path: CandlePath,
    entry: Step | None,
    end: Step | None,
    last: Step,
    *,
    fees: Decimal,
    result: Decimal,
    notes: tuple[str, ...] = (),
    over: bool = False,
) -> Road:
    counted, unseen = path.counted(), path.unseen_seconds
    return Road(state, entry, end, last, fees, result, counted, unseen, notes, is_final=over or end is not None)


def price_at(path: CandlePath, time: datetime, *, within_ms: int) -> Decimal | None:
    """The close of the last candle of a path that had closed at `time`, when it closed at most `within_ms` before."""
    row = path.row_closed_at(time)
    if row is None or (time - path.closed(row)).total_seconds() * 1000 > within_ms:
        return None
    return path.price(row, "close")
