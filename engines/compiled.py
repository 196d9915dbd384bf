"""How a kernel is compiled; importing this module loads numba, so engines import their kernels when first used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final, ParamSpec, TypeVar

from numba import njit, types

P = ParamSpec("P")
R = TypeVar("R")

# Inputs are declared read-only, which accepts writable arrays as well; the reverse would not.
FLOATS_IN: Final = types.Array(types.float64, 1, "C", readonly=True)
TIMES_IN: Final = types.Array(types.int64, 1, "C", readonly=True)
# NumPy's error model: x/0 is infinite and 0/0 undefined, as the indicators' source language has it. No fast-math: it
# breaks undefined values and the order of operations that parity rests on.
_OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", "nogil": True}


def tuple_of(kind: Any, count: int) -> Any:
    """The type of a tuple of `count` equal kinds, for a signature."""
    make: Any = types.Tuple
    return make((kind,) * count)


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a part of a kernel; it is inlined into, and cached with, the kernel that uses it.

    A kernel that uses a step of another module names that module in `inlines`, or its cache would outlive a change.
    """
    compiled: Callable[P, R] = njit(forceinline=True, **_OPTIONS)(function)
    return compiled


def kernel(*signature: Any, inlines: tuple[ModuleType, ...] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a kernel for exactly these argument types, from the cache where there is one.

    The cache lies beside the source, or in the user's cache folder where the source cannot be written; where
    neither can, the kernel is compiled once per process. The compiler's own cache notices changes of the kernel's file
    only, so what the kernel takes from other files becomes part of the name it is cached by.

    Args:
        inlines: the modules whose steps and constants the kernel uses, directly or through another step.
    """

    def compile_now(function: Callable[P, R]) -> Callable[P, R]:
        if inlines:
            function.__qualname__ += f"_{_fingerprint(inlines)}"
        try:
            compiled: Callable[P, R] = njit(signature, cache=True, **_OPTIONS)(function)
        except RuntimeError as error:
            if "cannot cache function" not in str(error):
                raise
            compiled = njit(signature, **_OPTIONS)(function)
        return compiled

    return compile_now


def _fingerprint(modules: tuple[ModuleType, ...]) -> str:
    """Short digest of the modules' source; they are files of this application, so they can be read."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(Path(module.__file__ or "").read_bytes())
    return digest.hexdigest()[:12]
