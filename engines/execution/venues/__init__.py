"""Real venues behind the `Broker` contract: one account, one venue, explicit keys.

    opened = open_venue_account("binance", Credentials(key, secret), account="live-binance-usdt:ann")

    ccxt_broker.CcxtBroker     sends once, classifies what came back, looks up by our own id
    ccxt_client.VenueClient    one request at a time through ccxt, which is imported when the client is made
    failures.FailureTable      what an error proves, by exact class, code and status; everything else is unknown
    standing.standing_of       status of an order from its venue's word and the trades that are listed
    clock_check.ClockCheck     no order while the clocks are more than a second apart
    budget.RequestBudget       the request limit, with room kept back for cancels
    exits.ExitKeeper           exits that the venue holds: placed once, never sent while they may be there
    private_stream.PrivateStream    the account's own events through ccxt.pro: they wake the desk and prove nothing
    private_words.WORDS        what each venue's stream says
    binance, bybit, kraken,    what differs: ids, order forms, look-ups, error tables, protection
    okx, coinbase

A fill's id is unique at its venue; a status word that nobody knows leaves an order open and says so in its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from engines.execution.venues.binance import Binance
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.bybit import Bybit
from engines.execution.venues.ccxt_broker import CcxtBroker
from engines.execution.venues.ccxt_client import TIMEOUT_MS, Credentials, VenueClient, connect
from engines.execution.venues.coinbase import Coinbase
from engines.execution.venues.dialect import Dialect
from engines.execution.venues.kraken import Kraken
from engines.execution.venues.okx import Okx
from engines.execution.venues.private_stream import PrivateStream, stream_of

VenueName = Literal["binance", "bybit", "kraken", "okx", "coinbase"]

__all__ = ["EXERCISED", "VENUES", "CcxtBroker", "Credentials", "OpenedVenue", "VenueName", "open_venue_account"]

VENUES: Final[dict[VenueName, tuple[Callable[[VenueClient], Dialect], float, float]]] = {
    # A fifth of Binance's 6,000 a minute: the desk's market data comes from the same address.
    "binance": (Binance, 1_200.0, 20.0),
    # Bybit counts requests per second and route; half of the strictest that is used here.
    "bybit": (Bybit, 20.0, 10.0),
    # Kraken's counter for a starter account: fifteen, one less every three seconds.
    "kraken": (Kraken, 15.0, 0.33),
    # OKX counts per route, sixty in two seconds for orders and twenty for the slowest list that is used here.
    "okx": (Okx, 20.0, 10.0),
    # Coinbase: thirty a second with keys; half of it.
    "coinbase": (Coinbase, 15.0, 15.0),
}
"""Dialect, request weight that may be spent at once, and weight that comes back each second."""

EXERCISED: Final[tuple[VenueName, ...]] = ("binance", "bybit", "kraken")
"""Those that keep the whole broker contract against an emulator with faults; of the others, requests and answers are
tested one by one."""


@dataclass(frozen=True, slots=True)
class OpenedVenue:
    """One account at one venue: what orders go through, and what tells at once that something happened to them."""

    broker: CcxtBroker
    stream: PrivateStream


def open_venue_account(
    venue: VenueName,
    credentials: Credentials,
    *,
    account: str,
    configure: Callable[[Any], None] | None = None,
    timeout_ms: int = TIMEOUT_MS,
) -> OpenedVenue:
    """A broker of one account at one venue and the account's stream; nothing is sent before their first use.

    Args:
        account: the ledger's account that stands for the venue's.
        configure: receives every ccxt exchange first, to point it at another address.

    Raises:
        KeyError: there is no dialect of that venue.
    """
    dialect, capacity, per_second = VENUES[venue]
    budget = RequestBudget(capacity, per_second)
    client = connect(venue, credentials, budget, configure=configure, timeout_ms=timeout_ms)
    broker = CcxtBroker(dialect(client), client, account=account)
    return OpenedVenue(broker, stream_of(client, credentials, configure=configure))
