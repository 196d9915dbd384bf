"""What the caller's decisions cost or saved."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Reader
from api.dependencies import DeskDep
from api.problems import problems
from api.review_views import review_view
from api.schemas.review import Review

router = APIRouter(prefix="/v1", tags=["account"])


@router.get("/review", operation_id="get_review", summary="What decisions cost or saved", responses=problems(503))
def review(
    caller: Reader,
    desk: DeskDep,
    symbol: Annotated[str | None, Query(max_length=40, description="Only of this symbol.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="How many of the newest decisions.")] = 100,
) -> Review:
    """Rejected, expired and edited tickets, marked to the market as if approved at their price.

    And how often the confluence score was right, approved tickets included. Closed candles only; every road names
    the candles it rests on.
    """
    account_id = desk.account_id(caller.owner)
    return review_view(desk.ledger.review(account_id, desk.market, caller.owner, symbol=symbol, limit=limit))
