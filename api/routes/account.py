"""What the caller owns, and how it came about."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.auth import Reader
from api.cursors import decode_id, decode_number, decode_time_and_id, encode_cursor
from api.dependencies import Cursor, DeskDep, PageSize
from api.problems import problems
from api.schemas.account import AuditPage, Portfolio
from api.schemas.orders import FillPage, OrderPage
from api.views import audit_views, fill_view, order_view, portfolio_view

router = APIRouter(prefix="/v1", tags=["account"])

SymbolFilter = Annotated[str | None, Query(max_length=40, description="Only of this symbol.", examples=["BTC/USDT"])]


@router.get("/portfolio", operation_id="get_portfolio", summary="Cash, positions and profit", responses=problems(503))
def portfolio(caller: Reader, desk: DeskDep) -> Portfolio:
    """The caller's account, valued at the market's last prices."""
    account_id = desk.account_id(caller.owner)
    return portfolio_view(desk.ledger.portfolio(account_id, desk.market), desk.ledger.account(account_id))


@router.get("/orders", operation_id="list_orders", summary="Orders", responses=problems())
def orders(
    caller: Reader,
    desk: DeskDep,
    status: Literal["open", "all"] = "all",
    symbol: SymbolFilter = None,
    limit: PageSize = 50,
    cursor: Cursor = None,
) -> OrderPage:
    """Orders of the caller's account, newest first, stop-loss and take-profit orders included."""
    before = decode_time_and_id(cursor) if cursor is not None else None
    found = desk.ledger.orders(
        desk.account_id(caller.owner), status=status, symbol=symbol, limit=limit + 1, before=before
    )
    page = found[:limit]
    more = encode_cursor(page[-1].created_at.isoformat(), page[-1].id) if len(found) > limit else None
    return OrderPage(orders=[order_view(order) for order in page], next_cursor=more)


@router.get("/fills", operation_id="list_fills", summary="Executions", responses=problems())
def fills(
    caller: Reader, desk: DeskDep, symbol: SymbolFilter = None, limit: PageSize = 50, cursor: Cursor = None
) -> FillPage:
    """Fills of the caller's account, newest first."""
    before = decode_id(cursor) if cursor is not None else None
    found = desk.ledger.fills(desk.account_id(caller.owner), symbol=symbol, limit=limit + 1, before=before)
    page = found[:limit]
    more = encode_cursor(page[-1].id) if len(found) > limit else None
    return FillPage(fills=[fill_view(fill) for fill in page], next_cursor=more)


@router.get("/audit", operation_id="list_audit_records", summary="The audit trail", responses=problems())
def audit(
    caller: Reader,
    desk: DeskDep,
    ticket_id: Annotated[str | None, Query(max_length=64)] = None,
    limit: PageSize = 100,
    cursor: Cursor = None,
) -> AuditPage:
    """What happened to the caller's account and tickets, oldest first, chained by hash."""
    after = decode_number(cursor) if cursor is not None else 0
    found = desk.ledger.audit(ticket_id, owner=caller.owner, after=after, limit=limit + 1)
    page = found[:limit]
    more = encode_cursor(page[-1].seq) if len(found) > limit else None
    return AuditPage(records=audit_views(page), next_cursor=more)
