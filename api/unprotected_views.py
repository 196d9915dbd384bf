"""Positions that nothing protects, as clients are told of them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from api.schemas.switch import UnprotectedPosition
from engines.execution.unprotected import unprotected
from engines.ledger.ledger import Ledger

_LOGGER: Final = logging.getLogger(__name__)


def unprotected_view(
    ledger: Ledger, now: datetime, *, accounts: Collection[str] | None, within: str
) -> list[UnprotectedPosition] | None:
    """Every position whose stop-loss is not at work and that a person has to see to; None when nobody can tell.

    A switch that was pressed has to answer even when the database does not.
    """
    try:
        gaps = unprotected(ledger, now, accounts=accounts, within=within)
    except SQLAlchemyError:
        _LOGGER.exception("the unprotected positions cannot be read")
        return None
    return [UnprotectedPosition.of(gap) for gap in gaps if gap.cause != "passing"]
