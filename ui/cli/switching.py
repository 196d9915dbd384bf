"""`quantum-trader halt` and `resume`: the kill switch that needs no running desk."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from engines.errors import ConfigurationError, QuantumTraderError

if TYPE_CHECKING:
    from agents.settings import Settings
    from engines.execution.switch import Cancelled
    from engines.ledger.ledger import Ledger


def run_halt(reason: str, settings: Settings, *, cancel_orders: bool) -> int:
    """Halt by file first, then in the ledger, then cancel what is open; each step whatever became of the one before.

    Returns:
        The exit code: 0 when the desk is halted and nothing that was to be cancelled is open, else 1.
    """
    by_file = _by_file(reason, settings)
    in_ledger = _in_ledger(reason, settings)
    if not (by_file or in_ledger):
        return 1
    typer.secho("HALTED: everything but cancels is denied from now on, over restarts too.", fg=typer.colors.YELLOW)
    typer.echo("Go on with: quantum-trader resume REASON")
    done = not cancel_orders or _cancel_orders(settings)
    if in_ledger:
        _tell_unprotected(settings)
    return 0 if done else 1


def run_resume(reason: str, settings: Settings) -> int:
    """Lift every restriction of this desk: the halt file's, the desk's and each account's."""
    from engines.execution.switch import resume

    with _ledger(settings) as ledger:
        for standing in ledger.restrictions():
            typer.echo(f"Lifted: {standing.scope}, {standing.state} since {standing.since:%Y-%m-%d %H:%M} UTC.")
            typer.echo(f"        {standing.reason} (by {standing.by})")
        accounts = tuple(standing.account for standing in ledger.restrictions() if standing.account)
        resume(ledger, reason=reason, by=_who(), accounts=accounts, desk=True)
        standing = ledger.standing_state(None)
    typer.echo(f"The desk is {standing.state}.")
    return 0


def _by_file(reason: str, settings: Settings) -> bool:
    from engines.ledger.halt_file import HaltFile

    halt_file = HaltFile.of(settings.home)
    try:
        halt_file.write(f"{reason} (by {_who()})")
    except ConfigurationError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        return False
    typer.echo(f"Halt file: {halt_file.path}")
    return True


def _in_ledger(reason: str, settings: Settings) -> bool:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with _ledger(settings) as ledger:
            standing = ledger.change_state("halted", reason=reason, by=_who())
    except (QuantumTraderError, SQLAlchemyError) as error:
        typer.secho(f"The ledger does not answer, so only the file halts: {error}", fg=typer.colors.RED, err=True)
        return False
    typer.echo(f"Ledger: halted since {standing.since:%Y-%m-%d %H:%M:%S} UTC by {standing.by}.")
    return True


def _cancel_orders(settings: Settings) -> bool:
    """Cancel through the desk's own broker; True when nothing is open any more."""
    from agents.opening import open_services
    from engines.execution.switch import cancel_all

    try:
        with open_services(settings, leased=False) as services:
            within, per_second = services.orders.within, services.orders.limits.max_cancels_per_second
            told = cancel_all(
                services.ledger,
                services.broker,
                clock=services.clock,
                by=_who(),
                within=within,
                per_second=per_second,
            )
            elsewhere = [
                order
                for order in services.ledger.orders(status="open", limit=10_000)
                if not order.account.startswith(within)
            ]
    except QuantumTraderError as error:
        typer.secho(f"The orders could not be cancelled: {error}", fg=typer.colors.RED, err=True)
        return False
    for account in sorted({order.account for order in elsewhere}):
        typer.secho(
            f"Orders of {account} are open and were not touched: run this with the settings of its desk.",
            fg=typer.colors.RED,
            err=True,
        )
    return _told(told) and not elsewhere


def _tell_unprotected(settings: Settings) -> None:
    """Every position, of every account, whose stop-loss is not at work from now on."""
    from sqlalchemy.exc import SQLAlchemyError

    from engines.domain.clock import SystemClock
    from engines.execution.unprotected import unprotected

    try:
        with _ledger(settings) as ledger:
            gaps = unprotected(ledger, SystemClock().now())
    except (QuantumTraderError, SQLAlchemyError) as error:
        typer.secho(f"It cannot be told which positions are unprotected now: {error}", fg=typer.colors.RED, err=True)
        return
    for gap in gaps:
        typer.secho(f"UNPROTECTED ({gap.account}): {gap.told}", fg=typer.colors.RED, err=True)


def _told(told: tuple[Cancelled, ...]) -> bool:
    if not told:
        typer.echo("No order was open.")
    for each in told:
        detail = "" if each.is_done else f": {each.detail}"
        typer.echo(f"{each.status:<16} {each.words} ({each.order_id}){detail}")
    return all(each.is_done for each in told)


@contextmanager
def _ledger(settings: Settings) -> Iterator[Ledger]:
    from engines.domain.clock import SystemClock
    from engines.ledger.halt_file import HaltFile
    from engines.ledger.ledger import Ledger
    from engines.storage.database import open_database

    engine = open_database("desk", home=settings.home, url=settings.database_url)
    try:
        yield Ledger(engine, SystemClock(), halt_file=HaltFile.of(settings.home))
    finally:
        engine.dispose()


def _who() -> str:
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):
        # A container's user may have no name.
        return "the command line"
