"""Quantum Volume Profile: volume by price, point of control, value area.

`params` holds the settings, `profile` the results and the way to them; `grid` is where rows lie, `spreading` how
candles get into them and `kernels` the compiled arithmetic. `sessions`, `developing`, `live` and `trades` make profiles
of days, of every moment, of what comes in one by one and of single trades; `nodes` and `naked` find levels in them;
`tpo` prints letters by time and `vwap` averages by volume. `lower` finds the shorter candles behind a chart and `desk`
makes the desk's own profiles of them; `summary` gathers the levels around a price, `reading` weighs and `telling` tells
them.
"""

from engines.volume_profile.developing import DevelopingProfile, developing_profile
from engines.volume_profile.live import LiveProfile
from engines.volume_profile.naked import NakedPoc, naked_pocs
from engines.volume_profile.nodes import Node
from engines.volume_profile.params import ProfileParams, whole_tick_rows
from engines.volume_profile.profile import (
    DESK_LOOKBACK,
    DESK_PROFILE,
    RowProfile,
    VolumeProfile,
    anchored_profile,
    composite_profile,
    compute_volume_profile,
)
from engines.volume_profile.sessions import Session, SessionProfile, find_sessions, session_profiles
from engines.volume_profile.trades import TradeProfile, compute_trade_profile

__all__ = [
    "DESK_LOOKBACK",
    "DESK_PROFILE",
    "DevelopingProfile",
    "LiveProfile",
    "NakedPoc",
    "Node",
    "ProfileParams",
    "RowProfile",
    "Session",
    "SessionProfile",
    "TradeProfile",
    "VolumeProfile",
    "anchored_profile",
    "composite_profile",
    "compute_trade_profile",
    "compute_volume_profile",
    "developing_profile",
    "find_sessions",
    "naked_pocs",
    "session_profiles",
    "whole_tick_rows",
]
