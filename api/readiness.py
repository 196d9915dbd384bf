"""Whether everything the desk needs works, found out by using it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

from agents.runtime import Desk
from api.keys import LOCAL_OWNER
from api.schemas.system import Readiness

logger = logging.getLogger(__name__)


async def readiness(desk: Desk) -> Readiness:
    """Try database, market and graph."""
    attempts: dict[str, Callable[[], Awaitable[Any]]] = {
        "database": lambda: run_in_threadpool(desk.ledger.accounts, LOCAL_OWNER),
        "market": lambda: run_in_threadpool(desk.market.instruments),
        "graph": desk.check,
    }
    checks = {name: await _tried(name, attempt) for name, attempt in attempts.items()}
    works = all(result == "ok" for result in checks.values())
    return Readiness(status="ready" if works else "not_ready", checks=checks)


async def _tried(name: str, attempt: Callable[[], Awaitable[Any]]) -> str:
    try:
        await attempt()
    except Exception as error:
        # Process edge: whatever is wrong makes the desk not ready; callers without a key learn only what kind it is.
        logger.warning("not ready: %s", name, exc_info=True)
        return type(error).__name__
    return "ok"
