"""An ASGI application behind a real server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

_PATIENCE = 60.0


@contextmanager
def served(app: Any, *, listener: socket.socket | None = None, **config: Any) -> Iterator[str]:
    """Serve an application until the block ends; its URL.

    Args:
        listener: an open socket of loopback; one on a free port when None.
        config: of uvicorn.
    """
    with listener or socket.create_server(("127.0.0.1", 0)) as opened:
        server = uvicorn.Server(uvicorn.Config(app, **{"log_config": None, **config}))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + _PATIENCE
            while not server.started:
                assert thread.is_alive(), "the server ended while it was starting"
                assert time.monotonic() < deadline, "the server did not start in time"
                time.sleep(0.01)
            yield f"http://127.0.0.1:{opened.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive()
