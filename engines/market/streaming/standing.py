"""How the streams of a market stand, for whoever looks after the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class StreamStanding:
    """Streams of one exchange.

    Attributes:
        alive: streams that sent data in the last minute.
        silent: streams that did not: what they are for is asked over REST.
        refused: times a stream was not opened, because there were as many as one exchange gets.
        connections: how often it was connected to again.
        dropped_ticks: prices that a newer one took the place of before they were looked at; candles never are.
        revisions: closed candles that the exchange changed afterwards.
        disagreements: candles that the stream told otherwise than REST, which wins.
        rejected: rows that are no candles, by reason.
        gaps: missing candles by state: unknown, filled, empty_at_exchange, failed.
        lost_trades: trades that neither the stream nor REST told.
        broken_books: books that missed a change and were begun again.
        skew_ms: our clock less the exchange's, at its newest message; None before the first that has a time.
        trouble: why the newest connection broke; empty when none did.
    """

    alive: int
    silent: int
    refused: int
    connections: int
    dropped_ticks: int
    revisions: int
    disagreements: int
    rejected: Mapping[str, int]
    gaps: Mapping[str, int]
    lost_trades: int
    broken_books: int
    skew_ms: int | None
    trouble: str

    def __str__(self) -> str:
        words = f"{self.alive} streams alive, {self.silent} silent, {self.dropped_ticks} ticks dropped"
        return f"{words}; {self.trouble}" if self.trouble else words


@runtime_checkable
class Streamed(Protocol):
    """What a market adds that keeps connections open."""

    def streams(self) -> StreamStanding:
        """How they stand now."""
        ...

    def close(self) -> None:
        """End them; again does no harm."""
        ...
