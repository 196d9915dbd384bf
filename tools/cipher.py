"""The Cipher panel as a tool."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from langchain_core.tools import BaseTool, tool

from engines.cipher import VUMANCHU_B, WARM_UP, CipherPanel, compute_panel
from engines.cipher.reading import last_dot_values, panel_values, read_panel
from engines.domain.candles import CandleFrame
from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.signals import Reason, Signal, moment, points
from engines.domain.timeframe import TIMEFRAMES, Timeframe, parse_timeframe
from engines.errors import InsufficientData
from engines.market.data import MarketData
from engines.volume_profile import DESK_LOOKBACK, DESK_PROFILE
from engines.volume_profile.desk import desk_profile
from engines.volume_profile.reading import LEVELS, nearest_levels, profile_values, read_levels
from engines.volume_profile.summary import weighed_levels
from tools.analysis import HIGHER, Lean, TimeframeName, content, for_and_against, lean, turning_points
from tools.arguments import Symbol
from tools.last_marks import dot_values, last_mark_values


def cipher_tools(market: MarketData) -> list[BaseTool]:
    """The tools that read the Cipher panel of `market`."""

    @tool(response_format="content_and_artifact")
    def analyze_cipher(symbol: Symbol, timeframe: TimeframeName = "1h") -> tuple[str, Evidence]:
        """Read the Quantum Cipher panel of one market: wave trend, money flow, RSI, Stoch RSI, green and red dots.

        Use it for "how does X look", trend, momentum, oversold or overbought, a buy or sell dot. Each call reads one
        timeframe; call it once per timeframe asked for. Not for where volume was traded (`analyze_volume_profile`),
        the current price (`get_quote`) or orders.
        """
        evidence = _analysis(market, symbol.strip().upper(), parse_timeframe(timeframe.strip()))
        return content(evidence), evidence

    return [analyze_cipher]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one engine adds to the analysis."""

    reasons: tuple[Reason, ...] = ()
    values: dict[str, EvidenceValue] = field(default_factory=dict)
    line: str = ""
    closes: tuple[str, str] = ("", "")


def _analysis(market: MarketData, symbol: str, timeframe: Timeframe) -> Evidence:
    instrument = market.instrument(symbol)
    candles = market.closed_candles(symbol, timeframe, count=WARM_UP + DESK_LOOKBACK)
    panel = _panel(market, candles)
    signal = read_panel(panel)
    volume = _volume(market, candles[-DESK_LOOKBACK:], instrument)
    higher = _higher_wave(market, symbol, timeframe, candles.as_of)
    reasons = [*signal.reasons, *volume.reasons]
    score = lean(reasons)
    close = float(candles.close[-1])
    headline, lines = _wording(signal, reasons, score, volume, higher)
    return Evidence(
        kind="cipher",
        tool="analyze_cipher",
        arguments={"symbol": symbol, "timeframe": timeframe},
        symbol=symbol,
        timeframe=timeframe,
        as_of=candles.as_of.isoformat(),
        market=candles.market,
        simulated=candles.simulated,
        headline=headline + (" *Simulated market.*" if candles.simulated else ""),
        brief="\n".join(line for line in lines if line),
        values={
            "score": score.value,
            "as_of": moment(candles.as_of, "close of the last candle"),
            "close": EvidenceValue(close, "price", instrument.price_text(close), "last close"),
            **panel_values(panel),
            **last_dot_values(panel),
            **last_mark_values(panel),
            **dot_values(panel),
            **volume.values,
            **higher.values,
            **{name: value for reason in reasons for name, value in reason.values.items()},
        },
        parameters={**VUMANCHU_B.to_plain(), "volume_profile": DESK_PROFILE.to_plain(), "lookback": DESK_LOOKBACK},
        next_steps=_next_steps(symbol, timeframe),
        chart={"symbol": symbol, "timeframe": timeframe, "as_of": candles.as_of.isoformat()},
    )


def _wording(
    signal: Signal, reasons: list[Reason], score: Lean, volume: _Part, higher: _Part
) -> tuple[str, tuple[str, ...]]:
    """The headline and the lines under it; disagreement with the larger timeframe is news, so the headline has it."""
    if signal.caveat:
        return f"{signal.caveat}, at the {{as_of}} close.", (higher.line, volume.line)
    opposed = [reason for reason in higher.reasons if reason.weight * score.sign < 0]
    against = f", against {opposed[0].name}," if opposed else ""
    headline = f"{signal.symbol} {signal.timeframe} {score.words} (score {{score}}){against} at the {{as_of}} close."
    told = for_and_against(reasons, score.sign)
    return headline, (*told, higher.line, volume.line, turning_points(reasons, score.sign, volume.closes))


def _panel(market: MarketData, candles: CandleFrame) -> CipherPanel:
    """The panel; where there are too few candles the error names a shorter timeframe that has enough."""
    try:
        return compute_panel(candles)
    except InsufficientData as error:
        needed = VUMANCHU_B.candles_needed
        for shorter in reversed(TIMEFRAMES[: TIMEFRAMES.index(candles.timeframe)]):
            try:
                found = len(market.closed_candles(candles.symbol, shorter, count=needed))
            except InsufficientData:
                continue
            if found >= needed:
                raise InsufficientData(error.message, remedy=f"The {shorter} panel works.") from error
        raise


def _volume(market: MarketData, candles: CandleFrame, instrument: Instrument) -> _Part:
    """Where the price stands in the volume profile of the same candles; nothing where they have no volume."""
    try:
        desk = desk_profile(market, candles.symbol, candles.timeframe, candles=candles)
    except InsufficientData:
        return _Part(line="There is no volume in these candles, so there is no point of control.")
    profile = desk.profile
    under, over = nearest_levels(profile)
    closes = (
        f"a {candles.timeframe} close under {{{under}}}" if under else "",
        f"a {candles.timeframe} close over {{{over}}}" if over else "",
    )
    reasons = tuple(_own_name(reason) for reason in read_levels(weighed_levels(desk, instrument)).reasons)
    return _Part(reasons, profile_values(profile, instrument), f"Volume: {LEVELS}.", closes)


def _own_name(reason: Reason) -> Reason:
    """A reason of the volume profile beside the panel, which calls fast minus slow wave its `vwap`."""
    named = {f"volume_{name}" if name.startswith("vwap") else name: each for name, each in reason.values.items()}
    text, turns = (words.replace("{vwap", "{volume_vwap") for words in (reason.text, reason.turns))
    return Reason(reason.name, reason.weight, text, named, turns)


def _higher_wave(market: MarketData, symbol: str, timeframe: Timeframe, as_of: datetime) -> _Part:
    """Which way the waves of the next larger timeframe point at the same instant; told, never scored."""
    higher = HIGHER.get(timeframe)
    if higher is None:
        return _Part()
    try:
        panel = compute_panel(market.closed_candles(symbol, higher, count=WARM_UP + 1, as_of=as_of))
    except InsufficientData:
        return _Part()
    latest = panel.latest()
    if panel.flat[-1] or not latest["vwap"]:
        return _Part()
    rises = latest["vwap"] > 0
    values = {
        "higher_wt1": points(latest["wt1"], f"fast wave on the {higher}", signed=True),
        "higher_wt2": points(latest["wt2"], f"slow wave on the {higher}", signed=True),
    }
    way, over = ("up", "over") if rises else ("down", "under")
    line = f"The {higher} wave trend points {way}: {{higher_wt1}} {over} {{higher_wt2}}."
    name = f"a {'rising' if rises else 'falling'} {higher}"
    return _Part((Reason(name, 1.0 if rises else -1.0, line, values),), values, line)


def _next_steps(symbol: str, timeframe: Timeframe) -> tuple[str, ...]:
    higher = HIGHER.get(timeframe, "1d")
    return (f"Cipher {symbol} {higher}", f"Volume profile {symbol} {timeframe}", f"Price of {symbol}")
