"""`quantum-trader audit`: prove that the journal is as it was written, and read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from engines.errors import ConfigurationError, InvalidRequest, NotFound

if TYPE_CHECKING:
    from engines.ledger.journal import AuditRecord
    from engines.ledger.ledger import Ledger
    from engines.ledger.verifying import AuditCheck, AuditHead

app = typer.Typer(no_args_is_help=True, help="Verify the hash-chained journal, and read it.")

FORMAT: Final = "quantum-trader audit head"
_CUT_OFF: Final = (
    "A chain that is cut off and given a new end looks whole from inside: keep its head elsewhere (--export FILE) and "
    "hold the chain against it (--against FILE)."
)
_BROKEN: Final = "Keep a copy of the database as it is, and compare it with a backup before you trade on."

Home = Annotated[Path | None, typer.Option(help="Folder that holds everything a run writes.")]


@app.command()
def verify(
    export: Annotated[
        Path | None, typer.Option(help="Write the chain's head to FILE when all is well; keep it on another machine.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="A head written earlier: finds an end that was cut off, or a chain made anew.")
    ] = None,
    home: Home = None,
) -> None:
    """Walk the chain and hold all that says money or state against it; what it does not cover is told.

    Exit code 0 when all is as it was written, 1 when something was changed, 2 when it could not be looked at. Works
    beside a running desk and changes nothing in it.
    """
    kept = _read_head(against) if against is not None else None
    check = _ledger(home).verify_audit(kept[0] if kept else None)
    for line in _told(check):
        typer.echo(line)
    if not check.intact:
        typer.echo(_BROKEN)
        raise typer.Exit(1)
    if kept is not None:
        typer.echo(f"It goes on from record {kept[0].seq:,}, the head exported at {kept[1]}.")
    if export is not None:
        _write_head(export, check)
        typer.echo(f"The head was written to {export}.")
    elif kept is None:
        typer.echo(_CUT_OFF)


@app.command()
def show(
    ticket: Annotated[str, typer.Option(help="Only of this ticket, by label (T-3) or id.")] = "",
    kind: Annotated[str, typer.Option(help="Only records of this kind, such as `fill` or `ticket_rejected`.")] = "",
    last: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many of the newest records.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One whole record a line, hashes included.")] = False,
    home: Home = None,
) -> None:
    """Print the newest records of the journal, oldest of them first."""
    ledger = _ledger(home)
    found = [record for each in _tickets(ledger, ticket) for record in ledger.audit(each)]
    found = [record for record in found if kind in {"", record.kind}]
    for record in sorted(found, key=lambda record: record.seq)[-last:]:
        typer.echo(_as_json(record) if as_json else _line(record))
    if len(found) > last:
        typer.echo(f"The newest {last:,} of {len(found):,} records; --last N shows more.", err=True)
    elif not found:
        typer.echo("There is no such record.", err=True)


def _ledger(home: Path | None) -> Ledger:
    from agents.settings import load_settings
    from engines.domain.clock import SystemClock
    from engines.ledger.ledger import Ledger
    from engines.storage.database import open_database

    settings = load_settings(**({"home": home} if home else {}))
    if not settings.database_url and not (settings.home / "desk.db").exists():
        raise ConfigurationError(
            f"There is no journal in {str(settings.home)!r}.",
            remedy="Give the folder of a desk that has run with --home (QTP_HOME), or its QTP_DATABASE_URL.",
        )
    return Ledger(open_database("desk", home=settings.home, url=settings.database_url), SystemClock())


def _tickets(ledger: Ledger, ticket: str) -> tuple[str | None, ...]:
    if not ticket:
        return (None,)
    found = ledger.ticket_ids_labelled(ticket.upper()) or ((ticket,) if ledger.audit(ticket, limit=1) else ())
    if not found:
        raise NotFound(f"There is no ticket {ticket!r}.", remedy="`quantum-trader audit show` lists what happened.")
    return found


def _told(check: AuditCheck) -> list[str]:
    from engines.ledger.verifying import NOT_COVERED

    if check.broken_at is not None:
        lines = [f"BROKEN at record {check.broken_at:,}: {check.reason}"]
        if check.head.seq:
            lines.append(f"Records 1 to {check.head.seq:,} fit, the last of {check.last_time:%Y-%m-%d %H:%M:%S} UTC.")
        return lines
    if not check.head.seq:
        return ["The journal is empty: nothing has happened yet."]
    counted = ", ".join(f"{count:,} {what}" for what, count in check.compared.items())
    lines = [
        f"{check.records:,} records, the chain is whole: none was changed, removed or put in between.",
        f"Head: record {check.head.seq:,} of {check.last_time:%Y-%m-%d %H:%M:%S} UTC, {check.head.hash}",
    ]
    if not check.disagreements:
        return [*lines, f"The tables agree with it: {counted}.", NOT_COVERED]
    return [*lines, "BROKEN: the tables do not agree with it.", *(f"- {each}" for each in check.disagreements)]


def _read_head(path: Path) -> tuple[AuditHead, str]:
    from engines.ledger.verifying import AuditHead

    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT or type(data["seq"]) is not int:
            raise ValueError("it is another kind of file")
        return AuditHead(data["seq"], str(data["hash"])), str(data["exported_at"])
    except OSError as error:
        raise InvalidRequest(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, LookupError, InvalidRequest) as error:
        raise InvalidRequest(
            f"{str(path)!r} is no head of an audit chain.",
            remedy="Give a file that `quantum-trader audit verify --export` wrote.",
        ) from error


def _write_head(path: Path, check: AuditCheck) -> None:
    """Replace the file in one step: a crash leaves the earlier head or this one."""
    head = {"format": FORMAT, "seq": check.head.seq, "hash": check.head.hash}
    head["exported_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(head, indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise InvalidRequest(f"{str(path)!r} cannot be written: {error.strerror}.") from error


def _line(record: AuditRecord) -> str:
    of = " ".join(part for part in (record.account, record.ticket_id) if part)
    details = " ".join(f"{name}={_plain(value)}" for name, value in record.data.items() if value not in ("", None))
    return f"{record.seq:>6}  {record.time:%Y-%m-%d %H:%M:%S}  {record.kind:<22} {of}  {details}".rstrip()


def _plain(value: Any) -> str:
    """A value on one line: nothing that was typed into the desk may steer the terminal."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(character if character.isprintable() else "?" for character in text)


def _as_json(record: AuditRecord) -> str:
    names = ("seq", "account", "ticket_id", "kind", "data", "previous_hash", "hash")
    return json.dumps({"time": record.time.isoformat(), **{name: getattr(record, name) for name in names}})
