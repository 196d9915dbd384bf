"""The evidence for and against an order: additive, dated, and open about what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from engines.cipher import compute_panel
from engines.confirmation.confluence import confluence
from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData, VenueUnavailable
from engines.market.demo import DemoMarket
from engines.volume_profile.desk import desk_profile

Alter = Callable[[Callable[[CandleFrame], CandleFrame]], DemoMarket]


def test_weights_sum_to_the_score_and_selling_is_the_mirror_of_buying(market: DemoMarket) -> None:
    for instrument in market.instruments():
        buy = confluence("buy", instrument.symbol, market=market)
        sell = confluence("sell", instrument.symbol, market=market)
        assert buy.score is not None
        assert buy.score == pytest.approx(sum(argument.weight for argument in buy.arguments))
        assert -1 <= buy.score <= 1
        assert sell.score == -buy.score
        assert [argument.text for argument in sell.arguments] == [argument.text for argument in buy.arguments]
        assert buy.missing == ()


def test_arguments_come_strongest_first_with_figures_tool_timeframe_and_close(market: DemoMarket) -> None:
    arguments = confluence("buy", "BTC/USDT", market=market).arguments
    sizes = [abs(argument.weight) for argument in arguments]
    assert sizes == sorted(sizes, reverse=True)
    assert {argument.source for argument in arguments} == {
        "analyze_cipher 1h, candle closed 2026-03-11 17:00 UTC",
        "analyze_cipher 4h, candle closed 2026-03-11 16:00 UTC",
        "analyze_volume_profile 1h, candle closed 2026-03-11 17:00 UTC",
        "analyze_volume_profile 4h, candle closed 2026-03-11 16:00 UTC",
    }
    panel = compute_panel(market.closed_candles("BTC/USDT", "4h", count=700))
    (flow,) = [argument for argument in arguments if argument.text.startswith("4h: money flow")]
    assert flow.text.endswith(f"{panel.money_flow[-1]:+.2f}")
    assert flow.weight == pytest.approx(0.15 / 2 * np.sign(panel.money_flow[-1]))


def test_what_would_end_the_evidence_belongs_to_the_side_it_speaks_for(market: DemoMarket) -> None:
    told = set()
    for instrument in market.instruments():
        buy = confluence("buy", instrument.symbol, market=market)
        sell = confluence("sell", instrument.symbol, market=market)
        assert not set(buy.turns) & set(sell.turns)
        for side, found in (("buy", buy), ("sell", sell)):
            flows = [argument for argument in found.arguments if "money flow" in argument.text and argument.weight > 0]
            back = "under" if side == "buy" else "above"
            expected = {f"money flow {back} zero on the {argument.text.partition(':')[0]}" for argument in flows}
            assert {turn for turn in found.turns if turn.startswith("money flow")} == expected
            told |= expected
    assert len(told) == 4  # both sides, both timeframes


def test_price_outside_value_weighs_what_the_documentation_says(market: DemoMarket) -> None:
    for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT", "DOGE/USDT"):
        desk = desk_profile(market, symbol, "1h")
        profile, close = desk.profile, desk.candles.close[-1]
        inside = 0.05 * np.sign(close - profile.poc)
        expected = 0.1 if close > profile.vah else -0.1 if close < profile.val else inside
        found = confluence("buy", symbol, market=market, timeframes=("1h",)).arguments
        volume = [argument for argument in found if argument.source.startswith("analyze_volume_profile")]
        (price,) = [argument for argument in volume if "value" in argument.text and "price" in argument.text[:9]]
        assert price.weight == pytest.approx(expected)
        assert abs(sum(argument.weight for argument in volume)) <= 0.2 + 1e-12


def test_the_average_price_and_acceptance_at_values_edges_are_evidence_of_their_own(market: DemoMarket) -> None:
    found = confluence("sell", "BTC/USDT", market=market).arguments
    average = [argument for argument in found if "VWAP" in argument.text]
    assert [argument.text.split(" VWAP")[0].split()[-1] for argument in average] == ["session's", "week's"]
    accepted = [argument for argument in found if "accepted" in argument.text]
    assert [argument.text.split()[:4] for argument in accepted] == [
        ["1h:", "accepted", "above", "value:"],
        ["4h:", "accepted", "below", "value:"],
    ]
    assert {abs(argument.weight) for argument in (*average, *accepted)} == {0.025}


def test_an_outage_of_shorter_candles_leaves_the_panel_its_say_and_is_told(altered: Alter) -> None:
    def no_shorter(candles: CandleFrame) -> CandleFrame:
        if candles.timeframe not in {"1h", "4h"}:
            raise VenueUnavailable("The market does not answer.")
        return candles

    found = confluence("buy", "BTC/USDT", market=altered(no_shorter))
    assert found.missing == ("1h: The market does not answer.", "4h: The market does not answer.")
    assert {argument.source.split()[0] for argument in found.arguments} == {"analyze_cipher"}


def test_damaged_shorter_candles_leave_the_panel_its_say_and_are_told(altered: Alter) -> None:
    def damaged_shorter(candles: CandleFrame) -> CandleFrame:
        return candles if candles.timeframe in {"1h", "4h"} else replace(candles, volume=-candles.volume)

    found = confluence("buy", "BTC/USDT", market=altered(damaged_shorter))
    assert ["has a volume that is not zero or more" in missing for missing in found.missing] == [True, True]
    assert {argument.source.split()[0] for argument in found.arguments} == {"analyze_cipher"}


def test_a_market_without_shorter_candles_is_profiled_from_its_own(altered: Alter) -> None:
    def only_hours(candles: CandleFrame) -> CandleFrame:
        if candles.timeframe not in {"1h", "4h"}:
            raise InsufficientData("Only hours were imported.")
        return candles

    found = confluence("buy", "BTC/USDT", market=altered(only_hours), timeframes=("1h",))
    assert found.missing == ()
    assert "analyze_volume_profile" in {argument.source.split()[0] for argument in found.arguments}


def test_the_same_instant_gives_the_same_evidence_whatever_came_later(market: DemoMarket) -> None:
    as_of = market.now() - timedelta(hours=30)
    then = confluence("buy", "ETH/USDT", market=market, as_of=as_of)
    assert then == confluence("buy", "ETH/USDT", market=market, as_of=as_of)
    assert then != confluence("buy", "ETH/USDT", market=market)
    assert all("2026-03-10" in argument.source for argument in then.arguments)


def test_a_timeframe_without_enough_candles_is_missing_and_the_other_counts_whole(altered: Alter) -> None:
    def few_4h(candles: CandleFrame) -> CandleFrame:
        if candles.timeframe == "4h":
            raise InsufficientData("BTC/USDT has no closed 4h candle on demo.")
        return candles

    found = confluence("buy", "BTC/USDT", market=altered(few_4h))
    assert found.missing == ("4h: BTC/USDT has no closed 4h candle on demo.",)
    assert found == replace(
        confluence("buy", "BTC/USDT", market=altered(lambda candles: candles), timeframes=("1h",)),
        missing=found.missing,
    )


def test_candles_that_ended_long_ago_do_not_count_and_are_named(altered: Alter) -> None:
    found = confluence("buy", "BTC/USDT", market=altered(lambda candles: candles[:-2]))
    assert found.score is None
    assert found.arguments == ()
    assert found.missing == (
        "1h: the last candle closed at 2026-03-11 15:00 UTC, too long ago to count.",
        "4h: the last candle closed at 2026-03-11 08:00 UTC, too long ago to count.",
    )


def test_without_volume_the_panel_counts_and_the_profile_is_missing(altered: Alter) -> None:
    market = altered(lambda candles: replace(candles, volume=np.zeros(len(candles))))
    found = confluence("buy", "BTC/USDT", market=market)
    assert found.score is not None
    assert {argument.source.split()[0] for argument in found.arguments} == {"analyze_cipher"}
    assert [words.split(" from ")[0] for words in found.missing] == [
        "1h: BTC/USDT has no volume in its 200 1h candles",
        "4h: BTC/USDT has no volume in its 200 4h candles",
    ]


def test_nothing_is_read_into_a_market_that_does_not_move(altered: Alter) -> None:
    def still(candles: CandleFrame) -> CandleFrame:
        price = np.full(len(candles), 64.1)
        return replace(candles, open=price, high=price, low=price, close=price)

    found = confluence("buy", "BTC/USDT", market=altered(still))
    assert found.score == 0
    assert found.arguments == ()
    assert found.missing[0] == "1h: BTC/USDT 1h has not moved for so long that its waves mean nothing."


def test_damaged_candles_and_unknown_symbols_are_said_and_not_raised(altered: Alter) -> None:
    damaged = confluence("buy", "BTC/USDT", market=altered(lambda candles: replace(candles, high=candles.low)))
    assert damaged.score is None
    assert "high below its open or close" in damaged.missing[0]
    unknown = confluence("sell", "BTCC/USDT", market=altered(lambda candles: candles))
    assert unknown.score is None
    assert "BTCC/USDT" in unknown.missing[0]
