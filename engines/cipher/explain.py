"""Why an event is on a candle or is not: its conditions one by one, and what little would have turned it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from engines.cipher.explain_a import SYMBOLS
from engines.cipher.explain_divergences import CONFIRMED_AFTER, Pivots, divergence_conditions, pivots_of, previous_pivot
from engines.cipher.explain_dots import DOTS, closest, sources
from engines.cipher.explain_flips import Candle, Params, price_flips, setting_flips
from engines.cipher.explain_replay import Replay
from engines.cipher.explained import PIVOT, Condition, Explanation, Flip, all_passed, is_late, state
from engines.cipher.machine import refuse_repainting
from engines.cipher.panel import WARM_UP, CipherPanel, compute_panel
from engines.cipher.params import VUMANCHU_A, VUMANCHU_B, CipherAParams, CipherParams
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms, from_ms, to_ms
from engines.errors import InvalidRequest

# Besides the candles that warm a panel up: the earlier pivot that a divergence is compared with may be this far back.
_PIVOTS: Final = 1_000
# Candles of the longest higher timeframe, for its wave to have settled, and how many of the chart's are asked for.
_HIGHER_CANDLES: Final = 60
_HIGHER_MS: Final = 720 * 60_000
_MOST: Final = 25_000
_FINAL: Final = state("final", "the candle final", holds=True)


def explain_event(
    candles: CandleFrame, name: str, *, at: datetime | None = None, params: Params = VUMANCHU_B
) -> Explanation:
    """Tell why an event is on a candle or is not, condition by condition, and what would have turned it.

    The table holds every condition with its value and threshold; the event is there exactly when all passed. A flip is
    the smallest change of one input: a price of that candle, within what a candle can be, or one threshold. It is
    searched without assuming that more of something helps, and each one given was verified by recomputing.

    No look-ahead: candles after the one asked about are not used. Some hundred last candles are computed.

    Args:
        candles: closed candles up to and beyond the one asked about, with what the panel needs before it.
        name: of an event of Cipher B or Cipher A.
        at: an instant in (open, close] of the candle; the last closed candle when None. At an instant after the last
            close the last candle is explained and the note says so.
        params: settings of the panel; for an event of Cipher A the defaults of Cipher A unless given.

    Raises:
        InvalidRequest: there is no such event, `at` lies before or between the candles, a candle cannot be, or the
            settings repaint.
        InsufficientData: there are too few candles before it.
    """
    if name in SYMBOLS and isinstance(params, CipherParams):
        params = VUMANCHU_A
    _settings(name, params)
    row, forming = _row_at(candles, at)
    known = candles[: row + 1]
    panel = panel_of(known, params)
    table = _table(panel, name, row)
    happened = bool(panel.flags(name)[row])

    def with_settings(other: Params) -> bool:
        return bool(panel_of(known, other).flags(name)[row])

    flips = [
        *_price_flips(known, name, params),
        *setting_flips(with_settings, params, table.conditions, happened=happened),
    ]
    opened = int(candles.open_time[row])
    pivots = [_time(candles, pivot) for pivot in (table.pivot, table.previous)]
    return Explanation(
        event=name,
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        open_time=from_ms(opened),
        close_time=from_ms(opened + duration_ms(candles.timeframe)),
        happened=happened,
        conditions=table.conditions,
        flips=tuple(flips),
        note=" ".join(filter(None, (forming, table.note))),
        pivot_time=pivots[0],
        previous_pivot_time=pivots[1],
    )


def conditions_of(panel: CipherPanel, name: str, row: int) -> tuple[Condition, ...]:
    """What an event needs on the candle of `row`, each with what was measured; it is there when all passed.

    Raises:
        InvalidRequest: the panel has no such event, or its settings repaint.
    """
    _settings(name, panel.params)
    return _table(panel, name, row).conditions


def explainable_events(params: Params = VUMANCHU_B) -> tuple[str, ...]:
    """Names `explain_event` knows for these settings' panel."""
    if isinstance(params, CipherAParams):
        return tuple(SYMBOLS)
    from engines.cipher.layout import EVENT_NAMES

    return EVENT_NAMES


def candles_to_explain(name: str, timeframe: Timeframe) -> int:
    """How many closed candles `explain_event` wants for an event; a Sommi mark rests on twelve-hour candles."""
    if not name.startswith("sommi"):
        return WARM_UP + _PIVOTS
    return min(_MOST, WARM_UP + _PIVOTS + _HIGHER_CANDLES * _HIGHER_MS // duration_ms(timeframe))


def panel_of(candles: CandleFrame, params: Params) -> CipherPanel:
    """The panel that these settings belong to."""
    if isinstance(params, CipherAParams):
        from engines.cipher.cipher_a import compute_cipher_a

        return compute_cipher_a(candles, params)
    return compute_panel(candles, params)


@dataclass(frozen=True, slots=True)
class _Table:
    """Conditions, the pivots they compare, and what else there is to say."""

    conditions: tuple[Condition, ...]
    pivot: int | None = None
    previous: int | None = None
    note: str = ""


def _settings(name: str, params: Params) -> None:
    if name not in explainable_events(params):
        if name in explainable_events(VUMANCHU_B):
            raise InvalidRequest(f"{name!r} is no event of Cipher A.", remedy="Use settings of Cipher B.")
        known = (*explainable_events(VUMANCHU_B), *explainable_events(VUMANCHU_A))
        raise InvalidRequest(f"{name!r} is not an event of a Cipher panel.", remedy=f"Use one of {', '.join(known)}.")
    refuse_repainting(params)


def _row_at(candles: CandleFrame, at: datetime | None) -> tuple[int, str]:
    """Row of the candle asked about, and what there is to say when it is not the one meant."""
    last = len(candles) - 1
    closed = candles.as_of
    if at is None:
        return last, ""
    time, length = to_ms(at), duration_ms(candles.timeframe)
    if at > closed:
        told = f"The {candles.timeframe} candle of {at:%Y-%m-%d %H:%M} UTC is not closed; this is the last closed one."
        return last, told
    row = int(np.searchsorted(candles.open_time, time, side="left")) - 1
    if row < 0 or time > int(candles.open_time[row]) + length:
        first = from_ms(int(candles.open_time[0]))
        raise InvalidRequest(
            f"{candles.symbol} has no {candles.timeframe} candle at {at:%Y-%m-%d %H:%M} UTC.",
            remedy=f"These begin at {first:%Y-%m-%d %H:%M} and end at {closed:%Y-%m-%d %H:%M} UTC, and may have gaps.",
        )
    return row, ""


def _table(panel: CipherPanel, name: str, row: int) -> _Table:
    params = panel.params
    if isinstance(params, CipherAParams):
        return _Table((*SYMBOLS[name](panel, params, row), _FINAL))
    assert isinstance(params, CipherParams)
    how = pivots_of(name, params)
    if how is not None:
        return _pivot_table(panel, how, row, (*divergence_conditions(panel, how, row), _FINAL))
    conditions = (*DOTS[name](panel, params, row), _FINAL)
    events = sources(name, params)
    if not events:
        return _Table(conditions)
    nearest, _ = closest(panel, params, row, events)
    others = [each.words_with_limit() for event in events if (each := pivots_of(event, params)) not in (None, nearest)]
    note = f"Another divergence, of {' or '.join(others)}, would do as well." if others else ""
    return _pivot_table(panel, nearest, row, conditions, "" if all_passed(conditions) else note)


def _pivot_table(
    panel: CipherPanel, how: Pivots, row: int, conditions: tuple[Condition, ...], note: str = ""
) -> _Table:
    found = next(condition for condition in conditions if condition.name == "pivot").passed
    pivot = row - CONFIRMED_AFTER if found else None
    return _Table(conditions, pivot, previous_pivot(panel, how, row), note)


def _time(candles: CandleFrame, row: int | None) -> datetime | None:
    return None if row is None else from_ms(int(candles.open_time[row]))


def _price_flips(known: CandleFrame, name: str, params: Params) -> list[Flip]:
    """Of the last candle's prices, and for an event with a pivot those of the candle where that lies."""
    last = len(known) - 1
    found = price_flips(Replay(known, name, params, last), _candle(known, last))
    if is_late(name):
        pivot = last - CONFIRMED_AFTER
        found += price_flips(Replay(known, name, params, pivot), _candle(known, pivot), prefix=PIVOT)
    return sorted(found, key=lambda flip: abs(flip.change_percent or 0.0))


def _candle(candles: CandleFrame, row: int) -> Candle:
    return float(candles.open[row]), float(candles.high[row]), float(candles.low[row]), float(candles.close[row])
