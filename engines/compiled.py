"""How a kernel is compiled; importing this module loads numba, so engines import their kernels when first used."""

from __future__ import annotations

from collections.abc import Callable
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

    Keep it in the kernel's own module: the cache notices changes of that file only.
    """
    compiled: Callable[P, R] = njit(**_OPTIONS)(function)
    return compiled


def kernel(*signature: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a kernel for exactly these argument types, from the cache where there is one.

    The cache lies beside the source, or in the user's cache folder where the source cannot be written; where
    neither can, the kernel is compiled once per process.
    """

    def compile_now(function: Callable[P, R]) -> Callable[P, R]:
        try:
            compiled: Callable[P, R] = njit(signature, cache=True, **_OPTIONS)(function)
        except RuntimeError as error:
            if "cannot cache function" not in str(error):
                raise
            compiled = njit(signature, **_OPTIONS)(function)
        return compiled

    return compile_now
