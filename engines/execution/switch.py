"""The kill switch: halting whatever still works, cancelling what is open, and going on again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from engines.confirmation.wording import order_in_words
from engines.domain.clock import Clock
from engines.domain.orders import OPEN_ORDER_STATUSES, Order, OrderStatus
from engines.domain.trading_state import Standing
from engines.errors import QuantumTraderError
from engines.execution.broker import Broker
from engines.execution.cancel import cancel_order
from engines.ledger.halt_file import HaltFile
from engines.ledger.ledger import Ledger

_LOGGER: Final = logging.getLogger(__name__)

# A venue that does not answer is asked again this often before a person is told that it is unclear.
_ROUNDS: Final = 3
_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of one open order; `status` is where it stands now, `detail` why where it is not cancelled."""

    order_id: str
    account: str
    symbol: str
    words: str
    status: OrderStatus
    detail: str = ""

    @property
    def is_done(self) -> bool:
        """True when nothing of it is open any more."""
        return self.status not in OPEN_ORDER_STATUSES


def halt(ledger: Ledger, halt_file: HaltFile, *, reason: str, by: str, account: str | None = None) -> Standing:
    """Halt the desk, or one account, in the ledger; by file when the database fails.

    Raises:
        InvalidRequest: no reason.
        ConfigurationError: the database fails and the file cannot be written either.
    """
    try:
        return ledger.change_state("halted", reason=reason, by=by, account=account)
    except SQLAlchemyError:
        # Whoever presses the switch means it: an account that cannot be halted alone halts the desk.
        halt_file.write(reason)
        return halt_file.standing() or Standing("halted", reason, by)


def resume(ledger: Ledger, *, reason: str, by: str, accounts: tuple[str, ...], desk: bool) -> None:
    """Lift the restrictions of these accounts and, with `desk`, the desk's and the halt file.

    Raises:
        InvalidRequest: no reason.
        ConfigurationError: the halt file cannot be removed.
    """
    restricted = {standing.account for standing in ledger.restrictions()}
    for account in accounts:
        if account in restricted:
            ledger.change_state("active", reason=reason, by=by, account=account)
    if desk:
        ledger.change_state("active", reason=reason, by=by)


def cancel_all(
    ledger: Ledger,
    broker: Broker,
    *,
    clock: Clock,
    by: str,
    accounts: tuple[str, ...] | None = None,
    within: str = "",
    per_second: int = 10,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Cancelled, ...]:
    """Cancel every open order, protective ones included, and say what became of each.

    Doing it again is harmless: what is cancelled or filled is not touched. No cancel is dropped: one that the
    venue did not answer is sent again for a few rounds, and told as unclear after the last.

    Args:
        accounts: only of these; of every account when None.
        within: how the ids of the accounts begin that the broker serves; empty for all.
        per_second: more cancels than this are held up, never dropped.
        sleep: how to wait.

    Returns:
        One result for each order that was open, newest first; none when nothing was.
    """
    open_orders = [
        order
        for order in ledger.orders(status="open", limit=10_000, within=within)
        if accounts is None or order.account in accounts
    ]
    told: dict[str, Cancelled] = {}
    for number in range(_ROUNDS):
        waiting = [order for order in open_orders if order.id not in told or not told[order.id].is_done]
        if number and waiting:
            sleep(_PAUSE_SECONDS)
        for count, order in enumerate(waiting):
            if count and count % per_second == 0:
                sleep(1.0)
            told[order.id] = _cancelled(order, ledger, broker, clock)
    results = tuple(told[order.id] for order in open_orders)
    for account in dict.fromkeys(result.account for result in results):
        outcome = {result.order_id: result.status for result in results if result.account == account}
        ledger.note("all_cancelled", account=account, by=by, orders=outcome)
    return results


def _cancelled(order: Order, ledger: Ledger, broker: Broker, clock: Clock) -> Cancelled:
    try:
        outcome = cancel_order(order.id, ledger=ledger, broker=broker, clock=clock)
    except Exception as error:
        # Whoever presses the switch wants the others cancelled, whatever is wrong with this one.
        _LOGGER.exception("order %s could not be cancelled", order.id)
        why = error.message if isinstance(error, QuantumTraderError) else type(error).__name__
        return Cancelled(order.id, order.account, order.symbol, order_in_words(order), order.status, why)
    status, detail = outcome.order.status, outcome.detail or outcome.order.reason
    return Cancelled(order.id, order.account, order.symbol, order_in_words(order), status, detail)
