"""The HTTP surface of one desk.

request -> RequestLog -> OriginGuard -> BodyLimit -> route (who may: `api.auth`) -> desk or stores -> answer or problem
                                                     `-> runs: background work whose events connections watch
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from agents.opening import ConfigureExchange
from agents.runtime import Desk
from agents.settings import Settings
from api.auth import check_exposure, is_loopback
from api.chat import ChatGate
from api.guard import BodyLimit, OriginGuard, RequestLog, StartReport
from api.keys import KeyStore
from api.news import Newsroom
from api.news_store import NewsStore
from api.problems import install_problem_handlers
from api.recovery import recover_runs
from api.routes import account, agent, engines, live, market, news, review, switch, system, threads, tickets
from api.run_store import RunStore
from api.runs import Runs
from api.threads import ThreadStore
from engines.domain.clock import SystemClock
from engines.errors import QuantumTraderError
from engines.kernels import warm
from engines.storage.database import open_database

logger = logging.getLogger(__name__)

_PRUNE_SECONDS: Final = 6 * 3600
_DESCRIPTION: Final = (
    "A trading desk you talk to. Ask with POST /v1/agent/invoke; every figure of the answer comes with its source. "
    "Nothing is ordered before POST /v1/tickets/{ticket_id}/decision approves exactly that ticket."
)


def create_app(
    settings: Settings,
    *,
    chat: Callable[[], ASGIApp] | None = None,
    configure_exchange: ConfigureExchange | None = None,
) -> FastAPI:
    """The application of one desk, which opens and closes with it.

    Args:
        settings: of the desk; starting fails with `ConfigurationError` where they would expose it without keys.
        chat: makes the chat's application; called in a thread once the server is up. Without it there is no /chat.
        configure_exchange: as `open_services`.
    """
    gate = ChatGate(chat) if chat is not None else None
    app = FastAPI(
        title="Quantum Trader Pro",
        version=version("quantum-trader-pro"),
        description=_DESCRIPTION,
        servers=[{"url": address(settings), "description": "this desk"}],
        docs_url=None,
        redoc_url=None,
        lifespan=lambda app: _lifespan(app, settings, gate, configure_exchange),
    )
    app.state.settings = settings
    app.state.chat = gate
    install_problem_handlers(app)
    for part in (agent, news, threads, tickets, account, review, market, engines, switch, live, system):
        app.include_router(part.router)
    _add_pages(app, "/docs" if gate is None else "/chat")
    if gate is not None:
        app.mount("/chat", gate)
    # The last one added is the first one a request meets.
    app.add_middleware(BodyLimit)
    app.add_middleware(OriginGuard, loopback_only=is_loopback(settings.host), public_url=settings.public_url)
    app.add_middleware(RequestLog)
    app.add_middleware(StartReport, state=app.state)
    return app


def address(settings: Settings) -> str:
    """Where clients reach the desk."""
    if settings.public_url:
        return settings.public_url
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


@asynccontextmanager
async def _lifespan(
    app: FastAPI, settings: Settings, gate: ChatGate | None, configure_exchange: ConfigureExchange | None
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        try:
            await _open(app, settings, stack, configure_exchange)
        except QuantumTraderError as error:
            app.state.failure = error
            raise
        warming = asyncio.create_task(_warm_up(gate), name="warm-up")
        pruning = asyncio.create_task(_prune(app.state.runs.store), name="prune")
        telling = asyncio.create_task(app.state.newsroom.run(), name="news")
        yield
        pruning.cancel()
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        await app.state.runs.close()
        await warming  # it works in a thread, which cannot be stopped


async def _open(
    app: FastAPI, settings: Settings, stack: AsyncExitStack, configure_exchange: ConfigureExchange | None
) -> None:
    engine = await run_in_threadpool(open_database, "desk", home=settings.home, url=settings.database_url)
    stack.callback(engine.dispose)
    clock = SystemClock()
    app.state.keys = KeyStore(engine, clock)
    check_exposure(settings, app.state.keys)
    app.state.desk = desk = await Desk.open(settings, configure_exchange=configure_exchange)
    stack.push_async_callback(desk.close)
    app.state.runs = Runs(RunStore(engine, clock))
    app.state.threads = ThreadStore(engine)
    await recover_runs(app.state.runs.store, desk)
    app.state.newsroom = Newsroom(NewsStore(engine, clock), desk)


async def _prune(store: RunStore) -> None:
    while True:
        try:
            await run_in_threadpool(store.prune)
        except Exception:
            # Process edge: old rows can wait for the next round.
            logger.exception("old events and idempotency keys could not be dropped")
        await asyncio.sleep(_PRUNE_SECONDS)


async def _warm_up(gate: ChatGate | None) -> None:
    """Load what takes seconds behind the first answers: the compiled kernels, and only then the chat."""
    try:
        await run_in_threadpool(warm)
    except Exception:
        # Process edge: whoever needs a kernel loads it again, and is told what is wrong with it.
        logger.exception("the compiled kernels could not be loaded")
    if gate is not None:
        await gate.load()


def _add_pages(app: FastAPI, start: str) -> None:
    page = Path(__file__).with_name("docs.html").read_text(encoding="utf-8")
    # The page is self-contained, and may talk to nobody but this desk.
    policy = (
        "default-src 'none'; connect-src 'self'; img-src data:; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    )

    @app.get("/", include_in_schema=False)
    async def index() -> RedirectResponse:
        """Lead to the chat."""
        return RedirectResponse(start)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """Show what the surface offers, and try it out."""
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})
