"""Finding one symbol among those a market lists."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from engines.domain.instruments import Instrument
from engines.errors import NotFound


def listed(symbol: str, instruments: Mapping[str, Instrument], *, market: str) -> Instrument:
    """The instrument of exactly this symbol.

    Raises:
        NotFound: it is not listed; the message names the nearest that are.
    """
    instrument = instruments.get(symbol)
    if instrument is None:
        raise NotFound(
            f"{symbol!r} is not listed on {market}.", remedy=f"Nearest: {', '.join(nearest(symbol, instruments))}."
        )
    return instrument


def nearest(symbol: str, instruments: Mapping[str, Instrument], *, count: int = 5) -> list[str]:
    """Listed symbols that look like this one: the same base first, then similar spellings, then any."""
    wanted = symbol.upper()
    base = wanted.partition("/")[0]
    same_base = sorted(name for name, each in instruments.items() if each.base == base)
    similar = get_close_matches(wanted, list(instruments), n=count, cutoff=0.5)
    return list(dict.fromkeys([*same_base, *similar, *sorted(instruments)]))[:count]
