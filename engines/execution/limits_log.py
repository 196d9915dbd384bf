"""Which limits were in force when, and who changed them: on record in the audit, and in no tool's reach."""

from __future__ import annotations

import pwd
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from engines.confirmation.risk import RiskLimits
from engines.errors import ConfigurationError
from engines.execution.limits_file import load_limits
from engines.ledger.journal import AuditRecord
from engines.ledger.ledger import Ledger

_IN_FORCE: Final = "limits_in_force"
_FILE_CHANGED: Final = "limits_file_changed"


def record_limits(ledger: Ledger, limits: RiskLimits, *, by: str) -> None:
    """Put the limits that a desk starts with on record, unless the ledger's last desk had the same.

    Limits that a later release adds do not make an earlier file a changed one.

    Raises:
        ConfigurationError: an earlier desk had other limits under this version; every ticket names its limits by
            version, so a version means the same for good.
    """
    earlier = ledger.newest_desk_audit(_IN_FORCE, limit=1_000)
    same_name = next((record for record in earlier if record.data["version"] == limits.version), None)
    changed = _changes(limits, same_name)
    if same_name is not None and changed:
        name, (before, now) = next(iter(changed.items()))
        raise ConfigurationError(
            f"The limits of version {limits.version!r} have changed: {name} was {before} and is {now}.",
            remedy="Give changed limits a new version: every ticket names the limits it was checked under by it.",
        )
    last = earlier[0] if earlier else None
    if last is not None and last.data["version"] == limits.version:
        return
    ledger.note(
        _IN_FORCE,
        by=by,
        version=limits.version,
        limits=limits.as_text(),
        before=last.data["version"] if last else None,
        changes=_changes(limits, last),
    )


def note_changed_file(ledger: Ledger, limits: RiskLimits, path: Path) -> str:
    """Put on record that the limits file is no longer the one that was loaded, with who owns the change; once for each.

    The limits in force stay those that were loaded: a change counts from the next start.

    Returns:
        What was noted, in words; empty where nothing changed or it is on record already.
    """
    try:
        found = load_limits(path)
        content, told = found.digest() + found.version, f"version {found.version!r}"
        if found == limits:
            return ""
        changes = found.changes_from(limits.as_text())
    except ConfigurationError as error:
        content = told = error.message
        changes = {}
    last = next(iter(ledger.newest_desk_audit(_FILE_CHANGED, limit=1)), None)
    if last is not None and (last.data["content"], last.data["loaded"]) == (content, limits.version):
        return ""
    by, time = _changed_by(path)
    data: dict[str, Any] = {"by": by, "changed_at": time, "loaded": limits.version, "content": content, "told": told}
    ledger.note(_FILE_CHANGED, changes=changes, in_force=False, **data)
    return f"{path} was changed by {by} ({told}); version {limits.version!r} stays in force until the next start."


def system_user(number: int) -> str:
    """The name of a user of this machine; in a container it may have none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _changes(limits: RiskLimits, before: AuditRecord | None) -> dict[str, list[str]]:
    """What differs among the limits that both know."""
    if before is None:
        return {}
    known: dict[str, str] = before.data["limits"]
    return {name: pair for name, pair in limits.changes_from(known).items() if name in known}


def _changed_by(path: Path) -> tuple[str, str]:
    try:
        found = path.stat()
    except OSError:
        return "whoever removed it", ""
    return system_user(found.st_uid), datetime.fromtimestamp(found.st_mtime, tz=UTC).isoformat()
