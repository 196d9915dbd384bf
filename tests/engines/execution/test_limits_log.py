"""Rule 22: limits are loaded once under a version, every change of them is on record, and no tool makes one."""

from __future__ import annotations

import os
import pwd
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engines.confirmation.risk import RiskLimits, default_limits
from engines.errors import ConfigurationError
from engines.execution.limits_file import load_limits
from engines.execution.limits_log import note_changed_file, record_limits
from engines.ledger.ledger import Ledger

FIRST = 'version = "1"\nmax_order_notional = 10000\nmax_account_exposure = 100000\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "limits.toml"
    path.write_text(text)
    return path


def in_force(ledger: Ledger) -> list[dict[str, object]]:
    return [record.data for record in ledger.audit() if record.kind == "limits_in_force"]


def test_rule_22_the_limits_of_every_start_are_on_record_once_and_with_what_changed(ledger: Ledger) -> None:
    limits = default_limits()
    record_limits(ledger, limits, by="ann")
    record_limits(ledger, limits, by="ann")
    raised = replace(limits, version="2", max_order_notional=Decimal("20000.50"))
    record_limits(ledger, raised, by="bob")
    first, second = in_force(ledger)
    assert (first["version"], first["by"], first["before"], first["changes"]) == ("1", "ann", None, {})
    assert (second["version"], second["by"], second["before"]) == ("2", "bob", "1")
    assert second["changes"] == {"max_order_notional": ["10000", "20000.5"]}
    assert ledger.verify_audit().intact


def test_rule_22_other_limits_under_an_old_version_are_refused(ledger: Ledger) -> None:
    limits = default_limits()
    record_limits(ledger, limits, by="ann")
    record_limits(ledger, replace(limits, version="2", max_open_orders=3), by="ann")
    with pytest.raises(
        ConfigurationError, match="version '1' have changed: max_open_orders was 20 and is 50"
    ) as caught:
        record_limits(ledger, replace(limits, max_open_orders=50), by="ann")
    assert "new version" in caught.value.remedy
    record_limits(ledger, limits, by="ann")
    assert [record["version"] for record in in_force(ledger)] == ["1", "2", "1"]


def test_rule_22_a_file_changed_during_the_session_is_noted_once_with_who_and_changes_nothing(
    ledger: Ledger, tmp_path: Path
) -> None:
    path = written(tmp_path, FIRST)
    loaded = load_limits(path)
    assert note_changed_file(ledger, loaded, path) == ""
    written(tmp_path, FIRST.replace('"1"', '"2"').replace("10000\n", "99000\n"))
    told = note_changed_file(ledger, loaded, path)
    assert "(version '2'); version '1' stays in force until the next start." in told
    assert note_changed_file(ledger, loaded, path) == ""
    (record,) = (record for record in ledger.audit() if record.kind == "limits_file_changed")
    assert record.data["by"] == pwd.getpwuid(os.getuid()).pw_name
    assert record.data["changes"] == {"max_order_notional": ["10000", "99000"]}
    assert record.data["in_force"] is False
    written(tmp_path, "rubbish")
    assert "not valid TOML" in note_changed_file(ledger, loaded, path)
    path.unlink()
    assert "whoever removed it" in note_changed_file(ledger, loaded, path)
    assert note_changed_file(ledger, loaded, path) == ""


def test_a_digest_is_of_the_limits_and_not_of_their_name() -> None:
    limits = default_limits()
    assert replace(limits, version="9").digest() == limits.digest()
    same = RiskLimits("1", max_order_notional=Decimal("1e4"), max_account_exposure=Decimal("100000.0"))
    assert same.digest() == replace(same, max_order_notional=Decimal(10_000)).digest()
    assert replace(limits, restricted=frozenset({"BTC/USDT"})).digest() != limits.digest()
