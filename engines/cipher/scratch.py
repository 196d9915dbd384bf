"""Rows of the scratch that the panel's parts share: recent values first, then what a pass hands to the next."""

from __future__ import annotations

from typing import Final

from engines.cipher.layout import RECENT_ROWS

# Averaged candles: open, high, low and close.
AVERAGED_CANDLE: Final = RECENT_ROWS
TYPICAL: Final = AVERAGED_CANDLE + 4
LOGGED: Final = TYPICAL + 1
UP, DOWN, LOG_UP, LOG_DOWN = range(LOGGED + 1, LOGGED + 5)
HIGHEST, LOWEST, CYCLE, ONES = UP, DOWN, LOG_UP, LOG_DOWN
KINDS, ORDER = UP, DOWN
SCRATCH_ROWS: Final = LOG_DOWN + 1
# Candles worked on at a time.
CHUNK: Final = 512
