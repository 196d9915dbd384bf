"""Every error raised on purpose, by what its reader can do about it.

QuantumTraderError
├── InvalidRequest        the caller can fix it: bad symbol, bad quantity, contradictory order
│   ├── NotFound          there is no such thing for this owner
│   └── Conflict          somebody was faster, or it changed: already decided, hash differs
│       └── Expired       its time is over: ask again
├── InsufficientData      more candles or volume are needed; says how many there are
├── RiskDenied            final: a limit says no; names the limit, its value and ours
├── VenueError
│   ├── VenueUnavailable  nothing was sent, or a read failed: try again later
│   ├── OrderRejected     the venue said no, with its reason
│   └── OutcomeUnknown    something was sent and nobody knows: look up, never resend
└── ConfigurationError    the operator can fix it; names the setting
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar


class QuantumTraderError(Exception):
    """Base of all errors raised on purpose.

    `code` is stable and machine readable; `remedy` says what to do next, in one sentence.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InvalidRequest(QuantumTraderError):
    """The caller can fix it and try again."""

    code = "invalid_request"


class NotFound(InvalidRequest):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"


class Conflict(InvalidRequest):
    """It was decided, superseded or changed before this call."""

    code = "conflict"


class Expired(Conflict):
    """Its time is over."""

    code = "expired"


class InsufficientData(QuantumTraderError):
    """More candles or volume are needed; the message says how many there are."""

    code = "insufficient_data"


class RiskDenied(QuantumTraderError):
    """A limit says no. The message names the limit, its value and ours.

    `largest` is the quantity, in base units, that every limit lets pass now; None when none does.
    """

    code = "risk_denied"

    def __init__(self, message: str, *, remedy: str = "", largest: Decimal | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.largest = largest


class VenueError(QuantumTraderError):
    """A market or venue did not do what was asked."""

    code = "venue_error"


class VenueUnavailable(VenueError):
    """Nothing was sent, or a read failed."""

    code = "venue_unavailable"


class OrderRejected(VenueError):
    """The venue proved that it did not take the order."""

    code = "order_rejected"


class OutcomeUnknown(VenueError):
    """Something was sent and it is not known what became of it."""

    code = "outcome_unknown"


class ConfigurationError(QuantumTraderError):
    """The operator can fix it; the message names the setting."""

    code = "configuration_error"
