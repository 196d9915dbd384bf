"""Looks at every change of a book before and after ccxt does, so that no book with a hole is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from engines.market.streaming.board import Board, Levels
from engines.market.streaming.checksum import book_checksum

# Levels that are copied: as many as the desk asks for over REST.
_COPIED: Final = 100


def watch_changes(exchange: Any, board: Board, broken: Callable[[str, Any], None]) -> None:
    """Have an exchange's book messages checked by number (Binance) or checksum (Kraken).

    Args:
        exchange: a ccxt.pro exchange.
        broken: called with symbol and connection when a change is missing and the exchange has to begin again.
    """
    understood = exchange.handle_order_book

    def handle(client: Any, message: Mapping[str, Any]) -> None:
        if exchange.id == "binance":
            _numbered(exchange, board, message)
        understood(client, message)
        if exchange.id == "kraken" and not _summed(exchange, board, message):
            broken(str(message["data"][0]["symbol"]), client)

    def guarded(client: Any, message: Mapping[str, Any]) -> None:
        try:
            handle(client, message)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            # Raised here it would silence the whole connection: ccxt reads on only after a message it could handle.
            broken("a symbol nobody can read", client)

    exchange.handle_order_book = guarded


def copied(book: Mapping[str, Any]) -> tuple[Levels, Levels]:
    """Bids and asks of a ccxt book, which goes on changing, as they are now."""
    bids, asks = (tuple((float(p), float(q)) for p, q, *_ in book[side][:_COPIED]) for side in ("bids", "asks"))
    return bids, asks


def _numbered(exchange: Any, board: Board, message: Mapping[str, Any]) -> None:
    """Binance: the first message since the subscription begins the count; ccxt lays it over its snapshot."""
    sequence = board.sequence(exchange.safe_market(message["s"], None, None, "spot")["symbol"])
    if sequence.is_whole:
        # A hole is ccxt's to mend, by a new snapshot; until its reader begins again the book is not served.
        sequence.change(int(message["U"]), int(message["u"]))
    elif sequence.is_new:
        sequence.snapshot(int(message["u"]))


def _summed(exchange: Any, board: Board, message: Mapping[str, Any]) -> bool:
    """Kraken: whether the book is what its checksum says."""
    change = message["data"][0]
    symbol, book = str(change["symbol"]), exchange.orderbooks.get(change["symbol"])
    sequence = board.sequence(symbol)
    if book is None or "checksum" not in change:
        return True
    precision = exchange.markets[symbol]["precision"]
    own = book_checksum(
        book["asks"],
        book["bids"],
        price_places=_places(precision["price"]),
        quantity_places=_places(precision["amount"]),
    )
    if own == int(change["checksum"]):
        if not sequence.is_whole:
            sequence.snapshot(0)
        return True
    sequence.miss()
    return False


def _places(step: float) -> int:
    exponent = Decimal(str(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
