"""How a kernel is compiled; importing this module loads numba, so engines import their kernels when first used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np
from numba import carray, njit, types  # type: ignore[attr-defined]
from numba.extending import intrinsic

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
    """Compile a part of a kernel that is inlined wherever it is called, so that a call costs nothing.

    It is cached with the kernel. A kernel that uses a step of another module names that module in `inlines`, or its
    cache would outlive a change.
    """
    compiled: Callable[P, R] = njit(forceinline=True, **_OPTIONS)(function)
    return compiled


def aside(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a part of a kernel that is called seldom or from many places: as `step`, but not inlined.

    What is inlined everywhere takes long to compile.
    """
    compiled: Callable[P, R] = njit(**_OPTIONS)(function)
    return compiled


def _pointer_typing(_context: Any, address: Any) -> Any:
    def cast(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(address), cast


# The pointer to an address, in compiled code.
_pointer: Any = intrinsic(_pointer_typing)


@step
def floats_at(address: int, shape: Any) -> Any:
    """The float64 array of this shape at an address, for use while the caller holds it; nobody counts references."""
    return carray(_pointer(address), shape, np.float64)


@step
def wholes_at(address: int, shape: Any) -> Any:
    """As `floats_at`, of int64."""
    return carray(_pointer(address), shape, np.int64)


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
