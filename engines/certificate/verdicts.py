"""What a certificate says: every output's verdicts, and the first difference of those that have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from engines.domain.timeframe import from_ms

Check = Literal["cut", "poison", "dates", "start"]

CHECKS: Final[tuple[Check, ...]] = ("cut", "poison", "dates", "start")
_WORDS: Final[dict[Check, str]] = {
    "cut": "when later candles are cut off",
    "poison": "when later candles are others",
    "dates": "when all dates are moved by whole weeks",
    "start": "when the series begins later",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One cell that changed though it must not.

    Attributes:
        row: of the cell, counted from the series' first candle; `open_time` is that candle's, milliseconds.
        known: candles the altered history had in common with the whole one, from the first on.
        whole, altered: the cell on the whole series, and on the altered one.
    """

    output: str
    check: Check
    row: int
    open_time: int
    known: int
    whole: float
    altered: float

    def __str__(self) -> str:
        opened = f"{from_ms(self.open_time):%Y-%m-%d %H:%M} UTC"
        return (
            f"{self.output} at row {self.row} (candle of {opened}) is {self.whole!r}, "
            f"and {self.altered!r} {_WORDS[self.check]}"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found out about one output.

    Attributes:
        runs: histories compared; 0 where the check does not apply to this output or there are too few candles for it.
        failed: histories on which it differed.
        reach: how many of the newest known candles it changed at most: 2 means that a value may change until two
            candles later.
        failure: the first difference found; None when there is none.
    """

    output: str
    check: Check
    runs: int = 0
    failed: int = 0
    reach: int = 0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What `certify` found; `verdicts` holds every output's checks, outputs in the engine's order.

    Attributes:
        candles: rows it was made on, the first of which opened and the last of which closed at these times (ms).
        cuts: instants at which the future was cut off and poisoned.
        seed: of the random cuts and poison; the same seed gives the same certificate.
    """

    symbol: str
    timeframe: str
    market: str
    candles: int
    opened: int
    closed: int
    cuts: int
    seed: int
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """True when no output differed anywhere."""
        return not self.failures

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The first difference of every output and check that has one."""
        return tuple(verdict.failure for verdict in self.verdicts if verdict.failure is not None)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names, in the engine's order."""
        return tuple(dict.fromkeys(verdict.output for verdict in self.verdicts))

    def verdict(self, output: str, check: Check) -> Verdict:
        """What one check said about one output."""
        return next(each for each in self.verdicts if (each.output, each.check) == (output, check))
