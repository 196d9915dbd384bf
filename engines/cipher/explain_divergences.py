"""Conditions of the divergence events: a pivot, the one before it in the same set, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from engines.cipher.explained import TOLERANCE, Condition, compare, state
from engines.cipher.panel import CipherPanel
from engines.cipher.params import CipherParams
from engines.domain.candles import Floats

# A pivot is knowable this many candles after its own.
CONFIRMED_AFTER: Final = 2
_WORDS: Final = {"wt": "wt2", "wt2": "wt2", "rsi": "RSI", "stoch": "Stoch RSI K"}
_COLUMNS: Final = {"wt": "wt2", "wt2": "wt2", "rsi": "rsi", "stoch": "stoch_k"}
_LIMITS: Final = {"wt": "wt_divergence", "wt2": "wt_divergence_2", "rsi": "rsi_divergence"}


@dataclass(frozen=True, slots=True)
class Pivots:
    """A divergence event taken apart.

    Attributes:
        source: `wt`, `wt2` (the second range), `rsi` or `stoch`.
        top: tops make bear divergences, bottoms bull ones.
        limit: setting that a pivot must reach; empty where all count.
        nonzero: a pivot at exactly zero does not count.
    """

    source: str
    top: bool
    hidden: bool
    limit: str
    nonzero: bool

    @property
    def words(self) -> str:
        """What the oscillator is called."""
        return _WORDS[self.source]

    def words_with_limit(self) -> str:
        """What tells it from other divergences: `wt2 at or below -40`, `Stoch RSI K`."""
        return f"{self.words} ({self.limit})" if self.limit else self.words

    def series(self, panel: CipherPanel) -> Floats:
        """The oscillator's column."""
        return panel.values[_COLUMNS[self.source]]

    def limit_of(self, params: CipherParams) -> float | None:
        """The level of the limit, None where all pivots count."""
        return float(getattr(params, self.limit)) if self.limit else None


def pivots_of(event: str, params: CipherParams) -> Pivots | None:
    """How a divergence event finds its pivots; None when it is another kind of event."""
    source = event.partition("_")[0]
    if "_div" not in event or source not in _WORDS:
        return None
    if event.endswith("_div2"):
        source = "wt2"
    top, hidden = "bear" in event, "hidden" in event
    limited = source in _LIMITS and not (hidden and params.hidden_ignores_limits)
    limit = f"{_LIMITS[source]}_{'top' if top else 'bottom'}" if limited else ""
    nonzero = params.pine_zero_falsy and not event.endswith("_zero_truthy")
    return Pivots(source, top, hidden, limit, nonzero)


def pivot_rows(x: Floats, how: Pivots, limit: float | None) -> list[int]:
    """Rows of all pivots of x that count, whose last neighbour is there: strict over two candles on either side."""
    sign = 1.0 if how.top else -1.0
    if len(x) < 2 * CONFIRMED_AFTER + 1:
        return []
    p = x[2:-2]
    with np.errstate(invalid="ignore"):
        found = np.all([sign * (p - near) > TOLERANCE for near in (x[:-4], x[1:-3], x[3:-1], x[4:])], axis=0)
        if limit is not None:
            found &= sign * (p - limit) >= -TOLERANCE
        if how.nonzero:
            found &= np.abs(p) > TOLERANCE
    return [int(row) + 2 for row in np.flatnonzero(found)]


def previous_pivot(panel: CipherPanel, how: Pivots, row: int, *, before: int | None = None) -> int | None:
    """Row of the last pivot that counts before the pivot candle of `row`; None where there is none."""
    assert isinstance(panel.params, CipherParams)
    known = how.series(panel)[: row + 1]
    last = row - CONFIRMED_AFTER if before is None else before
    rows = [found for found in pivot_rows(known, how, how.limit_of(panel.params)) if found < last]
    return rows[-1] if rows else None


def divergence_conditions(panel: CipherPanel, how: Pivots, row: int) -> list[Condition]:
    """What a divergence confirmed at `row` needs."""
    params = panel.params
    assert isinstance(params, CipherParams)
    x, p = how.series(panel), row - CONFIRMED_AFTER
    kind, lower = ("high", "above") if how.top else ("low", "below")
    found = [_fractal(x, how, row, f"{how.words} two candles ago {lower} the two before and the two after it")]
    limit = how.limit_of(params)
    value = float(x[p]) if p >= 0 else np.nan
    if limit is not None:
        words = f"that {kind} at or {lower} {limit:g}"
        found.append(compare("limit", words, value, ">=" if how.top else "<=", limit, setting=how.limit))
    if how.nonzero and (how.source == "stoch" or abs(value) <= TOLERANCE):
        words = f"that {kind} other than zero"
        found.append(compare("not_zero", words, abs(value), ">", TOLERANCE, tolerance=0.0))
    return [*found, *_comparisons(panel, how, row, value, kind)]


def _fractal(x: Floats, how: Pivots, row: int, words: str) -> Condition:
    if row < 2 * CONFIRMED_AFTER:
        return compare("pivot", words, np.nan, ">" if how.top else "<", np.nan)
    near = [float(x[row - back]) for back in (4, 3, 1, 0)]
    nearest = float(np.max(near) if how.top else np.min(near))
    return compare("pivot", words, float(x[row - CONFIRMED_AFTER]), ">" if how.top else "<", nearest)


def _comparisons(panel: CipherPanel, how: Pivots, row: int, value: float, kind: str) -> list[Condition]:
    p, q = row - CONFIRMED_AFTER, previous_pivot(panel, how, row)
    prices = panel_prices(panel)["high" if how.top else "low"]
    price = float(prices[p]) if p >= 0 else np.nan
    earlier_price = float(prices[q]) if q is not None else np.nan
    earlier_value = float(how.series(panel)[q]) if q is not None else np.nan
    # Regular: price goes on and the oscillator does not; hidden the other way round.
    price_rises = how.top != how.hidden
    # A price below one would drown in the tolerance of points.
    near = TOLERANCE * min(1.0, price)
    within = " within the same limit" if how.limit else ""
    price_words = f"a {'higher' if price_rises else 'lower'} {kind} in price than at the earlier one"
    value_words = f"a {'lower' if price_rises else 'higher'} {kind} in {how.words} than at the earlier one"
    return [
        state("earlier_pivot", f"an earlier {kind} in {how.words}{within} to compare with", holds=q is not None),
        compare("price", price_words, price, ">" if price_rises else "<", earlier_price, tolerance=near),
        compare("oscillator", value_words, value, "<" if price_rises else ">", earlier_value),
    ]


def panel_prices(panel: CipherPanel) -> dict[str, Floats]:
    """Highs and lows that the panel compares: the candles' own, or those of their Heikin-Ashi form."""
    candles = panel.candles
    if not (isinstance(panel.params, CipherParams) and panel.params.heikin_ashi):
        return {"high": candles.high, "low": candles.low}
    close = (candles.open + candles.high + candles.low + candles.close) / 4.0
    open_ = np.empty(len(candles))
    mean = float(candles.open[0] + candles.close[0]) / 2.0
    for row in range(len(candles)):
        open_[row] = mean
        mean = (mean + float(close[row])) / 2.0
    high, low = np.maximum(candles.high, open_), np.minimum(candles.low, open_)
    return {"high": np.maximum(high, close), "low": np.minimum(low, close)}
