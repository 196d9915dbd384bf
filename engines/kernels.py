"""Load every compiled kernel, so that the first question does not wait for it."""

from __future__ import annotations

import importlib
from typing import Final

_MODULES: Final = (
    "engines.soundness_kernel",
    "engines.cipher.kernels",
    "engines.cipher.cipher_a_kernels",
    "engines.volume_profile.kernels",
    "engines.volume_profile.vwap_kernel",
)


def warm() -> None:
    """Compile all kernels, or load them from the cache of an earlier run.

    Kernels declare their argument types, so importing their modules is all it takes. Safe to call from a thread and
    more than once. The first time on a machine takes a minute, later ones well under a second.
    """
    for module in _MODULES:
        importlib.import_module(module)
