"""One process at a time trades a venue's account: a row that runs out, renewed while its holder lives."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, delete, insert, select, update

from engines.domain.clock import Clock
from engines.errors import ConfigurationError
from engines.ledger.journal import Journal, journalling
from engines.storage import ledger as tables

# A holder that renews every few seconds misses several before it loses the lease.
LEASE: Final = timedelta(seconds=30)
# The clocks of two machines may differ by this much; a row is taken over only so long after it ran out.
CLOCK_MARGIN: Final = timedelta(seconds=10)

_COLUMNS = tables.leases.c


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, and since when."""

    host: str
    process: str
    since: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to trade one venue account, as its holder has it; it ends by `release` or by running out."""

    name: str
    token: str
    _engine: Engine
    _clock: Clock

    def renew(self) -> bool:
        """Put the end off; False when the lease is not ours any more, which is final."""
        mine = (_COLUMNS.name == self.name) & (_COLUMNS.token == self.token)
        with self._engine.begin() as connection:
            statement = update(tables.leases).where(mine).values(expires_at=self._clock.now() + LEASE)
            return connection.execute(statement).rowcount == 1

    def is_held(self) -> bool:
        """True while the row is ours and has not run out."""
        query = select(_COLUMNS.expires_at).where(_COLUMNS.name == self.name, _COLUMNS.token == self.token)
        with self._engine.connect() as connection:
            expires_at = connection.execute(query).scalar_one_or_none()
        return expires_at is not None and self._clock.now() < expires_at

    def release(self) -> None:
        """Give it up; somebody else's stays as it is."""
        with journalling(self._engine, self._clock) as journal:
            gone = delete(tables.leases).where(_COLUMNS.name == self.name, _COLUMNS.token == self.token)
            if journal.connection.execute(gone).rowcount:
                journal.note("lease_released", account="", lease=self.name)


def acquire_lease(engine: Engine, clock: Clock, name: str) -> Lease:
    """Take the lease of a venue account.

    A holder that is known to be dead, because it ran on this machine, is replaced at once; any other only
    after its time and the clocks' margin.

    Args:
        name: of the venue account, the same for every process that would trade it.

    Raises:
        ConfigurationError: another process holds it; the message says which, and until when.
    """
    token = secrets.token_hex(16)
    with journalling(engine, clock) as journal:
        row = journal.connection.execute(select(tables.leases).where(_COLUMNS.name == name)).mappings().first()
        found = None if row is None else Holder(**{part: row[part] for part in Holder.__slots__})
        if found is not None and not _is_over(found, journal.now):
            raise _taken(name, found)
        journal.connection.execute(delete(tables.leases).where(_COLUMNS.name == name))
        _insert(journal, name, token)
        details = {"lease": name, "host": _host(), "process": _process(os.getpid())}
        journal.note("lease_taken", account="", **details, after="" if found is None else found.process)
    return Lease(name, token, engine, clock)


def lease_holder(engine: Engine, name: str) -> Holder | None:
    """Who has a lease by its row, alive or not; None when nobody does."""
    with engine.connect() as connection:
        row = connection.execute(select(tables.leases).where(_COLUMNS.name == name)).mappings().first()
    return None if row is None else Holder(**{part: row[part] for part in Holder.__slots__})


def _insert(journal: Journal, name: str, token: str) -> None:
    values = {"name": name, "token": token, "host": _host(), "process": _process(os.getpid())}
    journal.connection.execute(
        insert(tables.leases).values(**values, since=journal.now, expires_at=journal.now + LEASE)
    )


def _taken(name: str, holder: Holder) -> ConfigurationError:
    until = holder.expires_at + CLOCK_MARGIN
    return ConfigurationError(
        f"Process {holder.process.partition('@')[0]} on {holder.host.partition('/')[0]} trades {name} live since "
        f"{holder.since:%Y-%m-%d %H:%M:%S} UTC, and only one may.",
        remedy=f"Use that desk, or stop it; if it died on another machine, try again after {until:%H:%M:%S} UTC.",
    )


def _is_over(holder: Holder, now: datetime) -> bool:
    return now >= holder.expires_at + CLOCK_MARGIN or (holder.host == _host() and not _lives(holder.process))


def _host() -> str:
    """This machine, this boot and this space of process numbers: where a number names one process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        # Elsewhere nothing tells two boots apart: a dead holder is waited for, see `_lives`.
        boot, space = "", ""
    return f"{socket.gethostname()}/{boot}/{space}"


def _process(pid: int) -> str:
    """A process as its number and its start, so that a number given out again is somebody else; empty when dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"{pid}@" if pid == os.getpid() else ""
    # The name, in brackets, may hold anything; the start is the twentieth field behind it.
    behind = stat.rpartition(")")[2].split()
    return "" if behind[0] in {"Z", "X"} else f"{pid}@{behind[19]}"


def _lives(process: str) -> bool:
    pid, _, started = process.partition("@")
    return not started or _process(int(pid)) == process
