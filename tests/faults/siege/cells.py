"""The kill matrix: a desk that dies at every boundary, under every fault of its venue, and is started again."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from engines.errors import QuantumTraderError
from engines.storage.database import open_database

from .desk import BTC, Desk, Kind, exchange_of, open_account, open_desk, prepare_home
from .link import VENUES, Handle, Link
from .shelf import Shelf
from .verdict import compared, compared_on_paper, own_id, unjournalled
from .zygote import REFUSED

PROGRAM: Final = Path(__file__).resolve().parent
_SLOWNESS: Final = 0.5
_QUIET: Final = 5.0

FAULTS: Final[tuple[str, ...]] = (
    *("none", "unavailable_before", "timeout_before", "drop_before", "rate_limited"),
    *("unavailable_after", "timeout_after", "drop_after", "truncated", "html", "empty", "no_id", "other_id"),
    *("status_unknown", "timeout_code", "late_ack", "unknown_status", "hidden", "slow"),
)
"""What the venue does with the first order that reaches it."""

Resume = Literal["calm", "deaf", "twice"]
RESUMES: Final[tuple[Resume, ...]] = ("calm", "deaf", "twice")
"""Started again with a venue that answers, one whose first look-ups fail, or by two processes at once."""

Start = Literal["killed", "two clients", "two processes"]
STARTS: Final[tuple[Start, ...]] = ("killed", "two clients", "two processes")
"""One process that decides and carries out; two that do so at once; two that carry out what a person has decided."""
_LOOK_UPS: Final = ["lookup", "open_orders", "closed_orders", "fills"]
_DEAF: Final = ("unavailable_before", "html", "truncated", "empty", "stale", "drop_after")


@dataclass(frozen=True)
class Cell:
    """One way things can go wrong.

    Attributes:
        at: the boundary at which a process is killed, of two the one that comes to it first; None where all live.
    """

    venue: str
    kind: Kind
    fault: str
    resume: Resume
    at: int | None
    start: Start = "killed"


@dataclass(frozen=True)
class Outcome:
    """What became of a cell.

    Attributes:
        boundary: name of the last boundary that was passed.
        killed: the process did end there.
        wrong: everything in which the ledger and the venue differ in the end.
    """

    cell: Cell
    boundary: str
    killed: bool
    status: str
    accepts: int
    wrong: tuple[str, ...]


class Zygote:
    """Processes that are forked when they are needed; use it as a context."""

    def __init__(self, link: Link, home: Path, url: str = "") -> None:
        self._link = link
        self._home = home
        self._url = url

    def __enter__(self) -> Self:
        command = [sys.executable, str(PROGRAM), "zygote"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._tell({"link": asdict(self._link), "home": str(self._home), "url": self._url})
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=20)

    def run(self, *jobs: Mapping[str, Any]) -> list[int]:
        """Run the jobs at the same time; their exit codes."""
        self._tell(jobs)
        assert self._process.stdout is not None
        codes: list[int] = json.loads(self._process.stdout.readline())
        return codes

    def _tell(self, document: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()


class Field:
    """Runs cells one after the other, each on a fresh home."""

    def __init__(self, link: Link, zygote: Zygote, home: Path, shelf: Shelf | None) -> None:
        self._zygote = zygote
        self._home = home
        self._shelf = shelf
        self._engine = open_database("desk", home=home) if shelf is None else shelf.open()
        # Every cell puts another file in place: no connection may outlive one.
        self._engine.dispose()
        self._exchanges = {venue: exchange_of(link, venue) for venue in VENUES}
        self._doors = {venue: Handle(link, venue) for venue in VENUES}

    def close(self) -> None:
        """Hang up everywhere."""
        self._engine.dispose()
        for exchange in self._exchanges.values():
            exchange.session.close()
        for door in self._doors.values():
            door.close()

    def run(self, cell: Cell) -> Outcome:
        """Let one cell happen and compare what is left."""
        home = prepare_home(self._home.parent, self._home.name)
        if self._shelf is not None:
            self._shelf.empty()
        venue = self._doors.get(cell.venue)
        if venue is not None:
            venue.clear()
            venue.reset(money={"USDT": "100000"})
        return self._happens(cell, home, venue)

    def _happens(self, cell: Cell, home: Path, venue: Handle | None) -> Outcome:
        exchange = self._exchanges.get(cell.venue)
        with open_desk(home, cell.venue, exchange, engine=self._engine) as desk:
            open_account(desk)
            ticket = desk.ask(cell.kind)
            if cell.start == "two processes":
                desk.approve(ticket)
        job = {"venue": cell.venue, "home": str(home), "ticket": ticket.id, "hash": ticket.hash, "at": None}
        if venue is not None and cell.fault != "none":
            venue.fault(route="create", kind=cell.fault, seconds=_SLOWNESS)
        codes = self._first(cell, job, home)
        log = home / f"passed-{codes.index(-9) if -9 in codes else 0}"
        passed = log.read_text().split("\n")[:-1] if log.exists() else []
        self._resume(cell, job, home, venue)
        with open_desk(home, cell.venue, exchange, engine=self._engine) as desk:
            status, wrong = _settled(desk, venue, ticket.id, ticket.hash)
            accepts = _accepts(desk, venue, ticket.client_order_id)
        wrong += [f"a process ended with {code}" for code in codes if code not in {0, -9, REFUSED}]
        boundary = passed[-1] if passed else ""
        return Outcome(cell, boundary, -9 in codes, status, accepts, tuple(wrong))

    def _first(self, cell: Cell, job: dict[str, Any], home: Path) -> list[int]:
        job = job | {"do": "submit" if cell.start == "two processes" else "decide", "at": cell.at}
        desks = range(1 if cell.start == "killed" else 2)
        return self._zygote.run(*(job | {"log": str(home / f"passed-{number}")} for number in desks))

    def _resume(self, cell: Cell, job: dict[str, Any], home: Path, venue: Handle | None) -> None:
        if venue is not None and cell.resume == "deaf":
            for kind in _DEAF:
                venue.fault(routes=_LOOK_UPS, kind=kind, seconds=_SLOWNESS)
        if cell.resume == "twice":
            again = job | {"do": "settle"}
            self._zygote.run(*(again | {"log": str(home / f"resumed-{number}")} for number in range(2)))


@contextmanager
def open_field(link: Link, folder: Path, shelf: Shelf | None = None) -> Iterator[Field]:
    """A field that can run cells, with its zygote; on a shelf's database instead of a file for each cell."""
    home = prepare_home(folder, f"field-{secrets.token_hex(4)}")
    with Zygote(link, home, "" if shelf is None else shelf.url) as zygote:
        field = Field(link, zygote, home, shelf)
        try:
            yield field
        finally:
            field.close()


def every_boundary(field: Field, cell: Cell) -> Iterator[Outcome]:
    """The cell at boundary 0, 1, 2, ... until none is killed any more, because nobody comes to it."""
    for at in range(100):
        outcome = field.run(Cell(cell.venue, cell.kind, cell.fault, cell.resume, at, cell.start))
        yield outcome
        if not outcome.killed:
            return
    raise AssertionError("an order's path has no hundred boundaries")


def _settled(desk: Desk, venue: Handle | None, ticket_id: str, ticket_hash: str) -> tuple[str, list[str]]:
    """Status of the ticket once everything is clear, and what is wrong with it then."""
    # A decision that died with its process is made again by the person, who still sees a pending ticket.
    with suppress(QuantumTraderError):
        desk.ledger.decide(ticket_id, "approve", ticket_hash, "ann")
    wrong = [] if venue is None else unjournalled(desk, venue)
    try:
        desk.settle_all()
    except TimeoutError as error:
        wrong.append(str(error))
    if venue is not None:
        _wait_until_quiet(venue)
        # What is left of the faults is not meant for the comparison.
        venue.clear()
    wrong += compared_on_paper(desk) if venue is None else compared(desk, venue)
    return desk.ledger.ticket(ticket_id).status, wrong


def _accepts(desk: Desk, venue: Handle | None, order_id: str) -> int:
    if venue is None:
        return int(desk.broker.find(order_id, BTC) is not None)
    return sum(count for name, count in venue.truth()["accepts"].items() if own_id(name) == order_id)


def _wait_until_quiet(venue: Handle) -> None:
    """Until the venue has done everything it was asked."""
    deadline = time.monotonic() + _QUIET
    while any(entry["status"] is None for entry in venue.log(route="create")) and time.monotonic() < deadline:
        time.sleep(0.05)
