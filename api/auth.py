"""Who is calling and what they may do. Routes say it with `Reader`, `Proposer`, `Approver` or `Admin`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.keys import LOCAL_OWNER, SCOPES, KeyStore, Scope
from api.problems import Forbidden, Unauthenticated
from engines.errors import ConfigurationError

if TYPE_CHECKING:
    from agents.settings import Settings

_MEANING: Final[dict[Scope, str]] = {
    "read": "see markets, threads, tickets and the account",
    "trade": "talk to the desk and propose orders",
    "approve": "decide on tickets",
    "admin": "run the desk",
}

_bearer = HTTPBearer(
    auto_error=False, scheme_name="apiKey", description="`qtp_...` from `quantum-trader keys create`; none on loopback."
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who is known.

    Attributes:
        owner: whose threads, tickets and account they act for.
        name: what audit records call them.
    """

    owner: str
    name: str
    scopes: frozenset[Scope]


LOCAL: Final = Principal(LOCAL_OWNER, LOCAL_OWNER, frozenset(SCOPES))


def check_exposure(settings: Settings, keys: KeyStore) -> None:
    """Refuse to serve other machines while nobody needs a key.

    Raises:
        ConfigurationError: the address is not loopback and no key was ever created.
    """
    if not is_loopback(settings.host) and not keys.any_issued():
        raise ConfigurationError(
            f"Serving on {settings.host} without an API key would let everybody who can reach it trade.",
            remedy="Create one with `quantum-trader keys create NAME --scope read`, or serve on 127.0.0.1 (QTP_HOST).",
        )


def is_loopback(host: str) -> bool:
    """True for an address that only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def authenticate(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """The caller: the owner of the key that was sent, or the local owner where no key exists.

    Raises:
        Unauthenticated: a key is needed and none or an unknown one came.
    """
    keys: KeyStore = request.app.state.keys
    if credentials is not None:
        key = keys.authenticate(credentials.credentials)
        if key is None:
            raise Unauthenticated(
                "This API key is unknown or revoked.", remedy="Use one of `quantum-trader keys list`."
            )
        return Principal(key.owner, f"{key.owner} (key {key.id})", frozenset(key.scopes))
    if keys.any_issued() or not is_loopback(request.app.state.settings.host):
        raise Unauthenticated(
            "This desk needs an API key.",
            remedy="Send it as `Authorization: Bearer qtp_...` (quantum-trader keys create).",
        )
    return LOCAL


def _needs(scope: Scope) -> Callable[[Principal], Principal]:
    def authorise(caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
        if scope not in caller.scopes:
            raise Forbidden(
                f"This needs the scope {scope!r}: it lets a key {_MEANING[scope]}.",
                remedy=f"Create a key with it: `quantum-trader keys create NAME --scope {scope}`.",
            )
        return caller

    return authorise


Reader = Annotated[Principal, Depends(_needs("read"))]
Proposer = Annotated[Principal, Depends(_needs("trade"))]
Approver = Annotated[Principal, Depends(_needs("approve"))]
Admin = Annotated[Principal, Depends(_needs("admin"))]
