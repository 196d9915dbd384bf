"""What `make faults` runs and prints."""

from __future__ import annotations

import argparse
import itertools
import json
import queue
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from .cells import FAULTS, RESUMES, STARTS, Cell, Field, Outcome, Resume, Start, every_boundary, open_field
from .desk import KINDS
from .link import VENUES, emulator
from .storm import Weathered, weather

_WORKERS: Final = 6
# Boundaries of the cells in the fixed sample: each fault meets another one.
_BOUNDARIES: Final = (None, 3, 6, 7, 8, 5, 1, 4, 2, 9, 0)
_STARTS: Final[dict[int, Start]] = {0: "two processes", 2: "two clients"}
_PROGRESS_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Lane:
    """Cells that differ only in the boundary: all of them in turn, or the one of `cell`."""

    cell: Cell
    every: bool


def full(resumes: Sequence[Resume] = RESUMES, starts: Sequence[Start] = STARTS) -> Iterator[Lane]:
    """Every boundary under every fault for every kind of order: one desk and each way to resume, two desks at once."""
    ways = [(start, resume) for start in starts for resume in (resumes if start == "killed" else RESUMES[:1])]
    for (start, resume), venue, kind, fault in itertools.product(ways, VENUES, KINDS, FAULTS):
        yield Lane(Cell(venue, kind, fault, resume, None, start), every=True)
    for start, resume, kind in itertools.product(starts, resumes, KINDS):
        yield Lane(Cell("paper", kind, "none", resume, None, start), every=True)


def sample() -> Iterator[Lane]:
    """Two cells of each fault, always the same: venues, kinds, boundaries and resumes take turns."""
    for number, fault in enumerate((*FAULTS, *FAULTS)):
        venue, at = VENUES[number % len(VENUES)], _BOUNDARIES[number % len(_BOUNDARIES)]
        start: Start = "two clients" if at is None else _STARTS.get(number % 5, "killed")
        # Three venues and four kinds share no factor, and a round of the venues shares a resume: in turn they all meet.
        kind, resume = KINDS[number % len(KINDS)], RESUMES[number // len(VENUES) % len(RESUMES)]
        yield Lane(Cell(venue, kind, fault, resume, at, start), every=False)
    for kind, at in itertools.product(KINDS, (1, 3, 4)):
        yield Lane(Cell("paper", kind, "none", "calm", at), every=False)
    yield Lane(Cell("paper", "bracket", "none", "twice", None, "two clients"), every=False)


def run_lanes(lanes: Sequence[Lane], folder: Path, *, workers: int = _WORKERS, quiet: bool = True) -> list[Outcome]:
    """Run lanes side by side, each worker with an emulator and processes of its own."""
    waiting: queue.SimpleQueue[Lane] = queue.SimpleQueue()
    for lane in lanes:
        waiting.put(lane)
    done: list[Outcome] = []
    with ThreadPoolExecutor(workers) as pool:
        working = [pool.submit(_work, waiting, folder, done) for _ in range(workers)]
        if not quiet:
            _tell_progress(waiting, len(lanes), done, pool)
        for worker in working:
            worker.result()
    return done


def _work(waiting: queue.SimpleQueue[Lane], folder: Path, done: list[Outcome]) -> None:
    while not waiting.empty():
        with emulator() as link, open_field(link, folder) as field:
            _work_until_broken(field, waiting, done)


def _work_until_broken(field: Field, waiting: queue.SimpleQueue[Lane], done: list[Outcome]) -> None:
    """Run lanes until none waits or one breaks: that is one wrong outcome, and the others need a new field."""
    while True:
        try:
            lane = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            done.extend(_outcomes(field, lane))
        except Exception as error:  # noqa: BLE001 - whatever broke it is told in the table
            wrong = (f"the lane broke: {error!r}",)
            done.append(Outcome(lane.cell, "", killed=False, status="broken", accepts=0, wrong=wrong))
            return


def _outcomes(field: Field, lane: Lane) -> Iterator[Outcome]:
    yield from every_boundary(field, lane.cell) if lane.every else (field.run(lane.cell),)


def _tell_progress(waiting: queue.SimpleQueue[Lane], lanes: int, done: list[Outcome], pool: ThreadPoolExecutor) -> None:
    def tell() -> None:
        while not waiting.empty():
            time.sleep(_PROGRESS_SECONDS)
            bad = sum(bool(each.wrong) for each in done)
            print(f"  {lanes - waiting.qsize()} of {lanes} lanes, {len(done)} cells, {bad} wrong", flush=True)

    threading.Thread(target=tell, daemon=True).start()


def main(arguments: Sequence[str]) -> int:
    """Run the matrix and the storm; 1 when anything was accepted twice, lost or left different."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="a fixed selection of cells")
    parser.add_argument("--resumes", nargs="+", choices=RESUMES, default=RESUMES, help="ways to start again")
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=STARTS, help="desks that die or race")
    parser.add_argument("--tickets", type=int, default=10_000, help="of the storm, shared between the venues")
    parser.add_argument("--workers", type=int, default=_WORKERS)
    parser.add_argument("--json", type=Path, help="write every cell and storm to a file")
    options = parser.parse_args(arguments)
    # A killed process needs no disk to survive it, and thousands of commits need not wait for one.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="qtp-faults-", dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        lanes = list(sample() if options.sample else full(options.resumes, options.starts))
        started = time.monotonic()
        outcomes = run_lanes(lanes, folder, workers=options.workers, quiet=options.sample)
        _tell_cells(outcomes, time.monotonic() - started)
        storms = _storms(options.tickets, folder) if options.tickets else []
    for storm in storms:
        _tell_storm(storm)
    if options.json:
        options.json.write_text(
            json.dumps({"cells": [asdict(o) for o in outcomes], "storms": [asdict(s) for s in storms]})
        )
    wrong = any(outcome.wrong or outcome.accepts > 1 for outcome in outcomes) or any(storm.wrong for storm in storms)
    print("FAILED" if wrong else "nothing was accepted twice, nothing was lost, every ledger equals its venue")
    return int(wrong)


def _storms(tickets: int, folder: Path) -> list[Weathered]:
    shares = [tickets // len(VENUES) + (number < tickets % len(VENUES)) for number in range(len(VENUES))]

    def one(venue: str, share: int, seed: int) -> Weathered:
        with emulator() as link:
            return weather(link, venue, folder, tickets=share, seed=seed)

    with ThreadPoolExecutor(len(VENUES)) as pool:
        return list(pool.map(one, VENUES, shares, itertools.count(1)))


def _tell_cells(outcomes: Sequence[Outcome], seconds: float) -> None:
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.cell.venue, outcome.cell.start].append(outcome)
    print(f"{'venue':9}{'desks':15}{'cells':>7}{'killed':>8}{'accepts':>9}{'twice':>7}{'wrong':>7}")
    for (venue, start), cells in sorted(groups.items()):
        _tell_row(venue, start, cells)
    _tell_row("all", f"{seconds:.0f} s", outcomes)
    for outcome in outcomes:
        if outcome.wrong or outcome.accepts > 1:
            print(f"  {outcome.cell} at {outcome.boundary!r}: {outcome.status}, {'; '.join(outcome.wrong)}")


def _tell_row(venue: str, start: str, cells: Sequence[Outcome]) -> None:
    killed, accepts = sum(each.killed for each in cells), sum(each.accepts for each in cells)
    twice, wrong = sum(each.accepts > 1 for each in cells), sum(bool(each.wrong) for each in cells)
    print(f"{venue:9}{start:15}{len(cells):7}{killed:8}{accepts:9}{twice:7}{wrong:7}", flush=True)


def _tell_storm(storm: Weathered) -> None:
    share = 100 * storm.faults / max(storm.requests, 1)
    print(
        f"{storm.venue}: {storm.tickets} tickets in {storm.seconds} s, {storm.sent} orders sent, {storm.accepted} "
        f"accepted, {storm.requests} requests of which {share:.0f} % answered wrongly, {storm.fills} fills; "
        f"{storm.duplicates} duplicates, {storm.lost} lost fills; {storm.statuses}"
    )
    for each in storm.wrong:
        print(f"  {each}")
