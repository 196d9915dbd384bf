"""What is held without the exits that were approved with it, and why: for a person to see to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from engines.confirmation.wording import plain
from engines.domain.orders import OPEN_ORDER_STATUSES, Order
from engines.domain.trading_state import Standing
from engines.execution.protection import is_undecided
from engines.ledger.ledger import Ledger

Cause = Literal["missing", "halted", "refused", "unknown", "passing"]

# Between an entry's fill and its exits, or an exit and the next, a desk that works needs no longer.
_AT_MOST: Final = timedelta(seconds=30)
_UNDECIDED: Final = "it is not known yet whether its venue holds the exits, and until then the desk sends none"
DUE: Final = "It is due and "
HALTED: Final = "trading is halted"
# Less of a coin than this is what a lot leaves over, not a position.
_DUST: Final = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Gap:
    """An entry that is held, all of it or a part, without its stop-loss at work.

    Attributes:
        quantity: held and unprotected, base units.
        stop_loss: the price that was approved; None for an entry that was only to be left above.
        exit_id: the exit that is not at work; None where there never was one.
        cause: what is wrong; while it is `passing`, the desk is seeing to it and no person has to.
    """

    account: str
    symbol: str
    entry_id: str
    quantity: Decimal
    stop_loss: Decimal | None
    why: str
    cause: Cause
    exit_id: str | None = None

    @property
    def told(self) -> str:
        """`0.1 BTC/USDT is not protected (stop-loss 48,000): ...`."""
        level = f" (stop-loss {plain(self.stop_loss)})" if self.stop_loss is not None else ""
        return f"{plain(self.quantity)} {self.symbol} is not protected{level}: {self.why}."


def unprotected(
    ledger: Ledger, now: datetime, *, accounts: Collection[str] | None = None, within: str = ""
) -> tuple[Gap, ...]:
    """Every position whose approved exits are not at work now, the oldest first.

    Holdings that were bought without a stop-loss are not among them, nor is what an exit is being sold for.

    Args:
        now: the wall's time: what lasts too long is not passing any more.
        accounts: only of these; of every account when None.
        within: how the ids of the accounts begin; empty for all.
    """
    nowhere = ledger.unprotected_entries(within=within)
    entries = {entry.id: entry for entry in (*ledger.entries_to_guard(within=within), *nowhere)}
    found = (gap_of(each, ledger, now) for each in entries.values() if accounts is None or each.account in accounts)
    return tuple(gap for gap in found if gap is not None)


def gap_of(entry: Order, ledger: Ledger, now: datetime) -> Gap | None:
    """What of an entry is held without its stop-loss, or, while trading is halted, without any exit that is sent."""
    exits = ledger.exits_of(entry.id)
    stops = [order for order in exits if order.order_type == "stop"]
    stop = _at_work(stops)
    standing = ledger.standing_state(entry.account)
    if is_undecided(entry, exits, ledger=ledger):
        told = None
        cause: Cause
        if standing.state == "halted":
            why = f"its venue is not known to hold the exits, and none is sent while {HALTED} ({standing.reason})"
            cause = "halted"
        else:
            why, cause = _UNDECIDED, _lasting("unknown", entry, now)
    elif stop is None and (entry.stop_loss is not None or not exits):
        why, told, cause = _why(stops, entry, ledger, now)
    else:
        told = stop or _at_work(exits)
        why, cause = _held_up(told, standing) if told is not None else ("", "passing")
    if not why:
        return None
    quantity = ledger.left_to_guard(entry)
    if quantity <= _DUST:
        return None
    exit_id = told.id if told is not None else None
    return Gap(entry.account, entry.symbol, entry.id, quantity, entry.stop_loss, why, cause, exit_id)


def _at_work(exits: list[Order] | tuple[Order, ...]) -> Order | None:
    return next((order for order in exits if order.status in OPEN_ORDER_STATUSES), None)


def _lasting(cause: Cause, since: Order, now: datetime) -> Cause:
    return "passing" if now - since.updated_at < _AT_MOST else cause


def _why(stops: list[Order], entry: Order, ledger: Ledger, now: datetime) -> tuple[str, Order | None, Cause]:
    """Why there is no stop-loss."""
    if not stops:
        return "its stop-loss could not be seen to yet", None, _lasting("missing", entry, now)
    newest = max(stops, key=lambda order: (order.created_at, len(order.id), order.id))
    if any(ledger.was_taken_back(order) for order in stops):
        return "a person cancelled its stop-loss, and the desk put none in its place", newest, "missing"
    if ledger.is_exhausted(newest):
        return "its stop-loss was tried as often as it can be; sell it, or ask for another", newest, "missing"
    return "its stop-loss ended and the next one is not there yet", newest, _lasting("missing", newest, now)


def _held_up(leg: Order, standing: Standing) -> tuple[str, Cause]:
    """Why an exit that is there does not protect; empty when it does."""
    if leg.status == "needs_operator":
        return f"nobody knows what became of its exit {leg.id}: look at the venue ({leg.reason})", "unknown"
    if leg.waits_at_desk and standing.state == "halted":
        return f"the desk holds its exits and sends none while trading is halted ({standing.reason})", "halted"
    if leg.waits_at_desk and leg.reason.startswith(DUE):
        # What a halt held back that is lifted by now is sent with the next round.
        cause: Cause = "passing" if HALTED in leg.reason else "refused"
        return f"its exit is not sent. {leg.reason.rstrip('.')}", cause
    return "", "passing"
