"""Load every compiled kernel, so that the first question does not wait for it."""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

# The longest to compile first; those side by side have passes in common, which one process compiles once.
_MODULES: Final = (
    "engines.cipher.core_part",
    "engines.cipher.cipher_a_part",
    "engines.cipher.higher_part",
    "engines.cipher.event_part",
    "engines.volume_profile.kernels",
    "engines.cipher.kernels",
    "engines.volume_profile.vwap_kernel",
    "engines.soundness_kernel",
)
# A compiling process holds up to 300 MB.
_MOST_PROCESSES: Final = 4


def warm() -> None:
    """Compile all kernels, or load them from the cache of an earlier run.

    Kernels declare their argument types, so importing their modules is all it takes. Safe to call from a thread and
    more than once. With a filled cache, see `fill_cache`, it takes well under a second.
    """
    for module in _MODULES:
        importlib.import_module(module)


def fill_cache(tell: Callable[[int, int], None]) -> None:
    """Compile all kernels into the cache, in a process for each processor; and drop what earlier versions left there.

    Args:
        tell: called with how many modules are done, and of how many.
    """
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    processes = min(os.cpu_count() or 1, _MOST_PROCESSES)
    tell(0, len(_MODULES))
    current: set[tuple[str, str]] = set()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        loads = [pool.submit(_load, module) for module in _MODULES]
        for done, load in enumerate(as_completed(loads), start=1):
            current.update(load.result())
            tell(done, len(_MODULES))
    for folder in {folder for folder, _ in current}:
        names = tuple(name for place, name in current if place == folder)
        for file in Path(folder).glob("*.nb[ic]"):
            if not file.name.startswith(names):
                file.unlink(missing_ok=True)


def _load(module: str) -> list[tuple[str, str]]:
    # The process ends with its work, and collecting what the compiler leaves takes longer than that.
    gc.disable()
    importlib.import_module(module)
    from engines.compiled import cached_as

    return cached_as()
