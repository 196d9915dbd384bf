"""Real money: what must be there together before a live broker is made, and the one place that makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engines.confirmation.risk import default_limits
from engines.domain.orders import Mode
from engines.errors import ConfigurationError
from engines.execution.limits_file import load_limits

if TYPE_CHECKING:
    from engines.confirmation.risk import RiskLimits
    from engines.execution.venues import Credentials, OpenedVenue, VenueName

UNDERSTOOD: Final = "I_UNDERSTAND"


@dataclass(frozen=True, slots=True)
class LiveParts:
    """What the operator set; empty where they did not.

    Attributes:
        switch: has to be `UNDERSTOOD`, and has to come from the environment of this run.
        venue: the market's name; it has to be a venue that orders can be sent to.
        passphrase: what OKX gives with a key besides.
    """

    mode: Mode
    switch: str
    venue: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    limits_file: Path | None
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LivePermit:
    """Every part is there; only `permit_live` makes one, and nothing else opens a live broker.

    Attributes:
        is_exercised: the venue's broker was proven against faults; of others only requests and answers were tested.
    """

    venue: VenueName
    credentials: Credentials
    limits: RiskLimits
    is_exercised: bool


def missing_parts(parts: LiveParts) -> tuple[str, ...]:
    """What keeps a desk from trading live, one sentence each; empty when it may."""
    from engines.execution.venues import VENUES

    venues = ", ".join(VENUES)
    wanting = {
        "QTP_MODE has to be live.": parts.mode == "live",
        f"QTP_LIVE_TRADING has to be {UNDERSTOOD}, in the environment of this run.": parts.switch == UNDERSTOOD,
        f"QTP_MARKET has to be a venue that orders can be sent to ({venues}); it is {parts.venue!r}.": (
            parts.venue in VENUES
        ),
        "QTP_VENUE_API_KEY has to hold the venue's key.": bool(parts.key.strip()),
        "QTP_VENUE_API_SECRET has to hold the key's secret.": bool(parts.secret.strip()),
        "QTP_VENUE_API_PASSPHRASE has to hold the passphrase that OKX gave with the key.": (
            parts.venue != "okx" or bool(parts.passphrase.strip())
        ),
        "QTP_LIMITS_FILE has to name a file of risk limits.": parts.limits_file is not None,
    }
    return tuple(sentence for sentence, there in wanting.items() if not there)


def permit_live(parts: LiveParts, *, trades: bool = True) -> LivePermit:
    """Look at every part; nothing is sent and ccxt is not loaded.

    Args:
        trades: False for a process that only looks and cancels: its limits file is not read, so that a broken one
            keeps no order from being cancelled.

    Raises:
        ConfigurationError: a part is missing, each is named; or the limits file is wrong.
    """
    from engines.execution.venues import EXERCISED, VENUES, Credentials

    missing = missing_parts(parts)
    if missing or parts.limits_file is None:
        raise ConfigurationError(
            f"This desk does not trade live. {' '.join(missing)}",
            remedy="Set all of it, or trade on paper with QTP_MODE=paper.",
        )
    venue = next(name for name in VENUES if name == parts.venue)
    credentials = Credentials(parts.key, parts.secret, passphrase=parts.passphrase)
    limits = load_limits(parts.limits_file) if trades else default_limits()
    return LivePermit(venue, credentials, limits, is_exercised=venue in EXERCISED)


def open_live_venue(permit: LivePermit, *, account: str, configure: Callable[[Any], None] | None = None) -> OpenedVenue:
    """The broker and the stream of a venue's account; nothing is sent before their first use.

    Args:
        account: the ledger's account that stands for the venue's.
        configure: receives each ccxt exchange first. For rehearsals against another address; no setting reaches it,
            so that real keys cannot be led elsewhere by a variable.
    """
    from engines.execution.venues import open_venue_account

    return open_venue_account(permit.venue, permit.credentials, account=account, configure=configure)
