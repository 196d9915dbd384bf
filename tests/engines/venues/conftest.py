"""The venue emulator as a process of its own, and ccxt clients that can reach nothing else."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engines.domain.clock import ManualClock
from engines.domain.orders import Order, OrderTicket
from engines.execution.broker import VenueOrder
from engines.execution.paper import PaperBroker
from engines.execution.prepare import client_order_id
from engines.execution.venues import EXERCISED, VENUES, CcxtBroker, Credentials
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import VenueClient, connect
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database
from tests.engines.templates import START, TICKET, listed

PROGRAM = Path(__file__).resolve().parents[2] / "emulator"
BLOCKED = "http://127.0.0.1:9/BLOCKED"
"""Where every address leads that a test did not mean to use: nobody listens on the discard port."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    process: subprocess.Popen[str]
    port: int
    token: str
    keys: dict[str, dict[str, str]]

    def order(self, venue: str, verb: str, /, **fields: Any) -> Any:
        """Give an instruction to a venue's control door."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/control/{venue}/{verb}",
            data=json.dumps(fields).encode(),
            headers={"X-Control-Token": self.token, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def addresses(self, venue: str) -> dict[str, Any]:
        """The `urls['api']` entries of a venue that lead to the emulator; all others are to be blocked."""
        http, ws = (f"{scheme}://127.0.0.1:{self.port}/{venue}" for scheme in ("http", "ws"))
        if venue == "binance":
            # ccxt takes an address for spot by the word `/stream` in it.
            sockets = {"spot": f"{ws}/stream/ws", "ws-api": {"spot": f"{ws}/ws-api/v3"}}
            return {"public": f"{http}/api/v3", "private": f"{http}/api/v3", "ws": sockets}
        if venue == "kraken":
            # ccxt takes an address for the second interface, whose pings are other ones, by the word `v2` in it.
            sockets = {"public": f"{ws}/public", "private": f"{ws}/private", "beta": f"{ws}/beta"}
            sockets |= {"publicV2": f"{ws}/public/v2", "privateV2": f"{ws}/private/v2"}
            return {"public": http, "private": http, "ws": sockets}
        sockets = {"public": {"spot": f"{ws}/v5/public/spot"}, "private": {"contract": f"{ws}/v5/private"}}
        return {"spot": http, "public": http, "private": http, "v2": http, "ws": sockets}


class Handle:
    """One venue of the emulator, reset for one test."""

    def __init__(self, emulator: Emulator, venue: str) -> None:
        self.emulator = emulator
        self.venue = venue

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda **fields: self.emulator.order(self.venue, verb, **fields)

    async def aside(self, verb: str, **fields: Any) -> Any:
        """Give an instruction without holding up the event loop."""
        return await asyncio.to_thread(self.emulator.order, self.venue, verb, **fields)

    async def subscribed(self, count: int = 1) -> None:
        """Wait until clients have asked for that many things, so that the next event reaches them."""
        for _ in range(1000):
            opened = (await self.aside("sockets"))["open"]
            if sum(len(socket["subscriptions"]) or socket["private"] for socket in opened) >= count:
                return
            await asyncio.sleep(0.01)
        pytest.fail(f"there are no {count} subscriptions")


def start_emulator() -> Emulator:
    """Start an emulator on a free port."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "--port", "0"], stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/bin"}
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    return Emulator(process, ready["port"], ready["token"], ready["venues"])


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The emulator, shared by all tests of a process."""
    running = start_emulator()
    yield running
    running.process.terminate()
    running.process.wait(timeout=10)
    assert running.process.stdout is not None
    running.process.stdout.close()


@pytest.fixture
def open_venue(emulator: Emulator) -> Callable[..., Handle]:
    """Resets a venue and gives its control handle."""

    def open_(venue: str, **money: str) -> Handle:
        handle = Handle(emulator, venue)
        handle.clear()
        handle.reset(**({"money": money} if money else {}))
        return handle

    return open_


def _blocked(addresses: Any) -> Any:
    if isinstance(addresses, dict):
        return {name: _blocked(value) for name, value in addresses.items()}
    if isinstance(addresses, list):
        return [_blocked(value) for value in addresses]
    return BLOCKED if addresses else addresses


def _merged(blocked: Any, real: Any) -> Any:
    if not isinstance(blocked, dict) or not isinstance(real, dict):
        return real
    return blocked | {name: _merged(blocked.get(name), value) for name, value in real.items()}


@pytest.fixture(scope="session")
def on_loopback(emulator: Emulator) -> Callable[[Any], Any]:
    """Points every address of a ccxt client at the emulator, or at nothing."""

    def point(client: Any) -> Any:
        client.urls = _blocked(client.urls)
        client.urls["api"] = _merged(client.urls["api"], emulator.addresses(client.id))
        return client

    return point


@pytest.fixture(scope="session")
def settings(emulator: Emulator) -> Callable[[str], dict[str, Any]]:
    """What a ccxt client of a venue is made with."""

    def of(venue: str) -> dict[str, Any]:
        options: dict[str, Any] = {"fetchCurrencies": False, "fetchMargins": False}
        if venue != "kraken":
            options["fetchMarkets"] = {"types": ["spot"]}
        keys = {"apiKey": emulator.keys[venue]["key"], "secret": emulator.keys[venue]["secret"]}
        return {**keys, "timeout": 5000, "enableRateLimit": False, "options": options}

    return of


@pytest.fixture(scope="session")
def sync_client(
    settings: Callable[[str], dict[str, Any]], on_loopback: Callable[[Any], Any]
) -> Iterator[Callable[..., Any]]:
    """Makes blocking ccxt clients; the same settings get the same client, for making one takes long."""
    made: dict[str, Any] = {}

    def make(venue: str, **changes: Any) -> Any:
        import ccxt

        key = venue + json.dumps(changes, sort_keys=True)
        if key not in made:
            made[key] = on_loopback(getattr(ccxt, venue)(settings(venue) | changes))
        return made[key]

    yield make
    for client in made.values():
        client.session.close()


@pytest.fixture(scope="session")
def pro_client(settings: Callable[[str], dict[str, Any]], on_loopback: Callable[[Any], Any]) -> Callable[..., Any]:
    """Makes a ccxt.pro client for an `async with`; it is the async client, too."""

    @asynccontextmanager
    async def make(venue: str, **changes: Any) -> AsyncIterator[Any]:
        import ccxt.pro

        client = on_loopback(getattr(ccxt.pro, venue)(settings(venue) | changes))
        try:
            yield client
        finally:
            await client.close()

    return make


ACCOUNT = "paper-fixed-usdt:ann"
"""The account of every ticket: the one that the desk's fixtures open on paper."""
_BUY = replace(
    TICKET,
    account=ACCOUNT,
    mode="live",
    simulated=False,
    quantity=Decimal("0.1"),
    reference_price=Decimal(50_000),
    notional=Decimal(5_000),
    estimated_fee=Decimal(5),
)


@pytest.fixture(scope="session")
def ticket() -> Callable[..., OrderTicket]:
    """Makes tickets to buy 0.1 BTC/USDT at the market, each with an id of its own; a price makes another type."""

    def make(**fields: Any) -> OrderTicket:
        given: dict[str, Any] = {
            name: Decimal(value) if isinstance(value, int) else value for name, value in fields.items()
        }
        given.setdefault("id", secrets.token_hex(8))
        kind = "limit" if "limit_price" in given else "stop" if "stop_price" in given else "market"
        order_id = client_order_id(given["id"])
        force = "IOC" if kind == "market" else "GTC"
        given |= {"client_order_id": order_id, "order_type": kind, "time_in_force": force}
        return replace(_BUY, **given)

    return make


@pytest.fixture(scope="session")
def ledger_order() -> Callable[[OrderTicket, VenueOrder], Order]:
    """A ticket's order as the ledger has it once the venue has told where it stands."""

    def make(ticket: OrderTicket, seen: VenueOrder) -> Order:
        shared = set(Order.__slots__) & set(OrderTicket.__slots__) - {"id", "status", "reason", "quantity"}
        return Order(
            **{name: getattr(ticket, name) for name in shared - {"created_at"}},
            id=ticket.client_order_id,
            ticket_id=ticket.id,
            quantity=seen.quantity,
            status="filled" if seen.status == "filled" else "accepted",
            filled=seen.filled,
            average_price=None,
            venue_order_id=seen.venue_order_id,
            reason=seen.reason,
            created_at=START,
            updated_at=START,
            fills=seen.fills,
        )

    return make


@pytest.fixture(scope="session")
def _exchanges(emulator: Emulator, on_loopback: Callable[[Any], Any]) -> Iterator[Callable[[str, int], Any]]:
    """The ccxt exchanges that `connect` makes, pointed at the emulator; making one takes long."""
    made: dict[tuple[str, int], list[Any]] = {}

    def exchange(venue: str, timeout_ms: int) -> Any:
        def keep(new: Any) -> None:
            made[venue, timeout_ms] = [on_loopback(new)]

        if (venue, timeout_ms) not in made:
            keys = Credentials(emulator.keys[venue]["key"], emulator.keys[venue]["secret"])
            connect(venue, keys, RequestBudget(1, 1), configure=keep, timeout_ms=timeout_ms)
        return made[venue, timeout_ms][0]

    yield exchange
    for [client] in made.values():
        client.session.close()


@pytest.fixture
def venue_broker(_exchanges: Callable[[str, int], Any]) -> Callable[..., CcxtBroker]:
    """Makes brokers over the emulator that have sent nothing yet; `patience` is a client's timeout in ms."""

    def make(venue: Any, *, patience: int = 5000, budget: RequestBudget | None = None, **more: Any) -> CcxtBroker:
        exchange = _exchanges(venue, patience)
        exchange.session.hooks["response"].clear()
        client = VenueClient(exchange, budget or RequestBudget(1e6, 1e6, sleep=lambda seconds: None))
        return CcxtBroker(VENUES[venue][0](client), client, account=ACCOUNT, **more)

    return make


@pytest.fixture
def paper_market() -> FixedMarket:
    """BTC/USDT at 49,995 to 50,005."""
    steps: dict[str, Any] = {"lot_size": Decimal("0.00001"), "maker_fee": Decimal("0.001")}
    market = FixedMarket((listed(**steps), listed("ETH", "BTC", **steps)), ManualClock(START))
    market.set_quote("BTC/USDT", "49995", "50005")
    return market


@pytest.fixture
def paper_venue(tmp_path: Path, paper_market: FixedMarket) -> Iterator[PaperBroker]:
    """The paper venue as its one account sees it."""
    clock, market = ManualClock(START), paper_market
    engine = open_database("desk", home=tmp_path)
    Ledger(engine, clock).ensure_account("ann", currency="USDT", cash=Decimal(100_000), market="fixed")
    yield PaperBroker(engine, market, clock, account=ACCOUNT)
    engine.dispose()


@pytest.fixture(params=["paper", *EXERCISED])
def broker(request: pytest.FixtureRequest) -> Any:
    """An account of 100,000 USDT, BTC/USDT at 49,995 to 50,005."""
    if request.param == "paper":
        return request.getfixturevalue("paper_venue")
    request.getfixturevalue("open_venue")(request.param, USDT="100000")
    return request.getfixturevalue("venue_broker")(request.param)
