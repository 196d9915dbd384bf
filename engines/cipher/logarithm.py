"""Natural logarithm of many prices at once, the same bits whether one is asked for or a thousand. Loads numba.

The library's own takes one number at a time. Source: the reduction to [sqrt(1/2), sqrt(2)] and the odd series with the
coefficients that fdlibm publishes (Sun Microsystems 1993), off by less than one unit in the last place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.compiled import step

Floats = NDArray[np.float64]
Bits = NDArray[np.uint64]

_FRACTION = np.uint64(0x000FFFFFFFFFFFFF)
_EXPONENT = np.uint64(52)
# Added to a number's bits this makes the exponent's field change at sqrt(1/2) instead of at 1.
_SHIFT = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
_ROOT = np.uint64(0x3FE6A09E667F3BCD)
# A whole number below 2**52 in the fraction of 2**52 is that sum; the exponent's bias goes with it.
_WHOLE = np.uint64(0x4330000000000000)
_WHOLE_AND_BIAS = 4503599627370496.0 + 1023.0
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_C1, _C2, _C3 = 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01
_C4, _C5 = 2.222219843214978396e-01, 1.818357216161805012e-01
_C6, _C7 = 1.531383769920937332e-01, 1.479819860511658591e-01


@step
def log_pass(x: Floats, parts: Bits, power: Floats, powers: Bits) -> None:
    """Logarithm of positive normal numbers, in place.

    Args:
        parts: the bits of x.
        power, powers: scratch, and its bits.
    """
    for t in range(len(x)):
        shifted = parts[t] + _SHIFT
        powers[t] = (shifted >> _EXPONENT) | _WHOLE
        parts[t] = (shifted & _FRACTION) + _ROOT
    for t in range(len(x)):
        twos, f = power[t] - _WHOLE_AND_BIAS, x[t] - 1.0
        s, half = f / (2.0 + f), 0.5 * f * f
        z = s * s
        w = z * z
        series = z * (_C1 + w * (_C3 + w * (_C5 + w * _C7))) + w * (_C2 + w * (_C4 + w * _C6))
        x[t] = s * (half + series) + twos * _LN2_LOW - half + f + twos * _LN2_HIGH
