"""A chart in words: its title, what it shows as sentences, and the figures of one candle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

Chart = dict[str, Any]
Numbers = Sequence[float | None]

# Events of the Cipher panel that the chart marks.
MARKS: Final = {
    "green_dot": "Green dot: waves crossed up while oversold",
    "red_dot": "Red dot: waves crossed down while overbought",
    "cross_up": "Waves crossed up",
    "cross_down": "Waves crossed down",
    "buy_div_dot": "Buy divergence dot: price fell to a lower low, the wave did not",
    "sell_div_dot": "Sell divergence dot: price rose to a higher high, the wave did not",
    "gold_dot": "Gold dot, a warning: a deeper low often follows",
    "sommi_bull": "Sommi bull flag: waves crossed up below zero with money and the higher timeframe behind them",
    "sommi_bear": "Sommi bear flag: waves crossed down above zero with money and the higher timeframe behind them",
    "sommi_bull_diamond": "Sommi bull diamond: waves crossed up, both higher timeframes rise",
    "sommi_bear_diamond": "Sommi bear diamond: waves crossed down, both higher timeframes fall",
}
# Symbols of Cipher A, over the candles.
SYMBOLS: Final = {
    "long_circle": "Long circle: the ribbon's second average crossed over its eighth",
    "short_circle": "Short circle: the ribbon's second average crossed under its eighth",
    "red_x": "Red X: the ribbon's first average crossed under its second",
    "green_x": "Green X: the ribbon's first average crossed over its second",
    "blue_triangle_up": "Blue triangle up: the ribbon's second average crossed over its third",
    "blue_triangle_down": "Blue triangle down: the ribbon's second average crossed under its third",
    "red_diamond": "Red diamond: waves crossed down",
    "green_diamond": "Green diamond: waves crossed up",
    "yellow_x_up": "Yellow X up: waves crossed down with RSI between 15 and 30",
    "yellow_x_down": "Yellow X down as its script is written: waves crossed up far above zero with RSI under 70",
    "yellow_x_down_rsi_above_70": "Yellow X down as it was meant: waves crossed up far above zero with RSI over 70",
    "blood_diamond": "Blood diamond: waves and ribbon turned down on one candle",
    "moon_diamond": "Moon diamond: waves and ribbon turned up on one candle",
    "bull_candle": "Bull candle: opened over the ribbon, rising like the one before",
    "bear_candle": "Bear candle: opened under the ribbon, falling like the one before",
}
_USUAL: Final = "vumanchu_b"
_BODIES: Final = ("bull_candle", "bear_candle")
_TOLD: Final = {**MARKS, **{name: words for name, words in SYMBOLS.items() if name not in _BODIES}}
# So many naked points of control are told, the nearest ones.
_MOST_TOLD: Final = 3
_SOURCES: Final = {"wt": "wave", "rsi": "RSI", "stoch": "stochastic K"}


def title(chart: Chart) -> str:
    """Symbol, timeframe, market, whether it is simulated, and the time it shows."""
    simulated = ", <b>simulated</b>" if chart["simulated"] else ""
    as_of = stamp(moment(chart["as_of"]))
    return (
        f"<b>{chart['symbol']}</b> {chart['timeframe']} · {chart['market']}{simulated}<br>"
        f"<sup>as of {as_of} UTC{_preset(chart, ' · ')}</sup>"
    )


def plain_title(chart: Chart) -> str:
    """The same without markup."""
    simulated = ", simulated" if chart["simulated"] else ""
    as_of = stamp(moment(chart["as_of"]))
    preset = _preset(chart, ", ")
    return f"{chart['symbol']} {chart['timeframe']} on {chart['market']}{simulated}{preset}, as of {as_of} UTC"


def _preset(chart: Chart, before: str) -> str:
    """Settings of the panel, where they are not the usual ones."""
    preset = chart["cipher"].get("preset", _USUAL)
    return "" if preset == _USUAL else f"{before}preset {preset}"


def facts(chart: Chart) -> tuple[str, ...]:
    """What the chart shows, in sentences: for screen readers and for everybody who would rather read."""
    candles = chart["candles"]
    price = price_formatter(chart)
    low, high = min(candles["low"]), max(candles["high"])
    simulated = ", simulated" if chart["simulated"] else ""
    count = len(candles["close"])
    said = [
        f"{chart['symbol']} {chart['timeframe']} on {chart['market']}{simulated}: close {price(candles['close'][-1])} "
        f"at {stamp(moment(chart['as_of']))} UTC; {count} candle{'' if count == 1 else 's'} between {price(low)} and "
        f"{price(high)}."
    ]
    return tuple(said + list(_levels_said(chart)) + list(_panel_said(chart)))


def _levels_said(chart: Chart) -> Iterator[str]:
    profile, average = chart["volume_profile"], chart.get("vwap")
    close, price = chart["candles"]["close"][-1], price_formatter(chart)
    if profile:
        where = _place(close, profile["val"], profile["vah"])
        yield (
            f"Point of control {price(profile['poc'])} ({_distance(close, profile['poc'])}), value area "
            f"{price(profile['val'])} to {price(profile['vah'])}: the close is {where} it."
        )
        nodes = [
            f"{words} volume node{'' if len(profile[kind]) == 1 else 's'} at "
            + ", ".join(price(node["price"]) for node in profile[kind])
            for kind, words in (("hvn", "high"), ("lvn", "low"))
            if profile.get(kind)
        ]
        if nodes:
            yield _sentence("; ".join(nodes))
        naked = sorted(profile.get("naked_pocs") or (), key=lambda level: abs(float(level["price"]) - close))
        if naked:
            told = [f"{price(each['price'])} ({_distance(close, each['price'])})" for each in naked[:_MOST_TOLD]]
            yield f"Naked points of control, nearest first: {', '.join(told)}."
    if average and average["values"][-1] is not None:
        last = average["values"][-1]
        yield f"VWAP of the {average['anchor']} {price(last)} ({_distance(close, last)})."


def _panel_said(chart: Chart) -> Iterator[str]:
    panel = chart["cipher"]
    if why := unreadable(chart):
        yield why
    if not panel.get("missing"):
        cycle = f", Schaff {at(panel['stc'], -1)}" if panel.get("stc") else ""
        stochastic = (
            f", stochastic {at(panel['stoch_k'], -1)} and {at(panel['stoch_d'], -1)}" if "stoch_k" in panel else ""
        )
        yield (
            f"Wave trend {at(panel['wt1'], -1)} and {at(panel['wt2'], -1)}, money flow {at(panel['money_flow'], -1)}, "
            f"RSI {at(panel['rsi'], -1)}{stochastic}{cycle}."
        )
        if "ribbon_lengths" in panel:
            yield _ribbon_said(chart)
    newest = max((each for each in panel["events"] if each["name"] in _TOLD), key=_known, default=None)
    if newest:
        words = _TOLD[newest["name"]]
        yield f"Last mark: {words[0].lower()}{words[1:]}, knowable since {known_since(newest)} UTC."
    drawn = [each for each in panel.get("divergences") or () if each["source"] == "wt" and not each["hidden"]]
    if drawn:
        yield f"Last divergence: {divergence_words(chart, max(drawn, key=_known)).replace('<br>', ' ')}."


def _ribbon_said(chart: Chart) -> str:
    panel, price = chart["cipher"], price_formatter(chart)
    second, eighth = (f"EMA {panel['ribbon_lengths'][row]} at {price(panel[f'ema{row + 1}'][-1])}" for row in (1, 7))
    rising = panel["ribbon_bullish"][-1]
    return f"The ribbon {'rises' if rising else 'falls'}: {second} is {'over' if rising else 'under'} {eighth}."


def unreadable(chart: Chart) -> str:
    """Why the panel has no values at the last candle, where it has none."""
    panel = chart["cipher"]
    if panel.get("missing"):
        return str(panel["missing"])
    if (panel.get("flat") or [False])[-1]:
        return "The price has not moved for so long that the waves have no value."
    return ""


def reading(chart: Chart, row: int) -> str:
    """Prices and volume of one candle, as its hover shows them."""
    candles, price = chart["candles"], price_formatter(chart)
    ohlc = "  ".join(f"{name[0].upper()} {price(candles[name][row])}" for name in ("open", "high", "low", "close"))
    return f"{ohlc}<br>volume {compact(candles['volume'][row])}"


def divergence_words(chart: Chart, divergence: Chart) -> str:
    """What differs between both pivots of a divergence, and since when that was knowable."""
    price, bull = price_formatter(chart), divergence["bias"] == "bull"
    before, now = divergence["previous"], divergence["pivot"]
    kind = f"{'hidden ' if divergence['hidden'] else ''}{'bullish' if bull else 'bearish'} divergence"
    edge = "low" if bull else "high"
    return (
        f"{kind}: {edge} {price(before['price'])} then {price(now['price'])}, {_SOURCES[divergence['source']]} "
        f"{before['value']:.1f} then {now['value']:.1f};<br>knowable since {known_since(divergence)} UTC"
    )


def moment(value: int | float | str) -> datetime:
    """A time of the chart JSON, in milliseconds or ISO text."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(UTC)
    return datetime.fromtimestamp(value / 1000, tz=UTC)


def stamp(time: datetime) -> str:
    """Date and minute, UTC."""
    # Without a zone: Plotly would turn an offset into the reader's local time, and the axis must say UTC.
    return time.strftime("%Y-%m-%d %H:%M")


def known_since(event: Chart) -> str:
    """When a mark became knowable."""
    return stamp(moment(event["confirmed_time"]))


def _known(event: Chart) -> int:
    return int(event["confirmed_time"])


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


@lru_cache(maxsize=64)
def _decimals_of(tick_size: str) -> int:
    exponent = Decimal(tick_size).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 2


def decimals(chart: Chart) -> int:
    """Decimals of the market's tick."""
    return _decimals_of(str(chart["tick_size"]))


def tick_format(chart: Chart) -> str:
    """Number format with the decimals of the market's tick."""
    return f",.{decimals(chart)}f"


def price_formatter(chart: Chart) -> Callable[[float], str]:
    """Writes prices with the decimals of the market's tick."""
    pattern = tick_format(chart)
    return lambda value: format(float(value), pattern)


def compact(value: float) -> str:
    """A volume in a few characters."""
    for limit, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.2f}{suffix}"
    return f"{value:.4g}"


def at(column: Numbers, row: int) -> str:
    """A value of an indicator as words."""
    value = column[row]
    return "not known yet" if value is None else f"{value:.1f}"


def _distance(close: float, level: float) -> str:
    percent = (level / close - 1) * 100
    return f"{abs(percent):.1f} % {'above' if percent >= 0 else 'below'}"


def _place(close: float, low: float, high: float) -> str:
    if close > high:
        return "above"
    return "below" if close < low else "inside"
