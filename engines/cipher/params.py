"""Settings of the panel, and the presets that have a name."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from engines.errors import InvalidRequest

MAX_LENGTH: Final = 10_000


@dataclass(frozen=True, slots=True)
class CipherParams:
    """Settings of the Cipher panel; the defaults are those of the community script "VuManChu B Divergences".

    Attributes:
        name: of the preset, shown with every result.
        channel_length, average_length, signal_length: wave trend on (high + low + close) / 3, in candles.
        overbought, oversold: levels of the slower wave at which a cross becomes a dot, in points.
        money_flow_length: window of the money flow, in candles.
        money_flow_multiplier, money_flow_shift: its scale, and what is taken off, in points.
        rsi_length: of the close's RSI, in candles.
        stoch_rsi_length, stoch_length: RSI of log(close), and the window in which its place is measured, in candles.
        stoch_k_length, stoch_d_length: smoothing of K, and of D out of K, in candles.
        pine_warmup: True lets K begin on a window that is still filling, as the charting language does (first K at
            candle 17); False waits for a full one (29). From there on both are the same.

    Raises:
        InvalidRequest: a length is not a whole number in 1..10,000, or the levels are not oversold < overbought.
    """

    name: str = "custom"
    channel_length: int = 9
    average_length: int = 12
    signal_length: int = 3
    overbought: float = 53.0
    oversold: float = -53.0
    money_flow_length: int = 60
    money_flow_multiplier: float = 150.0
    money_flow_shift: float = 2.5
    rsi_length: int = 14
    stoch_rsi_length: int = 14
    stoch_length: int = 14
    stoch_k_length: int = 3
    stoch_d_length: int = 3
    pine_warmup: bool = True

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.name.endswith("_length") and (type(value) is not int or not 1 <= value <= MAX_LENGTH):
                raise InvalidRequest(
                    f"{setting.name} is {value!r}.", remedy=f"Use a whole number of candles from 1 to {MAX_LENGTH:,}."
                )
        if not -1e6 < self.oversold < self.overbought < 1e6:
            raise InvalidRequest(
                f"oversold is {self.oversold!r} and overbought {self.overbought!r}.",
                remedy="Give two finite levels, oversold below overbought.",
            )
        if not (0 < self.money_flow_multiplier < 1e6 and abs(self.money_flow_shift) < 1e6):
            raise InvalidRequest(
                f"money_flow_multiplier is {self.money_flow_multiplier!r} and its shift {self.money_flow_shift!r}.",
                remedy="Give a finite multiplier above zero and a finite shift.",
            )

    @property
    def candles_needed(self) -> int:
        """Candles until every column has its first value on a market that moves."""
        wave = 2 * (self.channel_length - 1) + self.average_length + self.signal_length - 1
        range_ready = self.stoch_rsi_length + (2 if self.pine_warmup else self.stoch_length)
        first_k = max(range_ready, self.stoch_length) + self.stoch_k_length - 1
        return max(wave, self.money_flow_length, self.rsi_length + 1, first_k + self.stoch_d_length - 1)

    def to_plain(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)


VUMANCHU_B: Final = CipherParams(name="vumanchu_b")
