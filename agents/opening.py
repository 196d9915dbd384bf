"""From settings to services: opening what a desk stands on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from agents.live import LiveDesk, held_lease, open_live_account, permit_of
from agents.models import ModelChain, make_model
from agents.offline import OfflineChatModel
from agents.services import DEFAULT_QUOTE, Services, quote_currency_of
from engines.confirmation.confluence import confluence
from engines.confirmation.risk import RiskLimits, default_limits
from engines.domain.clock import Clock, SystemClock
from engines.domain.orders import Confluence, Side
from engines.errors import ConfigurationError
from engines.execution.context import OrderContext
from engines.execution.limits_log import record_limits, system_user
from engines.execution.live import LivePermit, open_live_venue
from engines.execution.live_gate import LiveGate
from engines.execution.paper import PaperBroker
from engines.ledger.halt_file import HaltFile
from engines.ledger.ledger import Ledger
from engines.market.demo import DemoMarket
from engines.market.factory import open_market
from engines.market.streaming.standing import Streamed
from engines.storage.database import open_database

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agents.settings import Settings
    from engines.execution.broker import Broker
    from engines.ledger.lease import Lease
    from engines.market.data import MarketData

ConfigureExchange = Callable[[Any], None]


@contextmanager
def open_services(
    settings: Settings,
    *,
    clock: Clock | None = None,
    market: MarketData | None = None,
    broker: Broker | None = None,
    model: BaseChatModel | ModelChain | None = None,
    configure_exchange: ConfigureExchange | None = None,
    leased: bool = True,
) -> Iterator[Services]:
    """Open market, ledger, broker, limits and models: the paper broker, or a live one where everything for it is set.

    Args:
        clock, market, broker, model: stand in for what the settings would open, at the desk's seams.
        configure_exchange: receives every ccxt exchange before its first use. For rehearsals and tests: no setting
            reaches it, so that real keys cannot be led elsewhere by a variable.
        leased: False to look, or cancel, beside the desk that trades: no live order passes, and the limits file, which
            may be missing, broken or changed, is neither read nor put on record.

    Raises:
        ConfigurationError: a setting cannot work; the message names it. Or another process trades the live account.
    """
    permit = permit_of(settings, trades=leased)
    clock = clock or SystemClock()
    _make_home(settings)
    engine = open_database("desk", home=settings.home, url=settings.database_url)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        source = market or _market(settings, clock, configure_exchange, streams=settings.market_streams and leased)
        if market is None and isinstance(source, Streamed):
            stack.callback(source.close)
        orders = _orders(settings, engine, clock, source, permit, trades=leased)
        if permit is None:
            opened, live = broker or PaperBroker(engine, source, clock), None
        else:
            lease = stack.enter_context(held_lease(engine, clock, permit.venue, wanted=leased))
            live = _live(settings, orders, permit, lease, broker, configure_exchange)
            opened, orders = live.broker, live.orders
        quote = quote_currency_of(source, settings)
        chain = _chain(settings, clock, orders, quote, model)
        yield Services(settings=settings, orders=orders, broker=opened, model=chain, opened_with=quote, live=live)


def _orders(
    settings: Settings, engine: Engine, clock: Clock, source: MarketData, permit: LivePermit | None, *, trades: bool
) -> OrderContext:
    def evidence(side: Side, symbol: str) -> Confluence:
        return confluence(side, symbol, market=source)

    ledger = Ledger(engine, clock, halt_file=HaltFile.of(settings.home))
    limits = permit.limits if permit else _limits(settings) if trades else default_limits()
    if trades:
        record_limits(ledger, limits, by=f"{system_user(os.getuid())} (start of the desk)")
    return OrderContext(
        ledger=ledger,
        market=source,
        clock=clock,
        limits=limits,
        confluence=evidence,
        mode="live" if permit else "paper",
        ticket_seconds=settings.ticket_seconds,
        price_band_percent=settings.price_band_percent,
        within=f"live-{permit.venue}-" if permit else "paper-",
    )


def _live(
    settings: Settings,
    orders: OrderContext,
    permit: LivePermit,
    lease: Lease | None,
    broker: Broker | None,
    configure_exchange: ConfigureExchange | None,
) -> LiveDesk:
    currency = quote_currency_of(orders.market, settings) or DEFAULT_QUOTE
    account = open_live_account(settings, orders.ledger, permit, currency).id
    gate = LiveGate(venue=permit.venue, account=account, ledger=orders.ledger, clock=orders.clock, lease=lease)
    if broker is not None:
        opened, stream = broker, None
    else:
        venue = open_live_venue(permit, account=account, configure=configure_exchange)
        opened, stream = venue.broker, venue.stream
    held = replace(orders, gate=gate.refusal, holds_protection=opened.holds_protection)
    return LiveDesk(held, opened, gate, stream)


def _market(
    settings: Settings, clock: Clock, configure_exchange: ConfigureExchange | None, *, streams: bool
) -> MarketData:
    if settings.market == "demo":
        return DemoMarket(clock, settings.demo_seed)
    return open_market(
        settings.market,
        home=settings.home,
        clock=clock,
        database_url=settings.database_url,
        configure=configure_exchange,
        streams=streams,
    )


def _chain(
    settings: Settings, clock: Clock, orders: OrderContext, quote: str, model: BaseChatModel | ModelChain | None
) -> ModelChain:
    if isinstance(model, ModelChain):
        return model

    def symbols() -> tuple[str, ...]:
        return tuple(instrument.symbol for instrument in orders.market.instruments())

    def offline() -> BaseChatModel:
        return OfflineChatModel(symbols=symbols, quote_currency=quote or DEFAULT_QUOTE)

    if model is not None:
        return ModelChain.of(model, clock=clock)
    return make_model(settings, clock=clock, offline=offline)


def _limits(settings: Settings) -> RiskLimits:
    if settings.limits_file is None:
        return default_limits()
    from engines.execution.limits_file import load_limits

    return load_limits(settings.limits_file)


def _make_home(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"QTP_HOME is {str(settings.home)!r}, which cannot be made: {error.strerror}.",
            remedy="Name a folder that can be written, with --home or QTP_HOME.",
        ) from error
