"""Quantum Cipher: wave trend, money flow, RSI, Stoch RSI, crosses and dots.

`params` holds the settings, `panel` the results and the way to them, `kernels` the compiled arithmetic, `reading` what
the last candle says in words. Importing the package loads no compiler; the first panel does.
"""

from engines.cipher.panel import WARM_UP, CipherEvent, CipherPanel, compute_panel
from engines.cipher.params import VUMANCHU_B, CipherParams

__all__ = ["VUMANCHU_B", "WARM_UP", "CipherEvent", "CipherPanel", "CipherParams", "compute_panel"]
