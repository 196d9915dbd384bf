"""Settings of both Cipher panels, each checked when it is given."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from engines.errors import InvalidRequest

MAX_LENGTH: Final = 10_000
MAX_MINUTES: Final = 525_600
MAX_LEVEL: Final = 1e6


@dataclass(frozen=True, slots=True)
class CipherParams:
    """Settings of the Cipher panel; the defaults are those of the community script "VuManChu B Divergences".

    Lengths are in candles, levels in points of the wave or of the RSI they belong to.

    Attributes:
        name: of the preset, shown with every result.
        heikin_ashi: outputs are computed on Heikin-Ashi candles instead of the candles themselves, except those of
            higher timeframes.
        channel_length, average_length, signal_length: wave trend on (high + low + close) / 3.
        overbought, oversold: levels of the slower wave at which a cross becomes a red or green dot.
        overbought_2, overbought_3, oversold_2: further levels that a panel draws; no event rests on them.
        oversold_3: the level of the slower wave that a gold dot needs its earlier bottom under, and itself over.
        wt_divergence_top, wt_divergence_bottom: what a top of the slower wave must reach, and a bottom fall to, in
            order to count.
        wt_divergence_2_top, wt_divergence_2_bottom: the same for the second range.
        hidden_ignores_limits: hidden divergences of wave and RSI compare all tops and bottoms, not only those.
        show_wt_divergences, show_rsi_divergences, show_stoch_divergences: which of them make buy and sell divergence
            dots and gold dots (gold: wave and RSI); the divergences themselves are events whatever is shown.
        show_wt_hidden, show_wt_divergences_2: whether a panel draws these lines; no event rests on it.
        gold_fall: a gold dot's earlier bottom less the wave now is at most this.
        gold_rsi: the RSI at that bottom is under this.
        money_flow_length, money_flow_multiplier, money_flow_shift: window, scale, and points taken off.
        rsi_length: of the close's RSI.
        rsi_overbought, rsi_oversold: where a panel colours the RSI; no event rests on it.
        rsi_divergence_top, rsi_divergence_bottom: what an RSI top or bottom must reach to count.
        stoch_rsi_length, stoch_length: the RSI whose place is measured, and the window that happens in.
        stoch_k_length, stoch_d_length: smoothing of K, and of D out of K.
        stoch_on_log: that RSI is of log(close); False takes the close.
        stoch_average: K is shown as the mean of K and D.
        stc_length, stc_fast, stc_slow, stc_factor: Schaff trend cycle of the close; the factor smooths, in (0, 1].
        pine_zero_falsy: a top or bottom at exactly 0 does not count, as in the charting language (K is often there).
        pine_warmup: True lets K begin on a window that is still filling, as the charting language does (first K at
            candle 17); False waits for a full one (29). From there on both are the same.
        flag_timeframe_minutes: candles that the Sommi flags take their wave difference from.
        flag_vwap_bear, flag_vwap_bull: that difference is under, or over this.
        flag_wt_bear, flag_wt_bull: the chart's slower wave is over, or under this.
        flag_flow_bear, flag_flow_bull: the chart's money flow is under, or over this.
        diamond_minutes_1, diamond_minutes_2: candles whose Heikin-Ashi bodies the Sommi diamonds ask.
        diamond_wt_bear, diamond_wt_bull: the slower wave is at or over, or at or under this.
        tv_parity: diamonds as a chart of the past shows them there, with higher candles that had not closed yet. Such
            diamonds repaint: for looking at charts only.
        macd_minutes, macd_fast, macd_slow, macd_signal: the MACD that colours the waves.

    Raises:
        InvalidRequest: a length is not a whole number in 1..10,000, minutes are not one in 1..525,600, a level is not
            finite, or two levels are in the wrong order; names the setting and says what it may be.
    """

    name: str = "custom"
    heikin_ashi: bool = False
    channel_length: int = 9
    average_length: int = 12
    signal_length: int = 3
    overbought: float = 53.0
    overbought_2: float = 60.0
    overbought_3: float = 100.0
    oversold: float = -53.0
    oversold_2: float = -60.0
    oversold_3: float = -75.0
    wt_divergence_top: float = 45.0
    wt_divergence_bottom: float = -65.0
    wt_divergence_2_top: float = 15.0
    wt_divergence_2_bottom: float = -40.0
    hidden_ignores_limits: bool = True
    show_wt_divergences: bool = True
    show_wt_divergences_2: bool = True
    show_wt_hidden: bool = False
    show_rsi_divergences: bool = False
    show_stoch_divergences: bool = False
    gold_fall: float = -5.0
    gold_rsi: float = 30.0
    money_flow_length: int = 60
    money_flow_multiplier: float = 150.0
    money_flow_shift: float = 2.5
    rsi_length: int = 14
    rsi_overbought: float = 60.0
    rsi_oversold: float = 30.0
    rsi_divergence_top: float = 60.0
    rsi_divergence_bottom: float = 30.0
    stoch_rsi_length: int = 14
    stoch_length: int = 14
    stoch_k_length: int = 3
    stoch_d_length: int = 3
    stoch_on_log: bool = True
    stoch_average: bool = False
    stc_length: int = 10
    stc_fast: int = 23
    stc_slow: int = 50
    stc_factor: float = 0.5
    pine_zero_falsy: bool = True
    pine_warmup: bool = True
    flag_timeframe_minutes: int = 720
    flag_vwap_bear: float = 0.0
    flag_vwap_bull: float = 0.0
    flag_wt_bear: float = 0.0
    flag_wt_bull: float = 0.0
    flag_flow_bear: float = 0.0
    flag_flow_bull: float = 0.0
    diamond_minutes_1: int = 60
    diamond_minutes_2: int = 240
    diamond_wt_bear: float = 0.0
    diamond_wt_bull: float = 0.0
    tv_parity: bool = False
    macd_minutes: int = 240
    macd_fast: int = 28
    macd_slow: int = 42
    macd_signal: int = 9

    def __post_init__(self) -> None:
        check_settings(self)
        in_order(self, "oversold", "overbought")
        in_order(self, "rsi_oversold", "rsi_overbought")
        in_order(self, "wt_divergence_bottom", "wt_divergence_top")
        in_order(self, "wt_divergence_2_bottom", "wt_divergence_2_top")
        in_order(self, "rsi_divergence_bottom", "rsi_divergence_top")
        in_order(self, "stc_fast", "stc_slow")
        in_order(self, "macd_fast", "macd_slow")
        if self.money_flow_multiplier <= 0:
            raise InvalidRequest(
                f"money_flow_multiplier is {self.money_flow_multiplier!r}.", remedy="Give one above zero."
            )
        if not 0 < self.stc_factor <= 1:
            raise InvalidRequest(f"stc_factor is {self.stc_factor!r}.", remedy="Give a share above zero, at most 1.")

    @property
    def candles_needed(self) -> int:
        """Candles until every column of the chart's own candles has its first value on a market that moves."""
        wave = 2 * (self.channel_length - 1) + self.average_length + self.signal_length - 1
        range_ready = self.stoch_rsi_length + (2 if self.pine_warmup else self.stoch_length)
        first_k = max(range_ready, self.stoch_length) + self.stoch_k_length - 1
        return max(wave, self.money_flow_length, self.rsi_length + 1, first_k + self.stoch_d_length - 1)

    @property
    def repaints(self) -> bool:
        """Whether some output may change after its candle has closed; nothing but a chart may use such settings."""
        return self.tv_parity

    def to_plain(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CipherAParams:
    """Settings of Cipher A; the defaults are those of the community script "VuManChu Cipher A".

    Attributes:
        name: of the preset, shown with every result.
        ribbon_lengths: eight exponential averages of the close, in candles.
        channel_length, average_length, signal_length: wave trend on (high + low + close) / 3, in candles.
        overbought_3, oversold_3: the slower wave is under, or over these at a yellow X, in points.
        yellow_x_up_below: the slower wave of a yellow X up is under this.
        yellow_x_up_rsi_low, yellow_x_up_rsi_high: its RSI lies between these two.
        yellow_x_down_above: the slower wave of a yellow X down is over this.
        yellow_x_down_rsi_low, yellow_x_down_rsi_high: its RSI is under both as the script is written; in the reading
            that was surely meant it lies between them. Both readings are events.
        rsi_length: of the close's RSI, in candles.
        money_flow_length, money_flow_multiplier, money_flow_shift: window in candles, scale, and points taken off.

    Raises:
        InvalidRequest: a length is not a whole number in 1..10,000, there are not eight in the ribbon, or a level is
            not finite or not in its order; names the setting.
    """

    name: str = "custom"
    ribbon_lengths: tuple[int, ...] = (5, 11, 15, 18, 21, 24, 28, 34)
    channel_length: int = 9
    average_length: int = 13
    signal_length: int = 3
    overbought_3: float = 100.0
    oversold_3: float = -80.0
    yellow_x_up_below: float = 45.0
    yellow_x_up_rsi_low: float = 15.0
    yellow_x_up_rsi_high: float = 30.0
    yellow_x_down_above: float = 55.0
    yellow_x_down_rsi_low: float = 70.0
    yellow_x_down_rsi_high: float = 85.0
    rsi_length: int = 14
    money_flow_length: int = 60
    money_flow_multiplier: float = 150.0
    money_flow_shift: float = 0.0

    def __post_init__(self) -> None:
        check_settings(self)
        in_order(self, "oversold_3", "overbought_3")
        in_order(self, "yellow_x_up_rsi_low", "yellow_x_up_rsi_high")
        in_order(self, "yellow_x_down_rsi_low", "yellow_x_down_rsi_high")
        if len(self.ribbon_lengths) != 8:
            raise InvalidRequest(f"ribbon_lengths is {self.ribbon_lengths!r}.", remedy="Give eight lengths.")

    @property
    def candles_needed(self) -> int:
        """Candles until every column has its first value on a market that moves."""
        wave = 2 * (self.channel_length - 1) + self.average_length + self.signal_length - 1
        return max(wave, self.money_flow_length, self.rsi_length + 1, *self.ribbon_lengths)

    @property
    def repaints(self) -> bool:
        """Never: every output is final at its candle's close."""
        return False

    def to_plain(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {**asdict(self), "ribbon_lengths": list(self.ribbon_lengths)}


def check_settings(params: CipherParams | CipherAParams) -> None:
    """Return when every setting is of its kind and within its range.

    Raises:
        InvalidRequest: one is not; names it and says what it may be.
    """
    for setting in fields(params):
        value = getattr(params, setting.name)
        remedy = _remedy(setting.name, str(setting.type), value)
        if remedy:
            raise InvalidRequest(f"{setting.name} is {value!r}.", remedy=remedy)


def in_order(params: CipherParams | CipherAParams, lower: str, upper: str) -> None:
    """Return when the setting `lower` is below the setting `upper`.

    Raises:
        InvalidRequest: it is not; names both.
    """
    below, above = getattr(params, lower), getattr(params, upper)
    if not below < above:
        raise InvalidRequest(f"{lower} is {below!r} and {upper} {above!r}.", remedy=f"Give {lower} below {upper}.")


def _remedy(name: str, kind: str, value: object) -> str:
    """What the setting may be, when it is something else."""
    match kind:
        case "int" | "tuple[int, ...]":
            most, unit = (MAX_MINUTES, "minutes") if "minutes" in name else (MAX_LENGTH, "candles")
            numbers = value if isinstance(value, tuple) else (value,)
            sound = all(type(number) is int and 1 <= number <= most for number in numbers)
            remedy = f"Use whole numbers of {unit} from 1 to {most:,}."
        case "float":
            sound = isinstance(value, int | float) and abs(value) < MAX_LEVEL and not isinstance(value, bool)
            remedy = f"Give a finite number between -{MAX_LEVEL:,.0f} and {MAX_LEVEL:,.0f}."
        case "bool":
            sound, remedy = isinstance(value, bool), "Use true or false."
        case _:
            sound, remedy = isinstance(value, str), "Give a name."
    return "" if sound else remedy


VUMANCHU_B: Final = CipherParams(name="vumanchu_b")
VUMANCHU_A: Final = CipherAParams(name="vumanchu_a")
