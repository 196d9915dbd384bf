"""Quotes, the portfolio and orders, as a model may read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, Protocol

from langchain_core.tools import BaseTool, tool

from engines.confirmation.open_risk import OpenRisk
from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.orders import Mode, Order, OrderTicket, Side
from engines.domain.trading_state import Standing
from engines.errors import NotFound
from engines.market.data import MarketData
from tools import wording
from tools.arguments import Symbol

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Holding:
    """One open position at the market's price; prices and values in quote units.

    Attributes:
        risk: what its stops cover, and what it loses on the way to them.
    """

    symbol: str
    quantity: Decimal
    average_price: Decimal
    mark: Decimal
    unrealised: Decimal
    risk: OpenRisk = field(default_factory=OpenRisk)


@dataclass(frozen=True, slots=True)
class ExternalOrder:
    """An open order on the venue account that this desk did not place; quantity in base, price in quote units."""

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal | None
    venue_order_id: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account at one instant, in its own currency.

    Attributes:
        equity: cash and holdings at the market's prices.
        reserved: what open orders hold back of the cash.
        realised: profit already taken, fees included.
        externals: open orders of somebody else on a live account; what they would spend is in `reserved`.
        standing: whether it may trade.
        reason: why it may not, with references to the figures in it, and what these refer to.
    """

    mode: Mode
    currency: str
    cash: Decimal
    reserved: Decimal
    equity: Decimal
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    holdings: tuple[Holding, ...]
    externals: tuple[ExternalOrder, ...] = ()
    standing: Standing = field(default_factory=Standing)
    reason: tuple[str, Mapping[str, EvidenceValue]] = ("", MappingProxyType({}))


class AccountReader(Protocol):
    """Reads one owner's account; it can change nothing."""

    def view(self) -> AccountView:
        """The account now.

        Raises:
            VenueUnavailable: a holding cannot be priced.
        """
        ...

    def orders(self, *, status: Literal["open", "all"], symbol: str | None) -> Sequence[Order]:
        """Submitted orders, newest first."""
        ...

    def pending_tickets(self, symbol: str | None) -> Sequence[OrderTicket]:
        """Tickets that wait for the person, newest first."""
        ...

    def external_orders(self, symbol: str | None) -> Sequence[ExternalOrder]:
        """Open orders of somebody else on a live account."""
        ...


def market_desk_tools(market: MarketData, account: AccountReader) -> list[BaseTool]:
    """The tools of the market desk, reading `market` and one owner's `account`."""

    @tool(response_format="content_and_artifact")
    def get_quote(symbol: Symbol) -> tuple[str, Evidence]:
        """Get the current price of one market: last, bid, ask.

        Use it for "price of X", "how much is X". Not for trend or momentum (`analyze_cipher`).
        """
        evidence = _quote(market, symbol)
        return evidence.headline, evidence

    @tool(response_format="content_and_artifact")
    def get_portfolio() -> tuple[str, Evidence]:
        """Read the account: equity, cash, positions with their stops, profit, open risk, and whether it may trade.

        Use it for "my positions", "how am I doing", "what is my balance", "what is my open risk", "status".
        """
        evidence = _portfolio(market, account.view())
        return evidence.headline, evidence

    @tool(response_format="content_and_artifact")
    def list_orders(status: Literal["open", "all"] = "open", symbol: str | None = None) -> tuple[str, Evidence]:
        """List the account's orders, and the tickets that wait for approval.

        `open` (the default) shows what can still fill; `all` also what is done. Give `symbol` for one market.
        """
        evidence = _orders(market, account, status, symbol)
        return evidence.headline, evidence

    return [get_quote, get_portfolio, list_orders]


def _quote(market: MarketData, symbol: str) -> Evidence:
    instrument = market.instrument(symbol)
    quote = market.quote(symbol)
    spread = (quote.ask - quote.bid) / quote.mid * 100 if quote.mid else Decimal(0)
    return Evidence(
        kind="quote",
        tool="get_quote",
        arguments={"symbol": symbol},
        symbol=symbol,
        timeframe=None,
        as_of=quote.time.isoformat(),
        market=market.name,
        simulated=market.simulated,
        headline=f"{symbol} trades at {{last}} {instrument.quote} (bid {{bid}}, ask {{ask}}, {{time}}).",
        brief="Spread {spread} of the price.",
        values={
            "last": wording.price(quote.last, "last price", instrument),
            "bid": wording.price(quote.bid, "best bid", instrument),
            "ask": wording.price(quote.ask, "best ask", instrument),
            "spread": EvidenceValue(f"{spread:f}", "percent", f"{spread:.3f} %", "spread"),
            "time": EvidenceValue(quote.time.isoformat(), "time", wording.clock_text(quote.time), "time of the quote"),
        },
        next_steps=(f"Cipher {symbol} 4h", f"Volume profile {symbol} 1h"),
    )


def _portfolio(market: MarketData, view: AccountView) -> Evidence:
    currency = view.currency
    values = {
        "equity": wording.money(view.equity, f"equity, {currency}"),
        "cash": wording.money(view.cash, f"cash, {currency}"),
        "reserved": wording.money(view.reserved, f"held back by open orders, {currency}"),
        "realised": wording.money(view.realised, f"realised profit, {currency}", show_sign=True),
        "unrealised": wording.money(view.unrealised, f"unrealised profit, {currency}", show_sign=True),
        "fees": wording.money(view.fees, f"fees paid, {currency}"),
        "positions": wording.count(len(view.holdings), "open positions"),
    }
    lines = ["Realised {realised}, unrealised {unrealised}, fees paid {fees} " + f"{currency}."]
    for number, holding in enumerate(view.holdings[:_SHOWN], 1):
        lines.append(_holding_line(market, holding, number, values))
    if len(view.holdings) > _SHOWN:
        lines.append(f"And more: the first {_SHOWN} of {{positions}} positions are shown.")
    lines += [_risk_line(market, view, values)] if view.holdings else []
    lines += _external_lines(market, view.externals, values)
    held = "no open position" if not view.holdings else "{positions} open position" + "s" * (len(view.holdings) > 1)
    reserved = " ({reserved} of it held back by open orders)" if view.reserved else ""
    return Evidence(
        kind="portfolio",
        tool="get_portfolio",
        arguments={},
        symbol=None,
        timeframe=None,
        as_of=market.now().isoformat(),
        market=market.name,
        simulated=market.simulated,
        headline=f"The {view.mode} account is worth {{equity}} {currency}: {{cash}} {currency} cash{reserved}, {held}.",
        brief="\n".join([*_standing_lines(view, values), *lines]),
        values=values,
        next_steps=(f"Close {view.holdings[0].symbol}", "Open orders") if view.holdings else ("Price of BTC",),
    )


def _holding_line(market: MarketData, holding: Holding, number: int, values: dict[str, EvidenceValue]) -> str:
    instrument = market.instrument(holding.symbol)
    cost = holding.average_price * abs(holding.quantity)
    share = holding.unrealised / cost * 100 if cost else Decimal(0)
    values |= {
        f"quantity_{number}": wording.quantity(holding.quantity, f"{holding.symbol} held", instrument),
        f"average_{number}": wording.price(holding.average_price, f"{holding.symbol} average entry", instrument),
        f"mark_{number}": wording.price(holding.mark, f"{holding.symbol} price", instrument),
        f"profit_{number}": wording.money(holding.unrealised, f"{holding.symbol} unrealised profit", show_sign=True),
        f"share_{number}": wording.percent(share, f"{holding.symbol} unrealised profit", show_sign=True),
    }
    return (
        f"{holding.symbol}: {{quantity_{number}}} at {{average_{number}}} average, now {{mark_{number}}}, "
        f"{{profit_{number}}} {instrument.quote} ({{share_{number}}}). {_stops(holding, number, instrument, values)}"
    )


def _stops(holding: Holding, number: int, instrument: Instrument, values: dict[str, EvidenceValue]) -> str:
    """Which stops are at work for a holding."""
    risk = holding.risk
    if risk.nearest is None:
        return "No stop is at work."
    values[f"stop_{number}"] = wording.price(risk.nearest, f"{holding.symbol} nearest stop", instrument)
    if not _bare(holding, instrument):
        return f"Stop at {{stop_{number}}}."
    values[f"covered_{number}"] = wording.quantity(risk.covered, f"{holding.symbol} that stops would sell", instrument)
    return f"Stop at {{stop_{number}}}, for {{covered_{number}}} of it only."


def _bare(holding: Holding, instrument: Instrument) -> Decimal:
    """What no stop covers, base units; less than a lot cannot be sold and is no risk."""
    left = abs(holding.quantity - holding.risk.covered)
    return left if left >= instrument.lot_size else Decimal(0)


def _risk_line(market: MarketData, view: AccountView, values: dict[str, EvidenceValue]) -> str:
    """What all holdings lose on the way to their stops, and what no stop covers."""
    loss = sum((holding.risk.loss for holding in view.holdings), Decimal(0))
    bare = sum((_bare(each, market.instrument(each.symbol)) * each.mark for each in view.holdings), Decimal(0))
    said = ""
    if any(holding.risk.covered for holding in view.holdings):
        share = loss / view.equity * 100 if view.equity else Decimal(0)
        values["risk"] = wording.money(loss, f"lost from here to the stops, {view.currency}")
        values["risk_share"] = wording.percent(share, "lost from here to the stops, of the account")
        said = (
            f"Open risk: {{risk}} {view.currency} ({{risk_share}} of the account) from here to the stops, before fees."
        )
    if not bare:
        return said
    values["bare"] = wording.money(bare, f"held without a stop, {view.currency}")
    return f"{said} Held without a stop: {{bare}} {view.currency}.".strip()


def _standing_lines(view: AccountView, values: dict[str, EvidenceValue]) -> list[str]:
    """What trading is restricted to; nothing while it is not."""
    standing = view.standing
    if standing.state == "active":
        return []
    why, figures = view.reason
    values |= figures
    may = "only cancels pass" if standing.state == "halted" else "only cancels and sales pass"
    return [f"Trading is {standing.state.upper()}: {may}. Reason: {why.rstrip('.')}."]


def _external_lines(
    market: MarketData, externals: Sequence[ExternalOrder], values: dict[str, EvidenceValue]
) -> list[str]:
    """Orders that this desk did not place: told as EXTERNAL, so that nobody takes them for its own."""
    lines = []
    for number, order in enumerate(externals[:_SHOWN], 1):
        instrument = _listed(market, order.symbol)
        values[f"external_{number}"] = wording.quantity(order.quantity, f"{order.symbol} ordered elsewhere", instrument)
        at = ""
        if order.price is not None:
            what = f"{order.symbol} price of an external order"
            values[f"external_price_{number}"] = wording.price(order.price, what, instrument)
            at = f" at {{external_price_{number}}}"
        lines.append(
            f"EXTERNAL: {order.side} {{external_{number}}} {order.symbol}{at}, placed elsewhere on this account; it "
            "counts as exposure and this desk does not touch it."
        )
    if len(externals) > _SHOWN:
        values["externals"] = wording.count(len(externals), "external orders")
        lines.append(f"And more: the first {_SHOWN} of {{externals}} EXTERNAL orders are shown.")
    return lines


def _listed(market: MarketData, symbol: str) -> Instrument | None:
    try:
        return market.instrument(symbol)
    except NotFound:
        return None


def _orders(market: MarketData, account: AccountReader, status: Literal["open", "all"], symbol: str | None) -> Evidence:
    orders, tickets = account.orders(status=status, symbol=symbol), account.pending_tickets(symbol)
    kind = "open order" if status == "open" else "order"
    of = f" of {symbol}" if symbol else ""
    values = {
        "orders": wording.count(len(orders), f"{kind}s{of}"),
        "tickets": wording.count(len(tickets), "tickets that wait for approval"),
    }
    lines = [
        _order_line(order, number, market.instrument(order.symbol), values, market.now())
        for number, order in enumerate(orders[:_SHOWN], 1)
    ]
    lines += [
        f"Waiting for your approval: {ticket.label}, {ticket.side} {ticket.symbol}."
        if ticket.kind == "order"
        else f"Waiting for your approval: {ticket.label}, a cancellation."
        for ticket in tickets[:_SHOWN]
    ]
    if len(orders) > _SHOWN:
        lines.append(f"And more: the newest {_SHOWN} of {{orders}} are shown.")
    lines += _external_lines(market, account.external_orders(symbol), values)
    found = f"There is no {kind}{of}" if not orders else f"There {'are' if len(orders) > 1 else 'is'} {{orders}} {kind}"
    plural = "s" if len(orders) > 1 else ""
    headline = f"{found}{plural}{of if orders else ''}" + (", and {tickets} pending ticket" if tickets else "")
    return Evidence(
        kind="orders",
        tool="list_orders",
        arguments={"status": status, **({"symbol": symbol} if symbol else {})},
        symbol=symbol,
        timeframe=None,
        as_of=market.now().isoformat(),
        market=market.name,
        simulated=market.simulated,
        headline=f"{headline}{'s' if len(tickets) > 1 else ''}.",
        brief="\n".join(lines),
        values=values,
        next_steps=("Cancel all my orders",) if orders and status == "open" else ("My positions",),
    )


def _order_line(
    order: Order, number: int, instrument: Instrument, values: dict[str, EvidenceValue], now: datetime
) -> str:
    values[f"quantity_{number}"] = wording.quantity(order.quantity, f"{order.symbol} ordered", instrument)
    line = f"{order.side.capitalize()} {{quantity_{number}}} {order.symbol}"
    for name, label in (("limit_price", "limit"), ("stop_price", "stop")):
        level: Decimal | None = getattr(order, name)
        if level is not None:
            values[f"{label}_{number}"] = wording.price(level, f"{order.symbol} {label} price", instrument)
            line += f" at {label} {{{label}_{number}}}"
    line += f": {order.status.replace('_', ' ')}"
    if order.filled and order.average_price is not None:
        values[f"filled_{number}"] = wording.quantity(order.filled, f"{order.symbol} filled", instrument)
        values[f"average_{number}"] = wording.price(order.average_price, f"{order.symbol} average fill", instrument)
        line += f", filled {{filled_{number}}} at {{average_{number}}} average"
    made = order.created_at
    when = f"{made:%H:%M} UTC" if made.date() == now.date() else f"{made:%Y-%m-%d %H:%M} UTC"
    return f"{line} (order {order.id}, {when})."
