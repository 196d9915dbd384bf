"""The market profile of every session."""

from __future__ import annotations

from dataclasses import dataclass

from engines.domain.candles import CandleFrame
from engines.volume_profile.sessions import Session, find_sessions
from engines.volume_profile.tpo import TpoProfile, compute_tpo
from engines.volume_profile.tpo_params import TpoParams


@dataclass(frozen=True, slots=True, eq=False)
class SessionTpo:
    """A session and its market profile, whose letters begin with A at the session's opening."""

    session: Session
    letters: TpoProfile


def session_tpos(
    candles: CandleFrame, params: TpoParams | None = None, *, timezone: str = "UTC", session_start: str = "00:00"
) -> tuple[SessionTpo, ...]:
    """The market profile of every session, each made of its own candles only, with blocks from its opening on.

    Args:
        candles: n >= 0 closed candles whose timeframe divides the block.
        params: rows, blocks and value area; with `row_height` the rows of all sessions lie on one grid.
        timezone, session_start: as `find_sessions` has them.

    Returns:
        Sessions by time; the last one may still run, `session.complete` says so.

    Raises:
        InvalidRequest: as `find_sessions` and `compute_tpo`.
    """
    sessions = find_sessions(candles, timezone=timezone, session_start=session_start)
    return tuple(SessionTpo(each, letters_of(candles, each, params)) for each in sessions)


def letters_of(candles: CandleFrame, session: Session, params: TpoParams | None = None) -> TpoProfile:
    """The market profile of one session, which is rows of `candles`."""
    return compute_tpo(candles[session.first_row : session.last_row + 1], params, opens=session.opens)
