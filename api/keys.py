"""API keys: issued once, stored as a hash, revoked for good."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from sqlalchemy import Engine, Row, insert, select, update

from engines.domain.clock import Clock
from engines.errors import InvalidRequest, NotFound
from engines.storage.threads import api_keys
from engines.storage.transactions import writing

Scope = Literal["read", "trade", "approve", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
LOCAL_OWNER: Final = "local"

# A key's last use is written at most this often: reading a page must not mean a write per request.
_USE_STEP: Final = timedelta(minutes=1)
_OWNER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_TOKEN: Final = re.compile(r"qtp_(?P<id>[0-9a-f]{12})_(?P<secret>[0-9a-f]{48})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; its secret is not.

    Attributes:
        id: the public part of the key.
        scopes: what it may do; each scope allows only what it names.
        last_used_at: exact to a minute; None when it was never used.
    """

    id: str
    owner: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its `token`, `qtp_<id>_<secret>`, which is shown this once and never stored."""

    token: str
    key: ApiKey


class KeyStore:
    """The API keys of one desk. Calls block for a few milliseconds."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, *, name: str, scopes: Iterable[str], owner: str = LOCAL_OWNER) -> IssuedKey:
        """Issue a key that acts for `owner`.

        Raises:
            InvalidRequest: no scope, an unknown scope or an unusable owner name.
        """
        if not _OWNER.fullmatch(owner):
            raise InvalidRequest(
                f"{owner!r} cannot be an owner.",
                remedy="Use 1 to 64 letters, digits or . _ @ -, starting with a letter.",
            )
        # 192 random bits need no slow hash: there is no dictionary to try.
        key_id, secret = secrets.token_hex(6), secrets.token_hex(24)
        key = ApiKey(key_id, owner, name, _parse_scopes(scopes), self._clock.now(), None, None)
        with writing(self._engine) as connection:
            connection.execute(
                insert(api_keys).values(
                    id=key_id,
                    owner=owner,
                    name=name,
                    scopes=" ".join(key.scopes),
                    secret_hash=_hash(secret),
                    created_at=key.created_at,
                )
            )
        return IssuedKey(f"qtp_{key_id}_{secret}", key)

    def list(self) -> tuple[ApiKey, ...]:
        """Every key ever issued, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
            return tuple(_key(row) for row in rows)

    def revoke(self, key_id: str) -> ApiKey:
        """Make a key useless from its next request on; revoking it again changes nothing.

        Raises:
            NotFound: there is no such key.
        """
        with writing(self._engine) as connection:
            connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=self._clock.now())
            )
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no key {key_id!r}.", remedy="`quantum-trader keys list` shows them.")
        return _key(row)

    def any_issued(self) -> bool:
        """True once a key was created, revoked ones included: revoking the last key locks the door, not opens it."""
        with self._engine.connect() as connection:
            return connection.execute(select(api_keys.c.id).limit(1)).first() is not None

    def authenticate(self, token: str) -> ApiKey | None:
        """The key this token proves, or None when it proves none."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        with self._engine.connect() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == match["id"])).one_or_none()
        # Hashing and comparing also happen for an unknown id, so timing does not tell which ids exist.
        proven = hmac.compare_digest(_hash(match["secret"]), row.secret_hash if row else _hash(""))
        if row is None or not proven or row.revoked_at is not None:
            return None
        key = _key(row)
        self._note_use(key)
        return key

    def _note_use(self, key: ApiKey) -> None:
        now = self._clock.now()
        if key.last_used_at is None or now - key.last_used_at >= _USE_STEP:
            with writing(self._engine) as connection:
                connection.execute(update(api_keys).where(api_keys.c.id == key.id).values(last_used_at=now))


def _parse_scopes(scopes: Iterable[str]) -> tuple[Scope, ...]:
    asked = tuple(scopes)
    known = tuple(scope for scope in SCOPES if scope in asked)
    unknown = [scope for scope in asked if scope not in SCOPES]
    if unknown or not known:
        what = f"{unknown[0]!r} is not a scope." if unknown else "A key needs at least one scope."
        raise InvalidRequest(what, remedy=f"Scopes are {', '.join(SCOPES)}.")
    return known


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Row[Any]) -> ApiKey:
    scopes = tuple(scope for scope in SCOPES if scope in row.scopes.split())
    return ApiKey(row.id, row.owner, row.name, scopes, row.created_at, row.last_used_at, row.revoked_at)
