"""Thousands of tickets at venues that answer three requests in ten wrongly; afterwards every digit has to agree."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from engines.domain.orders import OrderIntent
from engines.errors import Conflict, QuantumTraderError, RiskDenied
from engines.execution.prepare import prepare_ticket

from .desk import ACCOUNT, BTC, OWNER, Desk, exchange_of, open_account, open_desk, prepare_home
from .link import Handle, Link, control
from .verdict import compared, trade_id, unjournalled

RATE: Final = 0.3
_ROUTES: Final = ("create", "cancel", "lookup", "open_orders", "closed_orders", "fills", "time")
_KINDS: Final = (
    *("unavailable_before", "timeout_before", "drop_before", "unavailable_after", "timeout_after", "drop_after"),
    *("truncated", "html", "empty", "no_id", "other_id", "status_unknown", "timeout_code", "unknown_status"),
    *("hidden", "slow", "stale"),
)
_SECONDS: Final = 0.35
_ROUND: Final = 10
_PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Weathered:
    """What a storm left.

    Attributes:
        faults: requests that were answered wrongly, of `requests`.
        duplicates: accepts beyond the first of an order.
        lost: fills at the venue that the ledger has not.
        wrong: every difference between ledger and venue, one sentence each.
    """

    venue: str
    tickets: int
    sent: int
    accepted: int
    requests: int
    faults: int
    fills: int
    duplicates: int
    lost: int
    statuses: dict[str, int]
    wrong: tuple[str, ...]
    seconds: float


def weather(link: Link, venue: str, folder: Path, *, tickets: int, seed: int = 0) -> Weathered:
    """Carry out so many tickets, one after the other, and compare."""
    home, exchange = prepare_home(folder, f"storm-{venue}"), exchange_of(link, venue)
    started = time.monotonic()
    with control(link, venue) as door, open_desk(home, venue, exchange) as desk:
        door.clear()
        door.reset(money={"USDT": "100000"})
        open_account(desk)
        exchange.load_markets()
        door.chaos(seed=seed, rate=RATE, routes=_ROUTES, kinds=_KINDS, seconds=_SECONDS)
        storm = _Storm(desk, door, random.Random(seed))
        for _ in range(tickets):
            storm.one()
        door.clear()
        with suppress(TimeoutError):
            desk.settle_all(seconds=_PATIENCE)
        exchange.session.close()
        return _counted(desk, door, tickets, time.monotonic() - started)


class _Storm:
    def __init__(self, desk: Desk, door: Handle, dice: random.Random) -> None:
        self._desk = desk
        self._door = door
        self._dice = dice
        self._done = 0

    def one(self) -> None:
        """One ticket, from the question to whatever becomes of it."""
        self._done += 1
        if self._done % _ROUND == 0:
            self._others_trade()
            self._desk.settle()
        ticket = self._ask()
        self._desk.approve(ticket)
        with suppress(QuantumTraderError):
            self._desk.submit(ticket.id)

    def _ask(self) -> Any:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._desk.refresh()
                return prepare_ticket(self._wish(), self._desk.context, owner=OWNER)
            except Conflict:
                # An earlier order is unclear: it is looked up, and the person asks again.
                self._desk.settle()
                time.sleep(0.05)
            except RiskDenied:
                self._desk.settle()
            if time.monotonic() > deadline:
                raise TimeoutError("no ticket could be made for a minute")

    def _wish(self) -> OrderIntent:
        dice, ledger = self._dice, self._desk.ledger
        resting = [o for o in ledger.orders(ACCOUNT, status="open") if o.order_type == "limit" and o.parent_id is None]
        quantity = Decimal(dice.randrange(2, 40)) / 10_000
        if len(resting) > 10 or (resting and dice.random() < 0.2):
            chosen = dice.choice(resting)
            return OrderIntent(ACCOUNT, "thread-1", BTC, "buy", Decimal(0), kind="cancel", cancels=(chosen.id,))
        held = ledger.account(ACCOUNT).free("BTC") // Decimal("0.0001") * Decimal("0.0001")
        if held > Decimal("0.05") or (held > quantity and dice.random() < 0.4):
            return OrderIntent(ACCOUNT, "thread-1", BTC, "sell", max(quantity, held / 2 // quantity * quantity))
        if dice.random() < 0.4:
            price = Decimal(dice.choice(("49990", "49950", "50010", "49000")))
            return OrderIntent(ACCOUNT, "thread-1", BTC, "buy", quantity, order_type="limit", limit_price=price)
        return OrderIntent(ACCOUNT, "thread-1", BTC, "buy", quantity)

    def _others_trade(self) -> None:
        """Other people move the price to and fro, so that resting orders fill in parts and whole."""
        quantity = str(Decimal(self._dice.randrange(1, 50)) / 10_000)
        self._door.price(symbol=BTC, price="50000", depth=1, quantity="0.0005", gap="30")
        self._door.crowd(symbol=BTC, side="sell", quantity=quantity, price="49950")
        self._door.price(symbol=BTC, price="50000")


def _counted(desk: Desk, door: Handle, tickets: int, seconds: float) -> Weathered:
    wrong = (*unjournalled(desk, door), *compared(desk, door))
    truth, log = door.truth(), door.log()
    known = {trade_id(fill.id) for fill in _fills(desk)}
    statuses: dict[str, int] = {}
    for order in desk.ledger.orders(limit=1_000_000):
        statuses[order.status] = statuses.get(order.status, 0) + 1
    return Weathered(
        venue=door.venue,
        tickets=tickets,
        sent=sum(entry["route"] == "create" for entry in log),
        accepted=len(truth["accepts"]),
        requests=len(log),
        faults=sum(entry["fault"] is not None for entry in log),
        fills=len(truth["fills"]),
        duplicates=sum(count - 1 for count in truth["accepts"].values()),
        lost=sum(fill["id"] not in known for fill in truth["fills"]),
        statuses=dict(sorted(statuses.items())),
        wrong=wrong,
        seconds=round(seconds, 1),
    )


def _fills(desk: Desk) -> Any:
    return (fill for order in desk.ledger.orders(limit=1_000_000) for fill in order.fills)
