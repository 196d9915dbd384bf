"""Watching what accounts lose: one that has reached a loss limit may only reduce from then on."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Final

from engines.confirmation.risk import breaches
from engines.domain.trading_state import Standing
from engines.errors import QuantumTraderError
from engines.execution.context import OrderContext
from engines.execution.prepare import RISK_ENGINE
from engines.execution.situation import marks_of

_LOGGER: Final = logging.getLogger(__name__)


def watch_losses(context: OrderContext) -> tuple[Standing, ...]:
    """Look at the equity of every account on this desk's market; call it every few seconds.

    An account whose equity cannot be told now, because its market does not answer, is looked at again the next
    time: nothing is guessed.

    Returns:
        The states of the accounts that were put into REDUCING by this look.
    """
    prefix = f"{context.mode}-{context.market.name}-"
    found = []
    for account_id in context.ledger.accounts_within(prefix):
        try:
            standing = _looked_at(account_id, context)
        except QuantumTraderError as error:
            _LOGGER.warning("the equity of account %s cannot be told now: %s", account_id, error)
            continue
        if standing is not None:
            found.append(standing)
    return tuple(found)


def _looked_at(account_id: str, context: OrderContext) -> Standing | None:
    ledger, market = context.ledger, context.market
    account = ledger.account(account_id)
    marks = marks_of(account, market)
    held = sum((item.quantity * marks[item.symbol] for item in account.positions if item.quantity), Decimal(0))
    equity = account.balances.get(account.currency, Decimal(0)) + held
    ledger.observe_equity(account_id, equity, f"{market.now():%Y-%m-%d}", movements=account.movements)
    if ledger.standing_state(account_id).state != "active":
        return None
    reached = breaches(equity, account.currency, ledger.activity(account_id), context.limits)
    if not reached:
        return None
    return ledger.change_state("reducing", reason=" ".join(reached.values()), by=RISK_ENGINE, account=account_id)
