from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from api.keys import KeyStore
from engines.domain.clock import ManualClock
from engines.errors import InvalidRequest, NotFound


def test_a_key_proves_its_owner_and_scopes(database: Engine, clock: ManualClock) -> None:
    keys = KeyStore(database, clock)
    issued = keys.create(name="laptop", scopes=("trade", "read"), owner="ada")
    found = keys.authenticate(issued.token)
    assert found is not None
    assert (found.owner, found.scopes, found.name) == ("ada", ("read", "trade"), "laptop")
    assert issued.token.startswith(f"qtp_{issued.key.id}_")


def test_the_secret_is_nowhere_in_the_database(sqlite_database: Engine, clock: ManualClock, tmp_path: Path) -> None:
    token = KeyStore(sqlite_database, clock).create(name="laptop", scopes=("read",)).token
    secret = token.rpartition("_")[2]
    files = list(tmp_path.glob("desk.db*"))
    assert files
    assert all(secret.encode() not in file.read_bytes() for file in files)


@pytest.mark.parametrize("damage", ["", "qtp_", "qtp_000000000000_" + "0" * 48, "Bearer x"])
def test_a_token_nobody_issued_proves_nothing(database: Engine, clock: ManualClock, damage: str) -> None:
    keys = KeyStore(database, clock)
    keys.create(name="laptop", scopes=("read",))
    assert keys.authenticate(damage) is None


def test_the_right_id_with_a_wrong_secret_proves_nothing(database: Engine, clock: ManualClock) -> None:
    keys = KeyStore(database, clock)
    token = keys.create(name="laptop", scopes=("read",)).token
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert keys.authenticate(wrong) is None


def test_a_revoked_key_proves_nothing_and_still_locks_the_door(database: Engine, clock: ManualClock) -> None:
    keys = KeyStore(database, clock)
    assert not keys.any_issued()
    issued = keys.create(name="laptop", scopes=("read",))
    clock.advance(timedelta(hours=1))
    revoked_at = keys.revoke(issued.key.id).revoked_at
    clock.advance(timedelta(hours=1))
    assert keys.revoke(issued.key.id).revoked_at == revoked_at == keys.list()[0].revoked_at
    assert keys.authenticate(issued.token) is None
    assert keys.any_issued()


def test_the_last_use_of_a_key_is_known_to_the_minute(database: Engine, clock: ManualClock) -> None:
    keys = KeyStore(database, clock)
    token = keys.create(name="laptop", scopes=("read",)).token
    assert keys.list()[0].last_used_at is None
    first_use = clock.now()
    keys.authenticate(token)
    clock.advance(timedelta(seconds=59))
    keys.authenticate(token)
    assert keys.list()[0].last_used_at == first_use
    clock.advance(timedelta(seconds=1))
    keys.authenticate(token)
    assert keys.list()[0].last_used_at == clock.now()


@pytest.mark.parametrize("scopes", [(), ("write",), ("read", "superuser")])
def test_a_key_needs_scopes_that_exist(database: Engine, clock: ManualClock, scopes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest, match="read, trade, approve, admin"):
        KeyStore(database, clock).create(name="laptop", scopes=scopes)


@pytest.mark.parametrize("owner", ["", "a b", "-x", "x" * 65, "a\n"])
def test_an_owner_has_a_plain_name(database: Engine, clock: ManualClock, owner: str) -> None:
    with pytest.raises(InvalidRequest, match="owner"):
        KeyStore(database, clock).create(name="laptop", scopes=("read",), owner=owner)


def test_revoking_a_key_that_is_not_there_says_so(database: Engine, clock: ManualClock) -> None:
    with pytest.raises(NotFound, match="no key 'abc'"):
        KeyStore(database, clock).revoke("abc")


def test_keys_are_listed_oldest_first_without_secrets(database: Engine, clock: ManualClock) -> None:
    keys = KeyStore(database, clock)
    for name in ("one", "two", "three"):
        keys.create(name=name, scopes=("read",))
        clock.advance(timedelta(seconds=1))
    assert [key.name for key in keys.list()] == ["one", "two", "three"]
    with database.connect() as connection:
        hashes = [row[0] for row in connection.execute(text("select secret_hash from api_keys"))]
    assert all(stored not in repr(keys.list()) for stored in hashes)
