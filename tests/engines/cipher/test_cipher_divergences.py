"""Divergences, pivots and the dots on them against a slow, literal reading of their rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.cipher import VUMANCHU_B, CipherPanel, CipherParams, compute_panel
from engines.domain.candles import CandleFrame
from engines.errors import InvalidRequest

Build = Callable[..., CandleFrame]
Floats = NDArray[np.float64]
EPS = 1e-10
EVERYTHING = replace(
    VUMANCHU_B,
    name="everything",
    show_rsi_divergences=True,
    show_stoch_divergences=True,
    oversold_3=-40.0,
    gold_fall=-1.0,
    gold_rsi=45.0,
    wt_divergence_bottom=-30.0,
)
LIMITED = replace(EVERYTHING, name="limited", hidden_ignores_limits=False, pine_zero_falsy=False)


def is_pivot(x: Floats, p: int, sign: int) -> bool:
    """A strict extreme between two values on either side; nothing undefined is one."""
    around = [x[p - 2], x[p - 1], x[p + 1], x[p + 2]]
    return all(sign * (x[p] - other) > EPS for other in around)


def divergences(
    x: Floats, price: Floats, sign: int, limit: float, *, zero_falsy: bool
) -> dict[str, dict[int, tuple[int, int]]]:
    """Regular and hidden divergences by confirmation row: the pivot and the one before it."""
    found: dict[str, dict[int, tuple[int, int]]] = {"regular": {}, "hidden": {}, "pivots": {}}
    before: int | None = None
    for p in range(2, len(x) - 2):
        if not is_pivot(x, p, sign) or not sign * (x[p] - limit) >= -EPS or (zero_falsy and abs(x[p]) <= EPS):
            continue
        if before is not None:
            price_change, value_change = sign * (price[p] - price[before]), sign * (x[p] - x[before])
            if price_change > 0 and value_change < -EPS:
                found["regular"][p + 2] = (p, before)
            if price_change < 0 and value_change > EPS:
                found["hidden"][p + 2] = (p, before)
        found["pivots"][p + 2] = (p, p)
        before = p
    return found


def expected(panel: CipherPanel, params: CipherParams) -> dict[str, dict[int, tuple[int, int]]]:
    """Every divergence event by its name."""
    events: dict[str, dict[int, tuple[int, int]]] = {}
    candles = panel.candles
    for kind, sign, price in (("bull", -1, candles.low), ("bear", 1, candles.high)):
        top = sign > 0
        wt_limit = params.wt_divergence_top if top else params.wt_divergence_bottom
        wt2_limit = params.wt_divergence_2_top if top else params.wt_divergence_2_bottom
        rsi_limit = params.rsi_divergence_top if top else params.rsi_divergence_bottom
        falsy, anything = params.pine_zero_falsy, -sign * np.inf
        wave = divergences(panel.wt2, price, sign, wt_limit, zero_falsy=falsy)
        strength = divergences(panel.rsi, price, sign, rsi_limit, zero_falsy=falsy)
        events[f"wt_{kind}_div"], events[f"rsi_{kind}_div"] = wave["regular"], strength["regular"]
        events[f"wt_{kind}_div2"] = divergences(panel.wt2, price, sign, wt2_limit, zero_falsy=falsy)["regular"]
        if params.hidden_ignores_limits:
            wave_all = divergences(panel.wt2, price, sign, anything, zero_falsy=falsy)
            strength_all = divergences(panel.rsi, price, sign, anything, zero_falsy=falsy)
        else:
            wave_all, strength_all = wave, strength
        events[f"wt_hidden_{kind}_div"] = wave_all["hidden"]
        events[f"rsi_hidden_{kind}_div"] = strength_all["hidden"]
        for suffix, zero in (("", falsy), ("_zero_truthy", False)):
            k = divergences(panel.stoch_k, price, sign, anything, zero_falsy=zero)
            events[f"stoch_{kind}_div{suffix}"] = k["regular"]
            events[f"stoch_hidden_{kind}_div{suffix}"] = k["hidden"]
    return events


def expected_gold(panel: CipherPanel, params: CipherParams, events: dict[str, dict[int, tuple[int, int]]]) -> list[int]:
    """Rows of gold dots: the last bottom that was known two candles before decides."""
    falsy = params.pine_zero_falsy
    bottoms = divergences(panel.wt2, panel.candles.low, -1, params.wt_divergence_bottom, zero_falsy=falsy)["pivots"]
    gold = []
    for t in sorted({*events["wt_bull_div"], *(events["rsi_bull_div"] if params.show_rsi_divergences else ())}):
        known = [p for confirmed, (p, _) in bottoms.items() if confirmed <= t - 2]
        if not known:
            continue
        low, rsi, now = panel.wt2[known[-1]], panel.rsi[known[-1]], panel.wt2[t]
        if (
            low <= params.oversold_3 + EPS
            and now > params.oversold_3 + EPS
            and low - now <= params.gold_fall + EPS
            and rsi < params.gold_rsi - EPS
        ):
            gold.append(t)
    return gold


@pytest.mark.parametrize("params", [VUMANCHU_B, EVERYTHING, LIMITED], ids=lambda params: params.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_divergences_their_pivots_and_dots_are_those_of_the_rules(
    params: CipherParams, seed: int, random_frame: Build
) -> None:
    panel = compute_panel(random_frame(seed, count=6_000), params)
    events = expected(panel, params)
    for name, rows in events.items():
        assert np.flatnonzero(panel.flags(name)).tolist() == sorted(rows), name
        pivot, previous = panel.pivots(name)
        assert {t: (int(pivot[t]), int(previous[t])) for t in rows} == rows, name
        assert (pivot[~panel.flags(name)] == -1).all()
        assert (previous[~panel.flags(name)] == -1).all()
    for dot, kind in (("buy_div_dot", "bull"), ("sell_div_dot", "bear")):
        shown = {*events[f"wt_{kind}_div"], *events[f"wt_{kind}_div2"]}
        shown |= set(events[f"rsi_{kind}_div"]) if params.show_rsi_divergences else set()
        shown |= set(events[f"stoch_{kind}_div"]) if params.show_stoch_divergences else set()
        assert np.flatnonzero(panel.flags(dot)).tolist() == sorted(shown), dot
    assert np.flatnonzero(panel.flags("gold_dot")).tolist() == expected_gold(panel, params, events)


def test_the_rules_find_gold_and_every_kind_of_divergence_in_these_candles(random_frame: Build) -> None:
    panel = compute_panel(random_frame(1, count=6_000), EVERYTHING)
    silent = [name for name in panel.event_names if "sommi" not in name and not panel.flags(name).any()]
    assert silent == []


def test_dots_of_divergences_follow_what_is_shown_and_the_divergences_do_not(random_frame: Build) -> None:
    candles = random_frame(1, count=6_000)
    shown, hidden = (
        compute_panel(candles, replace(EVERYTHING, show_wt_divergences=show, show_rsi_divergences=False))
        for show in (True, False)
    )
    assert shown.flags("gold_dot").any()
    assert not hidden.flags("gold_dot").any()
    assert shown.flags("buy_div_dot").sum() > hidden.flags("buy_div_dot").sum() > 0
    assert np.array_equal(shown.flags("wt_bull_div"), hidden.flags("wt_bull_div"))


def test_an_event_of_a_divergence_tells_what_it_compares_and_when_it_was_known(random_frame: Build) -> None:
    panel = compute_panel(random_frame(1, count=6_000), EVERYTHING)
    event = panel.last_event("wt_bear_div2")
    assert event is not None
    pivot, previous = panel.pivots("wt_bear_div2")
    assert (event.pivot_index, event.previous_pivot_index) == (pivot[event.index], previous[event.index])
    assert event.pivot_index == event.confirmed_index - 2 == event.index - 2
    assert event.confirmed_time == panel.candles.open_time[event.index] + 3_600_000
    dot = panel.last_event("sell_div_dot")
    assert dot is not None
    assert (dot.pivot_index, dot.previous_pivot_index) == (dot.index - 2, None)


def test_events_of_one_candle_are_told_in_the_order_of_their_names(btc_hourly: CandleFrame) -> None:
    panel = compute_panel(btc_hourly)
    order = [(event.index, panel.event_names.index(event.name)) for event in panel.events()]
    assert order == sorted(order)
    assert len({index for index, _ in order}) < len(order)
    assert panel.events(0, ("gold_dot", "sell_div_dot")) == tuple(
        event for event in panel.events() if event.name in {"gold_dot", "sell_div_dot"}
    )


def test_an_event_that_is_none_is_refused_with_those_there_are(btc_hourly: CandleFrame) -> None:
    panel = compute_panel(btc_hourly)
    for ask in (panel.flags, panel.pivots, panel.last_event, panel.rests_on):
        with pytest.raises(InvalidRequest, match="'purple_dot' is not an event"):
            ask("purple_dot")
    with pytest.raises(InvalidRequest, match="purple_dot"):
        panel.events(names=["purple_dot"])
