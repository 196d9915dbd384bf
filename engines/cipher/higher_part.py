"""Passes that build candles of a higher timeframe and bring what is known of them back to the chart.

A higher candle is made of the chart's candles that open in its bucket, and is known from the first candle that closes
at or after the bucket's end: nothing here looks into a candle that is still forming. Loading this module loads numba.
"""

from __future__ import annotations

import numpy as np

from engines.cipher import calls, higher_layout, layout, primitives, reach, windows
from engines.cipher.higher_layout import (
    ANCHORS,
    AT_FLAG_SIGNAL,
    AT_MACD_FLOW,
    AT_MACD_SIGNAL,
    BODIES,
    BUCKETS,
    COLLECT,
    COLLECT_STATE,
    DIAMOND_1,
    DIAMOND_2,
    DIAMOND_WT_BEAR,
    DIAMOND_WT_BULL,
    FAST_MEAN,
    FLAG,
    FLAG_FLOW_BEAR,
    FLAG_FLOW_BULL,
    FLAG_VWAP_BEAR,
    FLAG_VWAP_BULL,
    FLAG_WAVE,
    FLAG_WT_BEAR,
    FLAG_WT_BULL,
    HELD,
    MACD,
    MACD_FAST,
    MACD_SIGNAL,
    MACD_SLOW,
    SLOW_MEAN,
)
from engines.cipher.layout import (
    AT_HIGHER,
    AVERAGE,
    BITS,
    CANDLE_MS,
    CHANNEL,
    CROSS_DOWN,
    CROSS_UP,
    FLOW_LENGTH,
    FLOW_MULTIPLIER,
    FLOW_SHIFT,
    HIGHER_LEVELS,
    HIGHER_PLAN,
    SIGNAL,
    Wholes,
)
from engines.cipher.primitives import TOLERANCE, Candles, Floats, Masks, ema_pass, flow_pass, wave_pass, window_means
from engines.cipher.reach import (
    Times,
    call_at,
    candles_of,
    column_of,
    masks_of,
    scratch_wholes_of,
    settings_of,
    state_of,
    times_of,
    work_of,
)
from engines.compiled import aside, copied, part, step

# Rows of the scratch: closed higher candles with the chart's row from which each is known, what is computed on them,
# and two bodies on the chart's candles.
_OPEN, _HIGH, _LOW, _CLOSE, _SEEN_AT, _A, _B, _C, _D, _BODY_1, _BODY_2 = range(11)
_SOMMI_BULL, _SOMMI_BEAR = BITS["sommi_bull"], BITS["sommi_bear"]
_BULL_DIAMOND, _BEAR_DIAMOND = BITS["sommi_bull_diamond"], BITS["sommi_bear_diamond"]


@copied
def collect_pass(
    times: Times, candles: Candles, candle: int, bucket: int, anchor: int, state: Floats, work: Floats
) -> int:
    """Gather the chart's candles into buckets and write those that have closed.

    Args:
        candle, bucket: lengths of a chart's candle and of a bucket, `anchor` an instant one begins; milliseconds.
        state: end of the bucket, whether its candle waits for that end, and the candle's prices so far.
        work: receives them in its first five rows.

    Returns:
        How many have closed: none where `bucket` is 0, two on one row where the first was waiting through a gap.
    """
    if bucket == 0:
        return 0
    open_, high, low, close = candles
    end, waiting = int(state[0]), state[1] != 0.0
    first, top, bottom, last = state[2], state[3], state[4], state[5]
    count = 0
    for t in range(len(close)):
        start = times[t]
        if start >= end:
            if waiting:
                work[_OPEN, count], work[_HIGH, count], work[_LOW, count] = first, top, bottom
                work[_CLOSE, count], work[_SEEN_AT, count] = last, t
                count += 1
            # The next bucket follows without a division, unless candles are missing or these are the first.
            end = end + bucket if start < end + bucket else start - (start - anchor) % bucket + bucket
            waiting = True
            first, top, bottom = open_[t], high[t], low[t]
        top, bottom, last = max(top, high[t]), min(bottom, low[t]), close[t]
        # A candle that reaches beyond its bucket closes it; a later one of the same bucket comes too late to count.
        if waiting and end <= start + candle:
            work[_OPEN, count], work[_HIGH, count], work[_LOW, count] = first, top, bottom
            work[_CLOSE, count], work[_SEEN_AT, count] = last, t
            count += 1
            waiting = False
    state[0], state[1] = end, 1.0 if waiting else 0.0
    state[2], state[3], state[4], state[5] = first, top, bottom, last
    return count


@copied
def hold_pass(work: Floats, known: Floats, state: Floats, held: Floats) -> None:
    """Show the values of higher candles from where each is known; the first slot of `state` is the one shown now."""
    begin, value = 0, state[0]
    for k in range(len(known)):
        end = int(work[_SEEN_AT, k])
        for t in range(begin, end):
            held[t] = value
        begin, value = end, known[k]
    for t in range(begin, len(held)):
        held[t] = value
    state[0] = value


@step
def body_pass(count: int, state: Floats, work: Floats) -> None:
    """1 where the body of a Heikin-Ashi candle is up, 0 where it is not; `state` is the last one's open and close."""
    first, last = state[0], state[1]
    for k in range(count):
        first = (work[_OPEN, k] + work[_CLOSE, k]) / 2.0 if np.isnan(first) else (first + last) / 2.0
        last = (work[_OPEN, k] + work[_HIGH, k] + work[_LOW, k] + work[_CLOSE, k]) / 4.0
        work[_A, k] = 1.0 if last - first > TOLERANCE * min(1.0, last) else 0.0
    state[0], state[1] = first, last


@aside
def difference_pass(count: int, plan: Wholes, slots: Floats, work: Floats, unused_marks: Masks) -> None:
    """Fast less slow wave of the higher candles."""
    wt1, wt2 = work[_A, :count], work[_B, :count]
    for k in range(count):
        wt2[k] = (work[_HIGH, k] + work[_LOW, k] + work[_CLOSE, k]) / 3.0
    wave_pass(wt2, slots[FLAG_WAVE:], plan[CHANNEL], plan[AVERAGE], wt1, unused_marks)
    window_means(wt1, slots[plan[HIGHER_PLAN + AT_FLAG_SIGNAL] :], plan[SIGNAL], wt2)
    for k in range(count):
        wt1[k] -= wt2[k]


@aside
def colour_pass(count: int, plan: Wholes, levels: Floats, slots: Floats, work: Floats) -> None:
    """Colours of both waves by MACD and money flow of the higher candles: 0..3 are the palette's a..d.

    Undefined until all of them are. Where MACD and signal are equal the falling colours win, the last word in the
    source.
    """
    macd, signal, flow, slow = work[_A, :count], work[_B, :count], work[_C, :count], work[_D, :count]
    open_, high, low, close = work[_OPEN, :count], work[_HIGH, :count], work[_LOW, :count], work[_CLOSE, :count]
    ema_pass(close, slots[FAST_MEAN:], plan[HIGHER_PLAN + MACD_FAST], macd)
    ema_pass(close, slots[SLOW_MEAN:], plan[HIGHER_PLAN + MACD_SLOW], slow)
    for k in range(count):
        macd[k] -= slow[k]
    window_means(macd, slots[plan[HIGHER_PLAN + AT_MACD_SIGNAL] :], plan[HIGHER_PLAN + MACD_SIGNAL], signal)
    flow_pass((open_, high, low, close), levels[FLOW_MULTIPLIER], flow)
    window_means(flow, slots[plan[HIGHER_PLAN + AT_MACD_FLOW] :], plan[FLOW_LENGTH], slow)
    for k in range(count):
        lead, inflow = macd[k] - signal[k], slow[k] - levels[FLOW_SHIFT]
        falls = 3.0 if inflow < -TOLERANCE else 1.0
        rises = lead > TOLERANCE * min(1.0, close[k])
        known = not np.isnan(lead + inflow)
        first, second = (2.0 if inflow > TOLERANCE else 0.0), (2.0 if inflow < -TOLERANCE else 0.0)
        macd[k] = (first if rises else falls) if known else np.nan
        signal[k] = (second if rises else falls) if known else np.nan


@copied
def sommi_pass(wt2: Floats, flow: Floats, difference: Floats, work: Floats, limits: Floats, masks: Masks) -> None:
    """Flags and diamonds: a cross of the chart's waves that the higher timeframes agree with.

    Args:
        difference: fast less slow wave of the flag's timeframe, at each of the chart's candles.
        work: holds the diamonds' Heikin-Ashi bodies at each of them; NaN where there is none yet.
    """
    # Without branches: crosses come at random, and mispredicting them costs more than all comparisons.
    for t in range(len(wt2)):
        wave, inflow, ahead, bodies = wt2[t], flow[t], difference[t], work[_BODY_1, t] + work[_BODY_2, t]
        flag = (inflow - limits[FLAG_FLOW_BULL] > TOLERANCE) & (wave - limits[FLAG_WT_BULL] < -TOLERANCE)
        flag &= ahead - limits[FLAG_VWAP_BULL] > TOLERANCE
        diamond = (bodies == 2.0) & (wave - limits[DIAMOND_WT_BULL] <= TOLERANCE)
        bits = ((_SOMMI_BULL if flag else 0) | (_BULL_DIAMOND if diamond else 0)) if masks[t] & CROSS_UP else 0
        flag = (inflow - limits[FLAG_FLOW_BEAR] < -TOLERANCE) & (wave - limits[FLAG_WT_BEAR] > TOLERANCE)
        flag &= ahead - limits[FLAG_VWAP_BEAR] < -TOLERANCE
        diamond = (bodies == 0.0) & (wave - limits[DIAMOND_WT_BEAR] >= -TOLERANCE)
        bits |= ((_SOMMI_BEAR if flag else 0) | (_BEAR_DIAMOND if diamond else 0)) if masks[t] & CROSS_DOWN else 0
        masks[t] |= bits


@part(inlines=(calls, higher_layout, layout, primitives, reach, windows))
def higher_part(address: int, symbol: int, begin: int, end: int) -> None:
    """Columns `htf_vwap` and the two colours, and the Sommi events; masks must hold the chart's crosses.

    Higher candles are made of the chart's as they are, never of averaged ones.
    """
    call = call_at(address)
    times, candles, masks, work = (
        times_of(call, begin, end),
        candles_of(call, begin, end),
        masks_of(call, begin, end),
        work_of(call),
    )
    (plan, levels), state = settings_of(call), state_of(call, symbol)
    count, closed = end - begin, 0
    settings, slots = plan[HIGHER_PLAN:], state[plan[AT_HIGHER] :]
    difference = column_of(call, 8, begin, end)
    for k in (FLAG, DIAMOND_1, DIAMOND_2, MACD):
        # Timeframes of one length that follow each other share their candles.
        if k == FLAG or settings[BUCKETS + k] != settings[BUCKETS + k - 1]:
            bucket, anchor = settings[BUCKETS + k], settings[ANCHORS + k]
            collected = slots[COLLECT + COLLECT_STATE * k :]
            closed = collect_pass(times, candles, plan[CANDLE_MS], bucket, anchor, collected, work)
        held = slots[HELD + k :]
        if k == FLAG:
            if closed > 0:
                difference_pass(closed, plan, slots, work, scratch_wholes_of(call, _C, closed))
            hold_pass(work, work[_A, :closed], held, difference)
        elif k == MACD:
            if closed > 0:
                colour_pass(closed, plan, levels, slots, work)
            hold_pass(work, work[_A, :closed], held, column_of(call, 9, begin, end))
            hold_pass(work, work[_B, :closed], held[1:], column_of(call, 10, begin, end))
        else:
            body_pass(closed, slots[BODIES + 2 * (k - DIAMOND_1) :], work)
            hold_pass(work, work[_A, :closed], held, work[_BODY_1 + k - DIAMOND_1, :count])
    wt2, flow = column_of(call, 1, begin, end), column_of(call, 3, begin, end)
    sommi_pass(wt2, flow, difference, work, levels[HIGHER_LEVELS:], masks)
