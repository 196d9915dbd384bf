"""Rule 1: a desk as it comes out of the box fills orders, and asks no address for anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import asyncio, json, sys

from agents.runtime import open_desk
from agents.settings import load_settings

reached = []


def hear(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}:
        reached.append([event, repr(arguments[-1])])


async def main():
    async with open_desk(load_settings()) as desk:
        asked = await desk.ask(None, "buy 0.05 btc", "ann")
        [ticket] = asked.tickets
        done = await desk.decide(ticket["id"], "approve", ticket["hash"], "ann", "ann")
        print(json.dumps({"mode": ticket["mode"], "status": done.ticket["status"], "reached": reached}))


sys.addaudithook(hear)
asyncio.run(main())
"""


def test_rule_01_a_desk_nobody_configured_fills_its_order_on_paper_and_connects_to_nothing(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "NUMBA_CACHE_DIR"}}
    there = bare | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=there, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == {"mode": "paper", "status": "filled", "reached": []}
    assert list(tmp_path.rglob("desk.db")) != []
