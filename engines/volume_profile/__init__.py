"""Quantum Volume Profile: volume by price, point of control, value area.

`params` holds the settings, `profile` the results and the way to them, `kernels` the compiled arithmetic, `reading`
what the price's place in the profile says in words.
"""

from engines.volume_profile.params import ProfileParams
from engines.volume_profile.profile import DESK_LOOKBACK, DESK_PROFILE, VolumeProfile, compute_volume_profile

__all__ = ["DESK_LOOKBACK", "DESK_PROFILE", "ProfileParams", "VolumeProfile", "compute_volume_profile"]
