"""Loading the chat: Chainlit behind the desk's own server, under /chat."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.chat.root import prepare, secret
from ui.chat.telemetry import leave_out_telemetry

PATH: Final = "/chat"

# Custom elements are compiled in the browser, hence `unsafe-eval`. The point of the policy: nothing is fetched from,
# sent to or framed by anybody else, whatever a library would like to load.
_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def load(base_url: str, home: Path) -> ASGIApp:
    """Import Chainlit and return the app to serve under `/chat`; takes seconds, so call it in a thread after start.

    Its lifespan must not be run: Chainlit ends the process at its end.

    Args:
        base_url: where this process reaches the desk's HTTP surface.
        home: everything the chat writes goes below it.

    Raises:
        RuntimeError: this process has loaded a chat for another home; Chainlit knows one a process.
    """
    package = importlib.util.find_spec("chainlit")
    if package is None or package.origin is None:
        raise RuntimeError("Chainlit is not installed; install the desk from its lock file.")
    root = prepare(home.resolve(), base_url=base_url, packaged=Path(package.origin).parent)
    signing = secret(home)
    _set_environment(root, base_url, signing)
    leave_out_telemetry()

    from chainlit.config import APP_ROOT
    from chainlit.server import app as chainlit_app

    if Path(APP_ROOT) != root:
        raise RuntimeError(f"This process has already loaded a chat in {APP_ROOT!r}.")

    from ui.chat.handlers import register
    from ui.chat.pages import routes
    from ui.chat.visitors import Visitors

    visitors = Visitors(base_url, signing)
    register(visitors)
    return _SafePages(Starlette(routes=[*routes(visitors), Mount("/", app=chainlit_app)]))


def _set_environment(root: Path, base_url: str, signing: str) -> None:
    # Browsers keep cookies by host, not by port: two desks on one machine must not share a name.
    port = urlsplit(base_url).port or 80
    os.environ.update(
        CHAINLIT_APP_ROOT=str(root),
        CHAINLIT_ROOT_PATH=PATH,
        CHAINLIT_AUTH_SECRET=signing,
        CHAINLIT_AUTH_COOKIE_NAME=f"qtp_{port:05d}_chat",
        # Chainlit would read a .env of the working directory into this process.
        CHAINLIT_ENV_FILE=str(root / "no.env"),
    )


class _SafePages:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        await self._app(scope, receive, guarded_send)
