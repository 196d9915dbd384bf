"""Noise without memory: numbers computed from a counter, the same bits on every machine.

Only integer arithmetic and operations that IEEE 754 rounds exactly (+ - * / and sqrt) are used: `libm` and
vectorised `exp` differ between processors by a last bit, and a simulated market must not.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

Counters = NDArray[np.int64]
Floats = NDArray[np.float64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_LOW_16: Final = np.uint64(0xFFFF)
_SHIFTS: Final = tuple(np.uint64(shift) for shift in (16, 32, 48))
# Four 16-bit uniforms: their mean and the inverse of their standard deviation.
_MEAN: Final = 4 * 65_535 / 2
_PER_DEVIATION: Final = 1.7320508075688772 / 65_536

_LOG2_E: Final = 1.4426950408889634
# ln 2 in two parts, so that the reduction loses no digits.
_LN2_HIGH: Final = 0.6931471803691238
_LN2_LOW: Final = 1.9082149292705877e-10
_EXP_TERMS: Final = tuple(1.0 / divisor for divisor in (6_227_020_800, 479_001_600, 39_916_800, 3_628_800, 362_880))
_EXP_TERMS_LOW: Final = tuple(1.0 / divisor for divisor in (40_320, 5_040, 720, 120, 24, 6, 2, 1, 1))


def key_of(*parts: object) -> int:
    """A 64-bit key from any words and numbers."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def hashed(keys: NDArray[np.uint64], counters: Counters) -> NDArray[np.uint64]:
    """splitmix64 of each counter under each key; the shapes broadcast.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014), the mixing function.
    """
    mixed = counters.astype(np.uint64) * _GOLDEN + keys
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    return mixed ^ (mixed >> np.uint64(31))


def normal(keys: NDArray[np.uint64], counters: Counters) -> Floats:
    """Near-normal deviates (sum of four uniforms): mean 0, deviation 1, within +-3.47; the shapes broadcast."""
    bits = hashed(keys, counters)
    total = bits & _LOW_16
    for shift in _SHIFTS:
        total = total + ((bits >> shift) & _LOW_16)
    return (total.astype(np.float64) - _MEAN) * _PER_DEVIATION


def exact_exp(power: Floats) -> Floats:
    """Raise e to each power, within two units of the last place, by a fixed polynomial; any shape, |power| < 700."""
    doublings = np.rint(power * _LOG2_E)
    rest = (power - doublings * _LN2_HIGH) - doublings * _LN2_LOW
    result = np.full_like(rest, _EXP_TERMS[0])
    for term in (*_EXP_TERMS[1:], *_EXP_TERMS_LOW):
        result = result * rest + term
    return np.asarray(np.ldexp(result, doublings.astype(np.int32)))
