"""Presets of the Cipher panels by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engines.cipher.params import VUMANCHU_A, VUMANCHU_B, CipherAParams, CipherParams
from engines.errors import InvalidRequest

# The original scripts come first; the next two are forks of B that traders know: candles smoothed beforehand with
# the two level pairs swapped, and a wider money flow with a stricter gold dot. The last one repaints: it shows diamonds
# as charts of the past do, for comparing pictures.
PRESETS: Final[Mapping[str, CipherParams | CipherAParams]] = MappingProxyType(
    {
        params.name: params
        for params in (
            VUMANCHU_B,
            VUMANCHU_A,
            CipherParams(
                name="mcb_fixed",
                heikin_ashi=True,
                overbought=60.0,
                overbought_2=53.0,
                oversold=-60.0,
                oversold_2=-53.0,
                oversold_3=-100.0,
                money_flow_multiplier=175.0,
            ),
            CipherParams(name="wide_flow", money_flow_multiplier=250.0, gold_fall=-7.0, gold_rsi=25.0),
            CipherParams(name="vumanchu_b_tv_parity", tv_parity=True),
        )
    }
)


def preset(name: str) -> CipherParams | CipherAParams:
    """Return the settings that go by this name.

    Raises:
        InvalidRequest: there are none; the message names those there are.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise InvalidRequest(
            f"{name!r} is not a preset of the Cipher panel.", remedy=f"Use one of {', '.join(PRESETS)}."
        ) from None


def closed_preset(name: str) -> CipherParams | CipherAParams:
    """Return settings of this name whose marks stay where they are: longer candles count once they have closed.

    Raises:
        InvalidRequest: there are none, or they repaint.
    """
    params = preset(name)
    if params.repaints:
        raise InvalidRequest(
            f"The preset {name!r} repaints: it uses candles of a longer timeframe before they have closed.",
            remedy=f"Use {VUMANCHU_B.name}, which waits for them.",
        )
    return params
