"""The Cipher tool: an answer in one sentence, reasons on both sides, and a value behind every figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import ToolMessage
from numpy.typing import NDArray

from engines.cipher import CORE_COLUMNS, compute_panel
from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.evidence import Evidence
from engines.domain.timeframe import Timeframe
from engines.errors import InsufficientData, InvalidRequest, NotFound
from engines.market.data import MarketData
from engines.market.demo import DemoMarket
from engines.market.files import FileMarket
from engines.market.importing import import_candles
from engines.market.store import CandleStore
from engines.storage.database import open_database
from tools.cipher import cipher_tools

NOW = datetime(2026, 3, 11, 17, 20, tzinfo=UTC)
COLUMNS = ("wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d")
Closes = NDArray[np.float64]
REFERENCE = re.compile(r"\{(\w+)\}")


class AlteredMarket(DemoMarket):
    """The demo market at a fixed time, with a change made to every series it serves."""

    def __init__(self, change: Callable[[CandleFrame], CandleFrame] = lambda candles: candles) -> None:
        super().__init__(ManualClock(NOW))
        self._change = change

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        return self._change(super().closed_candles(symbol, timeframe, count=count, as_of=as_of))


def call(market: MarketData, **arguments: Any) -> tuple[str, Evidence]:
    (analyze,) = cipher_tools(market)
    message = analyze.invoke({"type": "tool_call", "id": "call-1", "name": "analyze_cipher", "args": arguments})
    assert isinstance(message, ToolMessage)
    assert isinstance(message.artifact, Evidence)
    return str(message.content), message.artifact


def spoken(evidence: Evidence) -> str:
    texts = {name: value.text for name, value in evidence.values.items()}
    return f"{evidence.headline}\n{evidence.brief}".format_map(texts)


def with_closes(closes: Callable[[int], Closes]) -> Callable[[CandleFrame], CandleFrame]:
    """Candles with these closes, each opening at the close before it."""

    def change(candles: CandleFrame) -> CandleFrame:
        close = closes(len(candles))
        open_ = np.concatenate((close[:1], close[:-1]))
        high, low = np.maximum(open_, close), np.minimum(open_, close)
        return replace(candles, open=open_, high=high, low=low, close=close)

    return change


@pytest.mark.parametrize("timeframe", ["15m", "1h", "4h", "1d"])
def test_values_are_those_of_the_last_closed_candle_in_full(timeframe: Timeframe) -> None:
    market = AlteredMarket()
    _, evidence = call(market, symbol="BTC/USDT", timeframe=timeframe)
    panel = compute_panel(market.closed_candles("BTC/USDT", timeframe, count=5_000))
    for name in COLUMNS:
        assert evidence.values[name].value == pytest.approx(float(getattr(panel, name)[-1]), rel=0, abs=1e-9), name
    assert evidence.values["close"].value == panel.candles.close[-1]
    assert evidence.as_of == panel.candles.as_of.isoformat()
    assert (evidence.kind, evidence.tool, evidence.symbol) == ("cipher", "analyze_cipher", "BTC/USDT")
    assert evidence.chart == {"symbol": "BTC/USDT", "timeframe": timeframe, "as_of": evidence.as_of}


def test_every_reference_has_a_value_and_no_figure_is_typed() -> None:
    market = AlteredMarket()
    for instrument in market.instruments():
        for timeframe in ("1h", "4h"):
            _, evidence = call(market, symbol=instrument.symbol, timeframe=timeframe)
            wording = f"{evidence.headline}\n{evidence.brief}"
            assert set(REFERENCE.findall(wording)) <= set(evidence.values)
            typed = REFERENCE.sub("", wording).replace(instrument.symbol, "")
            assert re.findall(r"(?<![\w.])\d[\d.,]*(?!\w)", typed) == []
            assert Evidence.from_plain(evidence.to_plain()) == evidence


def test_the_headline_answers_with_lean_score_time_and_simulated() -> None:
    _, evidence = call(AlteredMarket(), symbol="BTC/USDT", timeframe="4h")
    pattern = (
        r"BTC/USDT 4h (leans (up|down), (weakly|clearly|strongly)|shows no lean) \(score (0\.0|[+-]\d\.\d)\)"
        r"(, against a (rising|falling) 1d,)? at the 2026-03-11 16:00 UTC close\. \*Simulated market\.\*"
    )
    assert re.fullmatch(pattern, spoken(evidence).splitlines()[0])


def rising_wave(count: int) -> Closes:
    """A climb with swings, whose last candle is on its way up out of one."""
    place = np.arange(count, dtype=np.float64) - count
    return np.asarray(place * 0.002 + 0.02 * np.sin(place / 4), dtype=np.float64)


def test_a_rise_is_told_with_reasons_on_both_sides_and_what_would_end_it() -> None:
    rise = with_closes(lambda count: 100 * np.exp(rising_wave(count)))
    content, evidence = call(AlteredMarket(rise), symbol="BTC/USDT", timeframe="1h")
    lines = {line.partition(":")[0]: line for line in spoken(evidence).splitlines()}
    assert "For" in lines
    assert "Against" in lines
    assert "above zero" in lines["For"]
    assert "Changes its mind" in lines
    assert "close under" in lines["Changes its mind"]
    assert "point of control" in lines["Volume"]
    assert re.search(r"\d % (above|below)", lines["Volume"])
    assert content.startswith(spoken(evidence).splitlines()[0])
    assert f"wt1 = {evidence.values['wt1'].text} (fast wave)" in content


def test_a_fall_is_the_mirror_of_a_rise() -> None:
    _, up = call(AlteredMarket(with_closes(lambda n: 100 * np.exp(rising_wave(n)))), symbol="BTC/USDT", timeframe="1h")
    _, down = call(
        AlteredMarket(with_closes(lambda n: 100 * np.exp(-rising_wave(n)))), symbol="BTC/USDT", timeframe="1h"
    )
    rising, falling = up.values["score"].value, down.values["score"].value
    assert isinstance(rising, float)
    assert falling == pytest.approx(-rising, abs=0.15)
    assert rising > 0.2
    assert "leans up" in up.headline
    assert "leans down" in down.headline


def test_the_last_dot_is_told_with_its_level_and_when_it_was_knowable() -> None:
    market = AlteredMarket()
    panel = compute_panel(market.closed_candles("ETH/USDT", "1h", count=700))
    dot = panel.last_event("green_dot", "red_dot")
    assert dot is not None
    _, evidence = call(market, symbol="ETH/USDT", timeframe="1h")
    known = evidence.values["last_dot_time"].value
    assert isinstance(known, str)
    assert datetime.fromisoformat(known).timestamp() * 1000 == dot.confirmed_time
    assert evidence.values["last_dot"].text == dot.name.replace("_", " ")
    assert evidence.values["last_dot_wt2"].value == panel.wt2[dot.index]


def test_candles_without_volume_are_analysed_and_the_missing_profile_is_said() -> None:
    silent = AlteredMarket(lambda candles: replace(candles, volume=np.zeros(len(candles))))
    _, evidence = call(silent, symbol="BTC/USDT", timeframe="1h")
    assert "There is no volume in these candles, so there is no point of control." in evidence.brief
    assert "poc" not in evidence.values
    assert isinstance(evidence.values["rsi"].value, float)


def test_a_market_that_does_not_move_is_said_to_be_still() -> None:
    still = AlteredMarket(with_closes(lambda count: np.full(count, 64.1)))
    _, evidence = call(still, symbol="BTC/USDT", timeframe="1h")
    assert evidence.headline.startswith("BTC/USDT 1h has not moved for so long that its waves mean nothing")
    assert evidence.values["money_flow"].value is None
    assert evidence.values["money_flow"].text == "undefined"
    assert "For:" not in evidence.brief


def test_too_few_candles_are_refused_with_a_timeframe_that_works() -> None:
    few = AlteredMarket(lambda candles: candles[-41:] if candles.timeframe in {"4h", "2h"} else candles)
    with pytest.raises(InsufficientData) as caught:
        call(few, symbol="BTC/USDT", timeframe="4h")
    assert str(caught.value) == "BTC/USDT has 41 closed 4h candles; this panel needs 60. The 1h panel works."


def test_too_few_candles_everywhere_are_refused_without_a_promise() -> None:
    with pytest.raises(InsufficientData, match=r"^BTC/USDT has 5 closed 1h candles; this panel needs 60\.$"):
        call(AlteredMarket(lambda candles: candles[-5:]), symbol="BTC/USDT", timeframe="1h")


def test_the_larger_timeframe_knows_no_more_than_the_analysed_one() -> None:
    market = AlteredMarket()
    asked: list[tuple[str, datetime | None]] = []

    class Recorded(AlteredMarket):
        def closed_candles(
            self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
        ) -> CandleFrame:
            asked.append((timeframe, as_of))
            return super().closed_candles(symbol, timeframe, count=count, as_of=as_of)

    call(Recorded(), symbol="BTC/USDT", timeframe="1h")
    known = market.closed_candles("BTC/USDT", "1h").as_of
    assert asked == [("1h", None), ("3m", known), ("4h", known)]


def test_next_steps_are_at_most_three_and_none_of_them_trades() -> None:
    _, evidence = call(AlteredMarket(), symbol="BTC/USDT", timeframe="4h")
    assert evidence.next_steps == ("Cipher BTC/USDT 1d", "Volume profile BTC/USDT 4h", "Price of BTC/USDT")


def test_symbol_and_timeframe_are_checked_by_their_owners() -> None:
    with pytest.raises(NotFound, match="BTCC/USDT"):
        call(AlteredMarket(), symbol="BTCC/USDT", timeframe="1h")
    with pytest.raises(InvalidRequest, match=r"'7m' is not a timeframe.*15m"):
        call(AlteredMarket(), symbol="BTC/USDT", timeframe="7m")


def test_the_docstring_tells_a_model_what_it_is_for_and_what_not() -> None:
    (analyze,) = cipher_tools(AlteredMarket())
    assert analyze.name == "analyze_cipher"
    assert list(analyze.args) == ["symbol", "timeframe"]
    for words in ("wave trend", "analyze_volume_profile", "get_quote", "orders"):
        assert words in analyze.description


def test_figures_of_real_candles_are_those_of_their_whole_history(shared: Path, tmp_path: Path) -> None:
    database = open_database("candles", home=tmp_path)
    store = CandleStore(database)
    import_candles(
        shared / "data" / "btcusd-1h.csv.gz", symbol="BTC/USD", timeframe="1h", store=store, progress=lambda *_: None
    )
    market = FileMarket(store)
    _, evidence = call(market, symbol="BTC/USD", timeframe="1h")
    whole = compute_panel(market.closed_candles("BTC/USD", "1h", count=30_000))
    database.dispose()
    assert len(whole.candles) == 20_111
    latest = whole.latest()
    for name in CORE_COLUMNS:
        assert evidence.values[name].value == pytest.approx(latest[name], rel=0, abs=1e-9), name
    assert evidence.values["close"].text == "8,035.88"
    assert evidence.headline.endswith("at the {as_of} close.")
    assert evidence.values["as_of"].text == "2019-10-17 10:00 UTC"
