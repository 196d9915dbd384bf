"""Kraken's checksum of a book, against the two worked examples of Kraken's own guides."""

from __future__ import annotations

from engines.market.streaming.checksum import book_checksum

# Source: Kraken's guide to book checksums of its second WebSocket interface, BTC/USD: price in tenths, quantity 1e-8.
_ASKS = [
    *[(45285.2, 0.001), (45286.4, 1.54571953), (45286.6, 1.54571109), (45289.6, 1.54560911), (45290.2, 0.1589066)],
    *[(45291.8, 1.54553491), (45294.7, 0.04454749), (45296.1, 0.3538), (45297.5, 0.09945542), (45299.5, 0.18772827)],
]
_BIDS = [
    *[(45283.5, 0.1), (45283.4, 1.54582015), (45282.1, 0.1), (45281.0, 0.1), (45280.3, 1.54592586)],
    *[(45279.0, 0.0799), (45277.6, 0.03310103), (45277.5, 0.3), (45277.3, 1.54602737), (45276.6, 0.15445238)],
]


def test_the_checksum_is_that_of_krakens_worked_example() -> None:
    assert book_checksum(_ASKS, _BIDS, price_places=1, quantity_places=8) == 3310070434


def test_the_checksum_of_small_prices_is_that_of_the_guide_to_the_first_interface() -> None:
    asks = [(price / 100_000, 0.000005) for price in range(5005, 5055, 5)]
    bids = [(price / 100_000, 0.000005) for price in (5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950)]
    assert book_checksum(asks, bids, price_places=5, quantity_places=8) == 974947235


def test_levels_behind_the_tenth_do_not_count_and_those_before_do() -> None:
    longer = book_checksum([*_ASKS, (50_000.0, 1.0)], [*_BIDS, (40_000.0, 1.0)], price_places=1, quantity_places=8)
    assert longer == 3310070434
    assert book_checksum(_ASKS[1:], _BIDS, price_places=1, quantity_places=8) != 3310070434
