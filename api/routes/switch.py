"""The kill switch: halting and resuming."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from agents.runtime import Desk
from api.auth import Principal, authenticate
from api.dependencies import DeskDep
from api.problems import Forbidden, problems
from api.schemas.switch import (
    CancelResult,
    HaltRequest,
    ResumeRequest,
    SwitchOutcome,
    TradingStanding,
    UnprotectedPosition,
)
from api.unprotected_views import unprotected_view
from engines.execution.switch import Cancelled, cancel_all, halt, resume
from engines.ledger.halt_file import HaltFile

router = APIRouter(prefix="/v1", tags=["system"])


def _may_switch(caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
    if not caller.scopes & {"approve", "admin"}:
        raise Forbidden(
            "This needs the scope 'approve' (own account) or 'admin' (the whole desk).",
            remedy="Create a key with it: `quantum-trader keys create NAME --scope approve`.",
        )
    return caller


Switcher = Annotated[Principal, Depends(_may_switch)]


@router.post("/halt", operation_id="halt_trading", summary="Stop all trading", responses=problems(422))
def halt_trading(body: HaltRequest, caller: Switcher, desk: DeskDep) -> SwitchOutcome:
    """Deny everything but cancels from now on: for the whole desk with `admin`, else for the caller's account.

    It outlives restarts, and pressing it again does no harm. With `cancel_all` every open order is cancelled and told.
    `unprotected` names every position whose stop-loss is not at work from now on: while halted, the desk sends none.
    """
    account = None if "admin" in caller.scopes else desk.account_id(caller.owner)
    halt_file = HaltFile.of(desk.settings.home)
    standing = halt(desk.ledger, halt_file, reason=body.reason, by=caller.name, account=account)
    told: tuple[Cancelled, ...] = ()
    if body.cancel_all == "yes":
        accounts = None if account is None else desk.ledger.accounts(caller.owner)
        told = cancel_all(
            desk.ledger,
            desk.broker,
            clock=desk.clock,
            by=caller.name,
            accounts=accounts,
            within=desk.services.orders.within,
            per_second=desk.services.orders.limits.max_cancels_per_second,
        )
    return SwitchOutcome(
        trading=TradingStanding.of(standing),
        orders=[_result(each) for each in told],
        unprotected=_unprotected(caller, desk),
    )


@router.post("/resume", operation_id="resume_trading", summary="Trade again", responses=problems(422))
def resume_trading(body: ResumeRequest, caller: Switcher, desk: DeskDep) -> SwitchOutcome:
    """Lift the restrictions of the caller's account and, with `admin`, those of the desk and the halt file."""
    account, is_admin = desk.account_id(caller.owner), "admin" in caller.scopes
    if not is_admin and desk.ledger.standing_state(None).state != "active":
        raise Forbidden(
            "The whole desk is restricted, and only a key with the scope 'admin' lifts that.",
            remedy="Ask who runs the desk: quantum-trader resume.",
        )
    accounts = desk.ledger.accounts(caller.owner)
    resume(desk.ledger, reason=body.reason, by=caller.name, accounts=accounts, desk=is_admin)
    standing = TradingStanding.of(desk.ledger.standing_state(account))
    return SwitchOutcome(trading=standing, orders=[], unprotected=_unprotected(caller, desk))


def _unprotected(caller: Principal, desk: Desk) -> list[UnprotectedPosition] | None:
    accounts = None if "admin" in caller.scopes else desk.ledger.accounts(caller.owner)
    return unprotected_view(desk.ledger, desk.clock.now(), accounts=accounts, within=desk.services.orders.within)


def _result(told: Cancelled) -> CancelResult:
    return CancelResult(
        order_id=told.order_id,
        account=told.account,
        symbol=told.symbol,
        text=told.words,
        status=told.status,
        done=told.is_done,
        detail=told.detail,
    )
