"""How a kernel is compiled; importing this module loads numba, so engines import their kernels when first used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import cfunc, njit, types
from numba.core.caching import FunctionCache
from numba.core.cgutils import unpack_tuple
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")
Shape = int | tuple[int, int]

# Inputs are declared read-only, which accepts writable arrays as well; the reverse would not.
FLOATS_IN: Final = types.Array(types.float64, 1, "C", readonly=True)
TIMES_IN: Final = types.Array(types.int64, 1, "C", readonly=True)
# NumPy's error model: x/0 is infinite and 0/0 undefined, as the indicators' source language has it. No fast-math: it
# breaks undefined values and the order of operations that parity rests on.
_OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", "nogil": True}
# What is only called from compiled code needs no door for C's calls; Python's remains, for tests.
_INNER: Final[dict[str, Any]] = {"no_cfunc_wrapper": True, **_OPTIONS}

# Every kernel and part that is loaded and has a place in the cache.
CACHED: Final[list[Any]] = []


def tuple_of(kind: Any, count: int) -> Any:
    """The type of a tuple of `count` equal kinds, for a signature."""
    make: Any = types.Tuple
    return make((kind,) * count)


def step(function: Callable[P, R]) -> Callable[P, R]:
    """A part of a kernel that is written into whatever calls it, before anything is compiled, so a call costs nothing.

    For what is a few lines or is called in one place: what is called in many is compiled as many times. It is cached
    with the kernel. A kernel that uses a step of another module names that module in `inlines`, or its cache would
    outlive a change; that goes for `copied` and `aside` as well.
    """
    compiled: Callable[P, R] = njit(inline="always", **_OPTIONS)(function)
    return compiled


def copied(function: Callable[P, R]) -> Callable[P, R]:
    """A part of a kernel that is called in several places for every candle: compiled once, its code copied to each.

    A stream would notice the calls otherwise.
    """
    compiled: Callable[P, R] = njit(forceinline=True, **_INNER)(function)
    return compiled


def aside(function: Callable[P, R]) -> Callable[P, R]:
    """A part of a kernel that is called seldom, or on many candles at once: compiled once, and called."""
    compiled: Callable[P, R] = njit(**_INNER)(function)
    return compiled


# The compiler's own functions have no types.
_lengths_of: Any = unpack_tuple
_new_array: Any = make_array
_fill_array: Any = populate_array
_cache_of: Any = FunctionCache


def _arrays_of(element: Any) -> Any:
    """What makes an array out of an address, in compiled code."""

    def typing(_context: Any, _address: Any, shape: Any) -> Any:
        sides = len(shape) if isinstance(shape, types.BaseTuple) else 1
        kind = types.Array(element, sides, "C")

        def build(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            address, counts = arguments
            lengths = _lengths_of(builder, counts) if sides > 1 else [counts]
            size = context.get_constant(types.intp, 8)
            strides = [size] if sides == 1 else [builder.mul(lengths[1], size), size]
            array = _new_array(kind)(context, builder)
            data = builder.inttoptr(address, array.data.type)
            _fill_array(array, data=data, shape=lengths, strides=strides, itemsize=size, meminfo=None)
            return array._getvalue()  # noqa: SLF001 - the compiler's documented way to read a structure

        return kind(types.int64, types.int64 if sides == 1 else tuple_of(types.int64, sides)), build

    return intrinsic(typing)


# The array of 8-byte numbers that begins at an address, of a length or of rows and columns, for use in compiled code
# while the caller holds it; nobody counts references.
floats_at: Final[Callable[[int, Shape], NDArray[np.float64]]] = _arrays_of(types.float64)
wholes_at: Final[Callable[[int, Shape], NDArray[np.int64]]] = _arrays_of(types.int64)
bits_at: Final[Callable[[int, Shape], NDArray[np.uint64]]] = _arrays_of(types.uint64)


def kernel(*signature: Any, inlines: tuple[ModuleType, ...] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a kernel for exactly these argument types, from the cache where there is one.

    The cache lies beside the source, or in the user's cache folder where the source cannot be written; where
    neither can, the kernel is compiled once per process. The compiler's own cache notices changes of the kernel's file
    only, so what the kernel takes from other files becomes part of the name it is cached by.

    Args:
        inlines: the modules whose steps and constants the kernel uses, directly or through another step.
    """
    return _cached(partial(njit, signature, **_OPTIONS), inlines)


def part(*, inlines: tuple[ModuleType, ...] = ()) -> Callable[[Callable[[int, int, int, int], None]], Any]:
    """Compile a piece of kernels that `call_part` calls by its `address`, with four whole numbers.

    It is compiled and cached by itself: the pieces of one kernel are compiled side by side, in several processes, and
    several kernels share one. A call costs a few nanoseconds.
    """
    signature = types.void(*[types.int64] * 4)
    return _cached(partial(cfunc, signature, **_OPTIONS), inlines)


def _cached(compiler: Callable[..., Any], inlines: tuple[ModuleType, ...]) -> Callable[[Callable[..., Any]], Any]:
    def compile_now(function: Callable[..., Any]) -> Any:
        function.__qualname__ += f"_{_fingerprint(inlines)}"
        try:
            compiled = compiler(cache=True)(function)
        except RuntimeError as error:
            if "cannot cache function" not in str(error):
                raise
            return compiler()(function)
        CACHED.append(compiled)
        return compiled

    return compile_now


def _calling(_context: Any, address: Any, first: Any, second: Any, third: Any, fourth: Any) -> Any:
    def call(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(context.get_value_type(types.void), [ir.IntType(64)] * 4)
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(address, first, second, third, fourth), call


# Call the part at an address, in compiled code.
call_part: Any = intrinsic(_calling)


def _fingerprint(modules: tuple[ModuleType, ...]) -> str:
    """Short digest of the modules' source and this one's; they are files of this application, so they can be read."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for module in modules:
        digest.update(Path(module.__file__ or "").read_bytes())
    return digest.hexdigest()[:12]


def cached_as() -> list[tuple[str, str]]:
    """Folder of the cache, and how the names of its files there begin, of every kernel and part that is loaded."""
    told = []
    for kernel in CACHED:
        function, code = kernel.__wrapped__, kernel.__wrapped__.__code__
        name = f"{Path(code.co_filename).stem}.{function.__qualname__}-{code.co_firstlineno}."
        told.append((_cache_of(function).cache_path, name))
    return told
