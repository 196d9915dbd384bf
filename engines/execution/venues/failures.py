"""What a failed call proves: that the venue refused, that it knows the order already, or nothing.

Read by the exact class of ccxt's error, the venue's own code and the HTTP status together. A class alone proves little:
ccxt gives plain `ExchangeError` to a body that was cut short, and `BadRequest` to "submitted for processing".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["refused", "duplicate", "missing", "unknown"]

_REQUEST: Final = re.compile(r"\b(GET|POST|PUT|DELETE) \S+")
_LONGEST: Final = 160


class NoAnswer(Exception):
    """A venue was asked and the answer proves nothing."""

    @property
    def told(self) -> str:
        """The gist in one line, without addresses, signatures and web pages."""
        words = " ".join(_REQUEST.sub("HTTP", str(self)).partition("<")[0].split())
        return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."


class Unproven(NoAnswer):
    """A document that does not show that it speaks of our order."""


class CallFailed(NoAnswer):
    """A call that gave no document.

    Attributes:
        kind: name of the exact class that ccxt raised.
        status: HTTP status of the reply; None when none arrived.
        code: the venue's own error code or text; empty when the reply had none.
    """

    def __init__(self, kind: str, message: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class FailureTable:
    """What is proven at one venue.

    Attributes:
        refused: exact classes by code: with such a reply the venue has not booked the order.
        limited: exact classes by HTTP status of replies that say "too many requests" and need no code.
        duplicates: codes, with a word of their message where the code has other meanings.
        missing: codes of look-ups and cancels for an order that is not there, or not open.
    """

    refused: Mapping[str, frozenset[str]]
    limited: Mapping[int, frozenset[str]]
    duplicates: Mapping[str, str]
    missing: frozenset[str]

    def reading(self, failure: CallFailed) -> Verdict:
        """What a failure proves; `unknown` in every case that is not listed."""
        if failure.status is None or failure.status >= 500:
            return "unknown"
        if failure.kind in self.limited.get(failure.status, ()):
            return "refused"
        word = self.duplicates.get(failure.code)
        if word is not None and word in str(failure):
            return "duplicate"
        if failure.code in self.missing:
            return "missing"
        return "refused" if failure.kind in self.refused.get(failure.code, ()) else "unknown"


def codes(kind: str, *names: str) -> dict[str, frozenset[str]]:
    """Rows of a table for codes that come with one class."""
    return dict.fromkeys(names, frozenset({kind}))
