"""From settings to services: opening what a desk stands on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from agents.models import ModelChain, make_model
from agents.offline import OfflineChatModel
from agents.services import DEFAULT_QUOTE, Services, quote_currency_of
from engines.confirmation.confluence import confluence
from engines.confirmation.risk import RiskLimits, default_limits
from engines.domain.clock import Clock, SystemClock
from engines.domain.orders import Confluence, Side
from engines.errors import ConfigurationError
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.ledger.halt_file import HaltFile
from engines.ledger.ledger import Ledger
from engines.market.demo import DemoMarket
from engines.market.factory import open_market
from engines.storage.database import open_database

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agents.settings import Settings
    from engines.execution.broker import Broker
    from engines.market.data import MarketData


@contextmanager
def open_services(
    settings: Settings,
    *,
    clock: Clock | None = None,
    market: MarketData | None = None,
    broker: Broker | None = None,
    model: BaseChatModel | ModelChain | None = None,
) -> Iterator[Services]:
    """Open market, ledger, paper broker, limits and models.

    Args:
        clock, market, broker, model: stand in for what the settings would open, at the desk's seams.

    Raises:
        ConfigurationError: a setting cannot work; the message names it.
    """
    clock = clock or SystemClock()
    _make_home(settings)
    engine = open_database("desk", home=settings.home, url=settings.database_url)
    try:
        yield _services(settings, engine, clock, market, broker, model)
    finally:
        engine.dispose()


def _services(
    settings: Settings,
    engine: Engine,
    clock: Clock,
    market: MarketData | None,
    broker: Broker | None,
    model: BaseChatModel | ModelChain | None,
) -> Services:
    source = market or _market(settings, clock)

    def evidence(side: Side, symbol: str) -> Confluence:
        return confluence(side, symbol, market=source)

    quote = quote_currency_of(source, settings)
    orders = OrderContext(
        ledger=Ledger(engine, clock, halt_file=HaltFile.of(settings.home)),
        market=source,
        clock=clock,
        limits=_limits(settings),
        confluence=evidence,
        ticket_seconds=settings.ticket_seconds,
        price_band_percent=settings.price_band_percent,
    )
    return Services(
        settings=settings,
        orders=orders,
        broker=broker or PaperBroker(engine, source, clock),
        model=_chain(settings, clock, orders, quote, model),
        opened_with=quote,
    )


def _market(settings: Settings, clock: Clock) -> MarketData:
    if settings.market == "demo":
        return DemoMarket(clock, settings.demo_seed)
    return open_market(settings.market, home=settings.home, clock=clock, database_url=settings.database_url)


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
