"""Starts the venue emulator on loopback: `python tests/emulator --port 0`.

The first line on standard output is a JSON document with `port`, `token`, `pid` and each venue's `key` and `secret`.
The process ends with its parent, or when it is told to.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import decimal
import json
import os
import runpy
import secrets
import signal
import sys
from pathlib import Path

if not __package__:
    # Started by its folder: run again as a package, so that its modules find each other.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    runpy.run_module("emulator", run_name="__main__", alter_sys=True)
    sys.exit(0)

from aiohttp import web

from .amounts import PRECISION
from .control import Control, control_handler
from .server import VenueServer
from .venues import KINDS, open_venue

PARENT_CHECK_SECONDS = 0.2


def _application(token: str) -> web.Application:
    application = web.Application(client_max_size=1 << 22)
    controls = {}
    for name in KINDS:
        server = VenueServer(open_venue(name))
        controls[name] = Control(server)
        application.router.add_route("*", f"/{name}/{{rest:.*}}", server.handle)
    application.router.add_post("/control/{venue}/{verb}", control_handler(controls, token))
    return application


async def _until_orphaned(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PARENT_CHECK_SECONDS)


async def _serve(port: int, token: str, parent: int) -> None:
    runner = web.AppRunner(_application(token), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ready = {"port": runner.addresses[0][1], "token": token, "pid": os.getpid()}
    ready["venues"] = {name: {"key": kind.key, "secret": kind.secret} for name, kind in KINDS.items()}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await _until_orphaned(parent, stop)
    await runner.cleanup()


def main() -> None:
    """Read the command line and serve until told to stop."""
    parent = os.getppid()
    parser = argparse.ArgumentParser(prog="emulator", description="Binance, Kraken and Bybit spot on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", default="", help="control token; a random one without it")
    options = parser.parse_args()
    decimal.setcontext(decimal.Context(prec=PRECISION))
    asyncio.run(_serve(options.port, options.token or secrets.token_hex(16), parent))


main()
