"""Quantum Cipher: wave trend, money flow, RSI, Stoch RSI, Schaff cycle, divergences, crosses and dots.

`params` holds the settings and `presets` those that have a name, `panel` the results and the way to them, `layout` what
a panel is made of, `primitives`, `divergences` and `kernels` the compiled arithmetic, `stream` and `block` the same
candle by candle and symbol by symbol, `reading` what the last candle says in words. Importing the package loads no
compiler; the first panel does.
"""

from engines.cipher.block import BlockUpdate, CipherBlock
from engines.cipher.cipher_a import compute_cipher_a
from engines.cipher.layout import CORE_COLUMNS, EVENT_NAMES, VALUE_COLUMNS
from engines.cipher.panel import WARM_UP, CipherEvent, CipherPanel, compute_core, compute_panel
from engines.cipher.params import VUMANCHU_A, VUMANCHU_B, CipherAParams, CipherParams
from engines.cipher.presets import PRESETS, preset
from engines.cipher.stream import CipherStream, CipherUpdate

__all__ = [
    "CORE_COLUMNS",
    "EVENT_NAMES",
    "PRESETS",
    "VALUE_COLUMNS",
    "VUMANCHU_A",
    "VUMANCHU_B",
    "WARM_UP",
    "BlockUpdate",
    "CipherAParams",
    "CipherBlock",
    "CipherEvent",
    "CipherPanel",
    "CipherParams",
    "CipherStream",
    "CipherUpdate",
    "compute_cipher_a",
    "compute_core",
    "compute_panel",
    "preset",
]
