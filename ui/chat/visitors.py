"""Who is looking: the local owner, or somebody with an API key, and the client that speaks for them."""

from __future__ import annotations

import base64
import hashlib
from contextvars import ContextVar
from typing import Final

import chainlit as cl
from chainlit.context import ChainlitContextException
from chainlit.context import context as chainlit_context
from chainlit.user import PersistedUser, User
from cryptography.fernet import Fernet, InvalidToken

from ui.client import AsyncDeskClient, DeskError, DeskProblem

# Set by the sign-in check of every request; the data layer's methods are not told who asks.
_current: ContextVar[User | None] = ContextVar("visitor", default=None)
_MAX_CLIENTS: Final = 64


class Visitors:
    """Signs people in and hands out clients that act for them.

    A key travels in the browser's cookie, encrypted with the desk's own secret, so that a restart signs nobody out
    and the server keeps no list of keys.
    """

    def __init__(self, base_url: str, secret: str) -> None:
        self._base_url = base_url
        self._cipher = Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))
        self._clients: dict[str, AsyncDeskClient] = {}

    async def sign_in(self, key: str = "") -> User | None:
        """The owner this key acts for, or the local owner where no key is needed; None when the desk says no.

        Raises:
            DeskError: the desk does not answer.
        """
        try:
            status = await self._client(key).status()
        except DeskProblem as error:
            if error.status in {401, 403}:
                return None
            raise
        metadata = {"key": self._cipher.encrypt(key.encode()).decode()} if key else {}
        return cl.User(identifier=str(status.get("owner") or "local"), metadata=metadata)

    def remember(self, user: User) -> PersistedUser:
        """Note who makes the request that is being worked on."""
        _current.set(user)
        return PersistedUser(id=user.identifier, createdAt="", identifier=user.identifier, metadata=user.metadata)

    def user(self) -> User:
        """Who makes the request or holds the session that is being worked on.

        Raises:
            DeskError: nobody is signed in.
        """
        try:
            user = chainlit_context.session.user
        except ChainlitContextException:
            user = None
        user = user or _current.get()
        if user is None:
            raise DeskError("Nobody is signed in.", "Reload the page to sign in.")
        return user

    def desk(self, user: User | None = None) -> AsyncDeskClient:
        """A client that acts for this user, or for whoever is looking.

        Raises:
            DeskError: nobody is signed in, or the key in the cookie was made by another desk.
        """
        sealed = (user or self.user()).metadata.get("key", "")
        try:
            key = self._cipher.decrypt(sealed.encode()).decode() if sealed else ""
        except InvalidToken as error:
            raise DeskError("This sign-in belongs to another desk.", "Sign out and in again.") from error
        return self._client(key)

    def _client(self, key: str) -> AsyncDeskClient:
        # One client a key: making one reads the certificate store, which takes longer than the request itself.
        if key not in self._clients:
            while len(self._clients) >= _MAX_CLIENTS:
                self._clients.pop(next(iter(self._clients)))
            self._clients[key] = AsyncDeskClient(self._base_url, key=key)
        return self._clients[key]
