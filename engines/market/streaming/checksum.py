"""Kraken's checksum of an order book."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Final

_LEVELS: Final = 10


def book_checksum(
    asks: Sequence[Sequence[float]], bids: Sequence[Sequence[float]], *, price_places: int, quantity_places: int
) -> int:
    """CRC32 of the ten best asks, then the ten best bids: price and quantity of each, without point or leading zeros.

    Source: Kraken's guide to book checksums of its second WebSocket interface. Deviations: none.
    """
    digits = [*_digits(asks, price_places, quantity_places), *_digits(bids, price_places, quantity_places)]
    return zlib.crc32("".join(digits).encode())


def _digits(side: Sequence[Sequence[float]], *places: int) -> Iterable[str]:
    for level in side[:_LEVELS]:
        for value, count in zip(level[:2], places, strict=True):
            yield f"{value:.{count}f}".replace(".", "").lstrip("0")
