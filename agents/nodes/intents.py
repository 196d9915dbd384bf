"""What a proposal means for one account: an intent, unchecked, with the person's words beside it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engines.confirmation.wording import order_in_words
from engines.domain.orders import Order, OrderIntent
from engines.errors import InvalidRequest, NotFound
from engines.execution.replacing import change_of
from tools.good_till import end_of
from tools.orders import ProposeCancel, ProposeClose, ProposeOrder, ProposeReplace

if TYPE_CHECKING:
    from pydantic import BaseModel

    from agents.services import Services


def intent_of(
    proposal: BaseModel,
    services: Services,
    *,
    owner: str,
    thread_id: str,
    words: str,
    differences: tuple[str, ...],
) -> OrderIntent:
    """The intent of a proposal.

    Raises:
        InvalidRequest: its end is no time, or there is no position to close, or no open order to cancel.
        NotFound: the order to cancel does not exist.
    """
    account = services.account(owner)
    common: dict[str, Any] = {
        "account": account,
        "thread_id": thread_id,
        "user_words": words,
        "differences": differences,
    }
    match proposal:
        case ProposeOrder():
            return _order(proposal, services, common)
        case ProposeClose():
            return _close(proposal, services.position(account, proposal.symbol), common)
        case ProposeCancel():
            return _cancel(proposal, services.ledger.orders(account, status="open"), common)
        case ProposeReplace():
            return _replace(proposal, services.ledger.orders(account, status="open"), services, common)
        case _:
            raise TypeError(f"{type(proposal).__name__} is not a proposal")


def _order(proposal: ProposeOrder, services: Services, common: dict[str, Any]) -> OrderIntent:
    given = proposal.model_dump(exclude={"time_in_force", "good_till"})
    ends = end_of(proposal.good_till, services.clock.now()) if proposal.good_till is not None else None
    return OrderIntent(**given, time_in_force=proposal.time_in_force or "", good_till=ends, **common)


def _close(proposal: ProposeClose, held: Decimal, common: dict[str, Any]) -> OrderIntent:
    if not held:
        raise InvalidRequest(
            f"There is no open position in {proposal.symbol} to close.", remedy='"My positions" shows what is held.'
        )
    return OrderIntent(
        symbol=proposal.symbol,
        side="sell" if held > 0 else "buy",
        quantity=abs(held) * proposal.fraction,
        reduce_only=True,
        **common,
    )


def _cancel(proposal: ProposeCancel, open_orders: Sequence[Order], common: dict[str, Any]) -> OrderIntent:
    if proposal.order_id is not None:
        chosen = [order for order in open_orders if order.id == proposal.order_id]
        if not chosen:
            raise NotFound(f"There is no open order {proposal.order_id!r}.", remedy='"Open orders" lists them.')
    else:
        chosen = [
            order
            for order in open_orders
            if proposal.symbol in {None, order.symbol} and proposal.only in {None, _exit_kind(order)}
        ]
        if not chosen:
            of = f" in {proposal.symbol}" if proposal.symbol else ""
            what = f"open {proposal.only or 'order'}"
            raise InvalidRequest(f"There is no {what}{of} to cancel.", remedy='"Open orders" lists what is open.')
    first = chosen[0]
    return OrderIntent(
        symbol=first.symbol,
        side=first.side,
        quantity=sum((order.quantity - order.filled for order in chosen), Decimal(0)),
        kind="cancel",
        cancels=tuple(order.id for order in chosen),
        **common,
    )


def _exit_kind(order: Order) -> str:
    """What an order gets its account out by, "stop" or "target"; empty for any other."""
    if order.order_type == "stop" and order.side == "sell":
        return "stop"
    return "target" if order.parent_id is not None and order.order_type == "limit" else ""


def _replace(
    proposal: ProposeReplace, open_orders: Sequence[Order], services: Services, common: dict[str, Any]
) -> OrderIntent:
    old = _changed(proposal, open_orders)
    ends = end_of(proposal.good_till, services.clock.now()) if proposal.good_till is not None else None
    terms = change_of(
        old,
        **{"stop_price" if old.order_type == "stop" else "limit_price": proposal.price},
        quantity=proposal.quantity,
        stop_loss=proposal.stop_loss,
        take_profit=proposal.take_profit,
        time_in_force=proposal.time_in_force,
        good_till=ends,
    )
    return OrderIntent(**terms, **common)


def _changed(proposal: ProposeReplace, open_orders: Sequence[Order]) -> Order:
    """The one order that is meant."""
    if proposal.order_id is not None:
        chosen = [order for order in open_orders if order.id == proposal.order_id]
        if not chosen:
            raise NotFound(f"There is no open order {proposal.order_id!r}.", remedy='"Open orders" lists them.')
        return chosen[0]
    chosen = [order for order in open_orders if order.symbol == proposal.symbol and order.parent_id is None]
    if not chosen:
        raise InvalidRequest(
            f"No order waits in {proposal.symbol} that could be changed.", remedy='"Open orders" lists what is open.'
        )
    if len(chosen) > 1:
        listed = "; ".join(f"{order_in_words(order)} ({order.id})" for order in chosen)
        raise InvalidRequest(
            f"Several orders wait in {proposal.symbol}: {listed}.",
            remedy=f"Say which, for example `change order {chosen[0].id} to ...`.",
        )
    return chosen[0]
