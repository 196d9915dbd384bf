"""Order ids in Kraken's form, which can be read back as ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engines.errors import InvalidRequest

_OURS: Final = re.compile(r"qtp-([0-9a-f]{24})(-sl|-tp|-g[st](?:[1-9][0-9]?)?)?")
_THEIRS: Final = re.compile(r"71747000([0-9a-f]{24})|717470(0[1-4]|[1-9a-d][0-9a-f])([0-9a-f]{24})")
# "qtp" in hexadecimal, then what the order is: an id of Kraken's form that can be read back.
_MARK: Final = "717470"
# Successors of guarded exits are numbered 1 to 99.
_PART: Final[Mapping[str, str]] = {"": "00", "-sl": "01", "-tp": "02", "-gs": "03", "-gt": "04"} | {
    f"-g{leg}{number}": f"{14 + 2 * number + (leg == 't'):02x}" for number in range(1, 100) for leg in "st"
}


def kraken_id(client_order_id: str) -> str:
    """The 32 hexadecimal digits that Kraken knows our order by; `own_id` reads them back.

    Raises:
        InvalidRequest: it is not an id of this desk.
    """
    ours = _OURS.fullmatch(client_order_id)
    if ours is None:
        raise InvalidRequest(f"Kraken cannot take the order id {client_order_id!r}: it is not one of this desk's.")
    return f"{_MARK}{_PART[ours[2] or '']}{ours[1]}"


def own_id(kraken: str) -> str | None:
    """Our id behind one of Kraken's; None when the order is not ours."""
    theirs = _THEIRS.fullmatch(kraken.replace("-", ""))
    if theirs is None:
        return None
    part = next((part for part, code in _PART.items() if code == (theirs[2] or "00")), None)
    if part is None:
        return None
    return f"qtp-{theirs[1] or theirs[3]}{part}"
