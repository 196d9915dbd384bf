"""Whether the desk runs, and what it is."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.auth import Reader
from api.dependencies import DeskDep
from api.live_views import live_view
from api.problems import problems
from api.readiness import readiness
from api.schemas.switch import TradingStanding
from api.schemas.system import Health, MarketStreams, Readiness, Status
from api.unprotected_views import unprotected_view
from engines.errors import ConfigurationError, InsufficientData, VenueError
from engines.market.data import MarketData

router = APIRouter(tags=["system"])


@router.get("/healthz", operation_id="get_health", summary="Does the process answer?")
async def healthz() -> Health:
    """Always `ok` while the process serves."""
    return Health()


@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Does everything it needs work?",
    responses={503: {"model": Readiness, "description": "Something does not work; `checks` says what."}},
)
async def readyz(desk: DeskDep, response: Response) -> Readiness:
    """Database, market and graph, each tried out."""
    found = await readiness(desk)
    response.status_code = 200 if found.status == "ready" else 503
    return found


@router.get("/v1/status", operation_id="get_status", summary="What this desk is", responses=problems())
def status(caller: Reader, desk: DeskDep, request: Request) -> Status:
    """Market, mode, model, account, time, whether orders may be sent, and positions that nothing protects."""
    gate, account = request.app.state.chat, desk.account_id(caller.owner)
    return Status(
        version=request.app.version,
        mode=desk.services.orders.mode,
        market=desk.market.name,
        simulated=desk.market.simulated,
        model=desk.model_name,
        account=account,
        owner=caller.owner,
        now=desk.clock.now().isoformat(),
        market_time=_market_time(desk.market),
        trading=TradingStanding.of(desk.ledger.standing_state(account)),
        live=live_view(desk.services.live) if desk.services.live else None,
        chat_ready=gate is not None and gate.ready,
        market_streams=MarketStreams.of(desk.market),
        fills=desk.services.broker.model,
        unprotected=unprotected_view(
            desk.ledger,
            desk.clock.now(),
            accounts=desk.ledger.accounts(caller.owner),
            within=desk.services.orders.within,
        ),
    )


def _market_time(market: MarketData) -> str | None:
    try:
        return market.now().isoformat()
    except (ConfigurationError, InsufficientData, VenueError):
        # Nothing imported yet, or an outage: the desk is still one.
        return None
