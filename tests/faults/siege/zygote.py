"""Desks in processes of their own that start in no time: forked from one that has everything loaded.

Run by `Zygote`; it reads a JSON list of jobs a line, runs each in a process of its own at the same time, and answers
with a JSON list of exit codes, negative for the signal that ended a process.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from engines.errors import QuantumTraderError
from engines.storage.database import open_database

from .desk import exchange_of, open_account, open_desk
from .link import VENUES, Link
from .points import Points, die_first

REFUSED: Final = 3
_DEFECT: Final = 4


def serve() -> None:
    """Fork for every job until the input ends."""
    told = json.loads(sys.stdin.readline())
    link, home = Link(**told["link"]), Path(told["home"])
    engine = _warm(home, told["url"])
    exchanges = {venue: exchange_of(link, venue) for venue in VENUES}
    for exchange in exchanges.values():
        exchange.load_markets()
        # A connection that two processes share would mix up their answers.
        exchange.session.close()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        started = [_forked(job, engine, exchanges) for job in json.loads(line)]
        print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]), flush=True)


def _warm(home: Path, url: str) -> Engine:
    """An engine that has compiled every statement of an order's path once, and holds no connection."""
    engine = open_database("desk", home=home, url=url)
    with open_desk(home, "paper", engine=engine) as desk:
        open_account(desk)
        ticket = desk.approve(desk.ask("bracket"))
        desk.submit(ticket.id)
        desk.settle()
    return engine


def _forked(job: dict[str, Any], engine: Engine, exchanges: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = _DEFECT
    try:
        code = _carry_out(job, engine, exchanges.get(job["venue"]))
    except Exception:  # noqa: BLE001 - a forked process must never go on in its parent's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _carry_out(job: dict[str, Any], engine: Engine, exchange: Any) -> int:
    points = Points(job["at"], Path(job["log"]), partial(die_first, Path(job["home"]) / "died"))
    with open_desk(Path(job["home"]), job["venue"], exchange, points=points, engine=engine) as desk:
        try:
            if job["do"] == "decide":
                desk.ledger.decide(job["ticket"], "approve", job["hash"], "ann")
            if job["do"] == "settle":
                desk.settle()
            else:
                desk.submit(job["ticket"])
        except QuantumTraderError:
            return REFUSED
    return 0
