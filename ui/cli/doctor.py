"""`quantum-trader doctor`: each thing a desk needs, checked, with the remedy where it is missing."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console

from engines.errors import ConfigurationError, QuantumTraderError, VenueUnavailable

if TYPE_CHECKING:
    from agents.settings import Settings

LOW_DISK_BYTES = 500_000_000
# Symbols that are traded every second wherever they are listed, and how long one of their prices may take to come.
_TRADED = ("BTC/USDT", "BTC/USD", "BTC/EUR")
_STREAM_PATIENCE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, and what to do where it is not."""

    name: str
    healthy: bool
    detail: str
    remedy: str = ""


def examine(given: dict[str, Any]) -> int:
    """Print every finding; return the exit code: 0 when all is well, 1 otherwise."""
    console = Console(highlight=False, soft_wrap=True)
    healthy = True
    for finding in findings(given):
        healthy &= finding.healthy
        mark = "[green]ok  [/green]" if finding.healthy else "[red]FAIL[/red]"
        console.print(f"{mark} {finding.name:<10} {finding.detail}", markup=True)
        if finding.remedy:
            console.print(f"                {finding.remedy}", markup=False)
    console.print("Everything is in order." if healthy else "Mend what is marked FAIL; the desk may not start before.")
    return 0 if healthy else 1


def findings(given: dict[str, Any]) -> Iterator[Finding]:
    """Check Python, settings, home, database, market, streams, model, kernels, port, keys, limits, the
    live parts, the events of live orders and the audit chain, in that order."""
    from agents.settings import load_settings

    yield Finding("python", healthy=sys.version_info >= (3, 11), detail=sys.version.split()[0])
    try:
        settings = load_settings(**given)
    except ConfigurationError as error:
        yield Finding("settings", healthy=False, detail=error.message, remedy=error.remedy)
        return
    yield Finding("settings", healthy=True, detail="every QTP_ variable is known and valid")
    for name, check in CHECKS.items():
        yield _run(name, check, settings)


def _run(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, healthy=True, detail=check(settings))
    except QuantumTraderError as error:
        return Finding(name, healthy=False, detail=error.message, remedy=error.remedy)


def _home(settings: Settings) -> str:
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            free = shutil.disk_usage(home).free
    except OSError as error:
        raise ConfigurationError(
            f"{str(home)!r} cannot be written: {error.strerror}.",
            remedy="Give a writable folder with --home or QTP_HOME.",
        ) from error
    if free < LOW_DISK_BYTES:
        raise ConfigurationError(
            f"Only {free / 1e6:,.0f} MB are free on the disk of {str(home)!r}.",
            remedy=f"Free at least {LOW_DISK_BYTES / 1e6:,.0f} MB, or choose another --home.",
        )
    return f"{home}, {free / 1e9:,.1f} GB free"


def _database(settings: Settings) -> str:
    from engines.storage.database import open_database

    for part in ("candles", "desk"):
        open_database(part, home=settings.home, url=settings.database_url).dispose()
    return "PostgreSQL, schema up to date" if settings.database_url else "SQLite in the home folder, schema up to date"


def _market(settings: Settings) -> str:
    from engines.domain.clock import SystemClock
    from engines.market.factory import open_market

    market = open_market(settings.market, home=settings.home, clock=SystemClock(), database_url=settings.database_url)
    instruments = market.instruments()
    quote = market.quote(instruments[0].symbol)
    label = ", simulated" if market.simulated else ""
    return f"{market.name}{label}: {len(instruments)} symbols, {quote.symbol} at {quote.last}"


def _streams(settings: Settings) -> str:
    from engines.domain.clock import SystemClock
    from engines.market.factory import open_market
    from engines.market.streaming.standing import Streamed

    if not settings.market_streams:
        return "off; QTP_MARKET_STREAMS=true streams an exchange's prices and candles"
    clock = SystemClock()
    market = open_market(
        settings.market, home=settings.home, clock=clock, database_url=settings.database_url, streams=True
    )
    if not isinstance(market, Streamed):
        return f"the market {market.name!r} has none"
    try:
        listed = [each.symbol for each in market.instruments()]
        symbol = next((each for each in _TRADED if each in listed), listed[0])
        deadline = clock.now() + _STREAM_PATIENCE
        while market.streams().alive == 0 and clock.now() < deadline:
            market.quote(symbol)
            clock.wait(timedelta(seconds=0.5))
        standing = market.streams()
    finally:
        market.close()
    if standing.alive == 0:
        raise VenueUnavailable(
            f"{market.name} streams nothing of {symbol} ({standing.trouble or 'it is silent'}); REST answers.",
            remedy="The desk runs without; set QTP_MARKET_STREAMS=false to stop trying.",
        )
    return f"{market.name}: {standing}"


def _model(settings: Settings) -> str:
    from agents.models import check_model

    return check_model(settings)


def _kernels(_: Settings) -> str:
    from engines.kernels import warm

    warm()
    return "compiled"


def _port(settings: Settings) -> str:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"{settings.host}:{settings.port} cannot be used: {error.strerror}.",
                remedy="A desk may be running there already; else choose another one with --port or QTP_PORT.",
            ) from error
    return f"{settings.host}:{settings.port} is free"


def _keys(settings: Settings) -> str:
    from api.auth import check_exposure
    from api.keys import KeyStore
    from engines.domain.clock import SystemClock
    from engines.storage.database import open_database

    engine = open_database("desk", home=settings.home, url=settings.database_url)
    keystore = KeyStore(engine, SystemClock())
    check_exposure(settings, keystore)
    if not keystore.any_issued():
        return "none; only this machine may call, and it needs none"
    active = sum(key.revoked_at is None for key in keystore.list())
    if not active:
        raise ConfigurationError(
            "Every API key is revoked, so nobody can use this desk.",
            remedy="Create one: quantum-trader keys create me --scope read --scope trade --scope approve",
        )
    return f"{active} active; every caller needs one, on this machine too"


def _audit(settings: Settings) -> str:
    from engines.domain.clock import SystemClock
    from engines.ledger.ledger import Ledger
    from engines.storage.database import open_database

    engine = open_database("desk", home=settings.home, url=settings.database_url)
    check = Ledger(engine, SystemClock()).verify_audit()
    if not check.intact:
        place = f"Record {check.broken_at} of the audit chain: {check.reason}"
        found = next(iter(check.disagreements), place)
        raise ConfigurationError(
            f"Something else than the desk changed the journal. {found}",
            remedy="Keep a copy of the database as it is, and compare it with a backup before you trade on. "
            "`quantum-trader audit verify` tells all of it.",
        )
    return f"{check.records:,} records, the chain is whole"


def _live(settings: Settings) -> str:
    from agents.live import parts_of, permit_of
    from engines.execution.live import missing_parts

    if settings.mode == "paper":
        missing = missing_parts(parts_of(settings))
        return (
            f"paper; {len(missing)} of the parts that live trading needs are not set, so no order leaves this machine"
        )
    permit = permit_of(settings)
    assert permit is not None
    return f"LIVE on {permit.venue} for {settings.live_owner!r}, REAL MONEY; {_venue_standing(settings, permit.venue)}"


def _venue_standing(settings: Settings, venue: str) -> str:
    """Who trades the venue's account now, and how ledger and venue compared last."""
    from engines.domain.clock import SystemClock
    from engines.ledger.lease import lease_holder
    from engines.ledger.ledger import Ledger
    from engines.storage.database import open_database

    engine = open_database("desk", home=settings.home, url=settings.database_url)
    holder, ledger = lease_holder(engine, venue), Ledger(engine, SystemClock())
    ours = [name for name in ledger.accounts(settings.live_owner) if name.startswith(f"live-{venue}-")]
    last = ledger.reconciliation(ours[0]) if ours else None
    engine.dispose()
    if last is not None and not last.matches:
        told = ", ".join(f"{currency} {amount:+f}" for currency, (amount, _) in last.mismatches.items())
        raise ConfigurationError(
            f"Ledger and {venue} differed at {last.time:%Y-%m-%d %H:%M} UTC: {told} at the venue.",
            remedy="Find out why; `quantum-trader reconcile --accept REASON` books what you can explain.",
        )
    traded = f"traded by process {holder.process.partition('@')[0]}" if holder else "no desk runs"
    compared = f"compared {last.time:%Y-%m-%d %H:%M} UTC, equal" if last else "never compared with the venue yet"
    return f"{traded}; {compared}"


def _events(settings: Settings) -> str:
    """How the running desk hears of its orders; asked of it, because a second listener would use up its key's turns."""
    from ui.cli.serving import running_on
    from ui.client import DeskClient, DeskError

    if settings.mode == "paper":
        return "paper; what rests is held against the market in every round"
    address = running_on(settings.home)
    if not address:
        return "no desk runs; it listens for its orders' events while it serves"
    try:
        with DeskClient(address, key=os.environ.get("QTP_API_KEY", "")) as desk:
            live = desk.status()["live"]
    except DeskError as error:
        return f"the desk at {address} does not tell ({error.message}); QTP_API_KEY names a key that may read"
    stream = live["private_stream"]
    if stream is None:
        return f"{live['venue']} has no stream of them here, so they are asked for"
    if stream["standing"] == "down":
        raise VenueUnavailable(
            f"The stream of orders at {live['venue']} is down: {stream['trouble'] or 'it was not up yet'}.",
            remedy="It is tried again by itself, and orders are asked for meanwhile; nothing is lost, only later.",
        )
    told = f"streamed by {live['venue']}, connection {stream['connections']}, {stream['silent_seconds']:.0f} s since"
    silent = "; trades are compared each minute because it is silent" if stream["standing"] == "silent" else ""
    return f"{told} the last event{silent}"


def _limits(settings: Settings) -> str:
    from engines.confirmation.risk import default_limits
    from engines.execution.limits_file import load_limits

    limits = load_limits(settings.limits_file) if settings.limits_file else default_limits()
    return f"version {limits.version}, at most {limits.max_order_notional:,} per order"


CHECKS: dict[str, Callable[[Any], str]] = {
    "home": _home,
    "database": _database,
    "market": _market,
    "streams": _streams,
    "model": _model,
    "kernels": _kernels,
    "port": _port,
    "keys": _keys,
    "limits": _limits,
    "live": _live,
    "events": _events,
    "audit": _audit,
}
