"""Tags of price levels beside the price axis, where they hide neither candles nor the axis' numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ui.chart_words import Chart, price_formatter
from ui.charts.canvas import DOMAINS, PRICE, Canvas
from ui.charts.ribbon import shown_symbols

# Margins of the figure above and below its panes, pixels.
_TOP: Final = 66
_KEY_LINE: Final = 16
BOTTOM: Final = 52
# So many naked points of control are drawn, those nearest to the last close.
MOST_NAKED: Final = 6
NAKED: Final = "naked"
CLOSE: Final = "close"
# Pixels that a letter and a line of a tag take at most, and a space of half the letters' height.
LETTER: Final = 6.5
BOLD: Final = 7.2
LINE: Final = 14.0
SPACE: Final = 5
SIZE: Final = 10
# From so wide a range of prices on the axis writes whole ones.
WHOLE: Final = 16
_GAP: Final = 10
# How much less the tag of the last close gives way than those of levels.
_FIRM: Final = 20.0


@dataclass(frozen=True, slots=True)
class Tag:
    """A named level.

    Attributes:
        kind: poc, vah, val, close or naked.
        lift: pixels above its price, so that no two tags lie over each other.
    """

    kind: str
    price: float
    text: str
    lift: float = 0.0


def visible_prices(canvas: Canvas) -> tuple[float, float]:
    """Lowest and highest price in view, of candles and symbols, with room above and below."""
    candles = canvas.chart["candles"]
    low, high = min(candles["low"][canvas.first :]), max(candles["high"][canvas.first :])
    room = (high - low) * 0.03 or abs(high) * 0.01
    symbols = [place for places in shown_symbols(canvas).values() for place in places]
    return min([low, *symbols]) - room, max([high, *symbols]) + room


def naked_levels(canvas: Canvas) -> list[Chart]:
    """The naked points of control that are drawn: the nearest ones in view, nearest first."""
    profile, close = canvas.chart["volume_profile"], canvas.chart["candles"]["close"][-1]
    low, high = visible_prices(canvas)
    found = [level for level in (profile or {}).get("naked_pocs") or () if low <= level["price"] <= high]
    return sorted(found, key=lambda level: abs(float(level["price"]) - close))[:MOST_NAKED]


def top_margin(canvas: Canvas) -> int:
    """Pixels over the panes: for the title and the key of the price, which has another line for Cipher A's symbols."""
    return _TOP + (_KEY_LINE if "ribbon_lengths" in canvas.chart["cipher"] and not canvas.narrow else 0)


def price_pixels(canvas: Canvas, height: int) -> float:
    """Height of the price pane in pixels, of a figure as high as `height`."""
    bottom, top = DOMAINS[PRICE]
    return (height - top_margin(canvas) - BOTTOM) * (top - bottom)


def tags(canvas: Canvas, height: int) -> list[Tag]:
    """The last close and every level in view, from the top down, moved apart where they are close together.

    Args:
        height: of the figure in pixels.
    """
    low, high = visible_prices(canvas)
    pixels = price_pixels(canvas, height)
    found = sorted((tag for tag in _all(canvas) if low <= tag.price <= high), key=lambda tag: -tag.price)
    wanted = [(high - tag.price) / (high - low) * pixels for tag in found]
    placed = _apart(wanted, [_FIRM if tag.kind == CLOSE else 1.0 for tag in found], pixels)
    return [replace(tag, lift=want - place) for tag, want, place in zip(found, wanted, placed, strict=True)]


def tag_shift(canvas: Canvas) -> int:
    """Pixels from the price axis to the column of tags, a whole number of spaces.

    On a narrow page the tags take the places of the axis' numbers.
    """
    if canvas.narrow:
        return SPACE
    return SPACE * math.ceil((_numbers_width(canvas) + _GAP) / SPACE)


def tag_room(canvas: Canvas) -> int:
    """Pixels that the axis and the tags take."""
    widest = max(len(tag.text) * (BOLD if tag.kind == CLOSE else LETTER) for tag in _all(canvas))
    return math.ceil(max(tag_shift(canvas) + widest, _numbers_width(canvas)) + _GAP)


def number_places(canvas: Canvas, height: int) -> list[float]:
    """Prices whose numbers the axis of a narrow page shows: even ones, also beyond what is in view, beside no tag."""
    low, high = visible_prices(canvas)
    step = _even_step(high - low, float(canvas.chart["tick_size"]))
    pixel = (high - low) / price_pixels(canvas, height)
    taken = [tag.price + tag.lift * pixel for tag in tags(canvas, height)]
    first, last = math.ceil((2 * low - high) / step), math.floor((2 * high - low) / step)
    places = [number * step for number in range(first, last + 1)]
    return [place for place in places if all(abs(place - other) >= LINE * pixel for other in taken)]


def _even_step(span: float, tick: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that has eight steps or fewer in the span."""
    power = 10.0 ** math.floor(math.log10(span / 8))
    return max(next(power * part for part in (1, 2, 5, 10) if power * part * 8 >= span), tick)


def _numbers_width(canvas: Canvas) -> float:
    return max(len(axis_price(canvas)(price)) for price in visible_prices(canvas)) * LETTER * 1.1


def axis_price(canvas: Canvas) -> Callable[[float], str]:
    """Writes prices as the price axis does: whole ones where that tells them apart."""
    low, high = visible_prices(canvas)
    return "{:,.0f}".format if high - low >= WHOLE else price_formatter(canvas.chart)


def tag_captions(canvas: Canvas, height: int) -> Iterator[Chart]:
    """Annotations of the last close and of the profile's levels; naked points of control have theirs in their trace."""
    palette, candles = canvas.palette, canvas.chart["candles"]
    rising = candles["close"][-1] >= candles["open"][-1]
    # The last close and the point of control stand out: they are what is looked for first.
    filled = {CLOSE: palette.rise if rising else palette.fall, "poc": palette.level}
    for tag in tags(canvas, height):
        if tag.kind == NAKED:
            continue
        yield {
            "showarrow": False,
            "xref": "paper",
            "x": 1,
            "xanchor": "left",
            "xshift": tag_shift(canvas),
            "yref": PRICE,
            "y": tag.price,
            "yanchor": "middle",
            "yshift": tag.lift,
            "text": f"<b>{tag.text}</b>" if tag.kind == CLOSE else tag.text,
            "font": {"size": SIZE, "color": palette.page if tag.kind in filled else palette.level},
            "bgcolor": filled.get(tag.kind, palette.label),
            "borderpad": 1,
        }


def _all(canvas: Canvas) -> Iterator[Tag]:
    chart, price = canvas.chart, price_formatter(canvas.chart)
    close = chart["candles"]["close"][-1]
    yield Tag(CLOSE, close, price(close))
    profile = chart["volume_profile"]
    if not profile:
        return
    # A narrow page has room for as many digits as its axis has.
    written = axis_price(canvas) if canvas.narrow else price
    for name in ("poc", "vah", "val"):
        yield Tag(name, profile[name], f"{name.upper()} {written(profile[name])}")
    for level in naked_levels(canvas):
        yield Tag(NAKED, level["price"], f"nPOC {written(level['price'])}")


def _apart(wanted: list[float], weights: list[float], pixels: float) -> list[float]:
    """Places from the top down, a line apart and inside the pane, as near as can be to those wanted.

    Neighbours that are too close share their displacement by weight: the least squares of all such places.
    """
    # With a line's height taken off for each tag above, the places have only to rise.
    groups: list[tuple[float, float, int]] = []
    for index, (place, weight) in enumerate(zip(wanted, weights, strict=True)):
        mean, total, count = place - index * LINE, weight, 1
        while groups and groups[-1][0] > mean:
            other, heavier, members = groups.pop()
            mean = (mean * total + other * heavier) / (total + heavier)
            total, count = total + heavier, count + members
        groups.append((mean, total, count))
    first, last = LINE / 2, pixels - LINE / 2 - (len(wanted) - 1) * LINE
    level = [min(max(mean, first), max(first, last)) for mean, _, count in groups for _ in range(count)]
    return [place + index * LINE for index, place in enumerate(level)]
