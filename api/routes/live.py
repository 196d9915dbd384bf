"""Real money: arming the desk for a while, and comparing its ledger with the venue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from agents.live import LiveDesk
from api.auth import Admin, Approver, Principal, Reader
from api.dependencies import DeskDep
from api.live_views import live_view, reconciliation_view
from api.problems import problems
from api.schemas.live import Accepted, AcceptRequest, ArmRequest, LiveStanding, Reconciliation
from engines.errors import Conflict, NotFound

router = APIRouter(prefix="/v1", tags=["live"])


def _live(desk: DeskDep) -> LiveDesk:
    live = desk.services.live
    if live is None:
        raise Conflict(
            "This desk trades on paper: there is nothing to arm, and no venue to compare with.",
            remedy="QTP_MODE=live, with all that the README names for it, makes a live one.",
        )
    return live


LiveDep = Annotated[LiveDesk, Depends(_live)]


@router.post("/arm", operation_id="arm_desk", summary="Let live orders pass for a while", responses=problems(409))
def arm(body: ArmRequest, caller: Admin, live: LiveDep) -> LiveStanding:
    """Approved orders reach the venue from now on for so many minutes. A restart ends it; every order still needs
    its own approval."""
    live.gate.arm(body.minutes, by=caller.name)
    return live_view(live)


@router.post("/disarm", operation_id="disarm_desk", summary="Let no live order pass", responses=problems(409))
def disarm(caller: Approver, live: LiveDep) -> LiveStanding:
    """No order passes any more; cancels still do. Doing it again does no harm."""
    live.gate.disarm(by=caller.name)
    return live_view(live)


@router.get(
    "/reconciliation",
    operation_id="get_reconciliation",
    summary="How ledger and venue compare",
    responses=problems(404, 409),
)
def reconciliation(caller: Reader, desk: DeskDep, live: LiveDep) -> Reconciliation:
    """The last comparison with the venue: balances, differences, and external orders, which this desk never touches."""
    _require_own(caller, desk, live)
    return _newest(desk, live)


@router.post(
    "/reconciliation",
    operation_id="reconcile_account",
    summary="Compare ledger and venue now",
    responses=problems(404, 409, 503),
)
def reconcile_now(caller: Approver, desk: DeskDep, live: LiveDep) -> Reconciliation:
    """Look up what is unclear, take missed fills over, compare balances. A difference that stays halts the account."""
    _require_own(caller, desk, live)
    live.compare("request")
    return _newest(desk, live)


@router.post(
    "/reconciliation/accept",
    operation_id="accept_differences",
    summary="Explain the differences of a comparison",
    responses=problems(404, 409),
)
def accept(body: AcceptRequest, caller: Admin, desk: DeskDep, live: LiveDep) -> Accepted:
    """Book what the newest comparison found as moved by a person, such as a deposit. `resume` then lifts the halt."""
    booked = desk.ledger.accept_differences(live.gate.account, body.number, reason=body.reason, by=caller.name)
    return Accepted(booked={currency: f"{amount:f}" for currency, amount in booked.items()})


def _newest(desk: DeskDep, live: LiveDesk) -> Reconciliation:
    recorded = desk.ledger.reconciliation(live.gate.account)
    if recorded is None:
        raise NotFound(
            f"{live.gate.account} was not compared with {live.gate.venue} yet.", remedy="POST /v1/reconciliation."
        )
    return reconciliation_view(recorded, desk.ledger.external_orders(live.gate.account), live)


def _require_own(caller: Principal, desk: DeskDep, live: LiveDesk) -> None:
    if desk.account_id(caller.owner) != live.gate.account and "admin" not in caller.scopes:
        raise NotFound("The venue's account is somebody else's.", remedy="Ask with a key of its owner.")
