"""`quantum-trader import-candles`: a progress bar, then what came in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from engines.domain.timeframe import parse_timeframe

if TYPE_CHECKING:
    from agents.settings import Settings


def run_import(file: Path, *, symbol: str, timeframe: str, skip_bad: bool, settings: Settings) -> None:
    """Import FILE and print the report.

    Raises:
        InvalidRequest: the file, symbol or timeframe is not usable; nothing was imported.
        ConfigurationError: the home cannot be written.
    """
    from engines.market.importing import import_candles
    from engines.market.store import CandleStore
    from engines.storage.database import open_database

    wanted = parse_timeframe(timeframe)
    store = CandleStore(open_database("candles", home=settings.home, url=settings.database_url))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("candles", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        report = import_candles(file, symbol=symbol, timeframe=wanted, store=store, progress=advance, skip_bad=skip_bad)
    Console().print(str(report), highlight=False)
