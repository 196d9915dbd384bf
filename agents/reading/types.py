"""What goes into a reading and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from engines.domain.orders import OrderType, Side, TimeInForce, Unit

SmallTalk = Literal[
    "approval_words",
    "declined",
    "empty",
    "glossary",
    "goodbye",
    "greeting",
    "help",
    "how_to_order",
    "language",
    "limits",
    "long",
    "markets",
    "off_topic",
    "stand_down",
    "switch",
    "thanks",
    "unavailable",
    "unknown",
]

# What stands between an order's words and a ticket: the one thing to ask for.
Missing = Literal["symbol", "side", "quantity", "limit_price", "stop_price", "stop_loss", "take_profit"]

COMPARE: Final = "compare_timeframes"
ALL_TOOLS: Final[frozenset[str]] = frozenset(
    {
        "get_quote",
        "scan_market",
        "get_portfolio",
        "list_orders",
        "create_alert",
        "list_alerts",
        "delete_alert",
        "explain_decision",
        "review_decisions",
        "analyze_cipher",
        COMPARE,
        "analyze_volume_profile",
        "generate_strategy",
        "backtest_strategy",
        "propose_order",
        "propose_close",
        "propose_cancel",
        "propose_replace",
    }
)
ORDER_TOOLS: Final[frozenset[str]] = frozenset({"propose_order", "propose_close", "propose_cancel", "propose_replace"})


@dataclass(frozen=True, slots=True)
class Request:
    """One tool call a message means; `args` is plain JSON data."""

    tool: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OrderWords:
    """What the words of a message say about one order; None is what they leave open.

    Attributes:
        side: None when no word names it.
        fraction: of the position, in (0, 1], for an order that closes one.
        quantity: in `unit`.
        stop_atr: the stop-loss as a distance in average true ranges.
        time_in_force, good_till: how long it is good; until when in words that `tools.good_till` reads.
        missing: the first thing that has to be asked for, or None.
        doubt: a question about something that can be read in two ways, or "".
        named: prices that were named, whether or not a number came with them.
        age: how many turns ago it was said; it is forgotten after two.
        said: the messages it was read from, oldest first; no part of what the order is.
    """

    side: Side | None = None
    closes: bool = False
    symbol: str | None = None
    quantity: Decimal | None = None
    unit: Unit | None = None
    fraction: Decimal | None = None
    order_type: OrderType = "market"
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    stop_atr: Decimal | None = None
    time_in_force: TimeInForce | None = None
    good_till: str | None = None
    missing: Missing | None = None
    doubt: str = ""
    named: tuple[str, ...] = ()
    age: int = 0
    said: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What the thread and the desk already know when a message arrives.

    Attributes:
        symbols: everything the market lists.
        quote_currency: a bare asset is priced in it.
        last_symbol, last_timeframe, last_tool: of the newest request in the thread.
        last_timeframes: of the newest table of several in the thread.
        last_explained: (argument, value) of the newest explanation in the thread.
        last_period: (argument, value) of the period of the newest profile in the thread.
        pending_order: an order still waiting for something that was asked for.
        pending_tickets: (label, one line of text) of the tickets that wait for a person.
        positions: symbols the account holds, where they are known.
        holdings: (symbol, quantity in base units) of the positions, where they are known.
        open_entries: (symbol, id) of the orders that wait to open or close a position, where they are known.
        tools: names of the tools that exist.
        market, simulated, account: for the first lines of a conversation.
        limit: the largest order of the account, in words.
        now: the desk's time, where it is known: it makes a date of "friday".
    """

    symbols: tuple[str, ...] = ()
    quote_currency: str = "USDT"
    last_symbol: str | None = None
    last_timeframe: str | None = None
    last_tool: str | None = None
    last_timeframes: tuple[str, ...] = ()
    last_explained: tuple[tuple[str, str], ...] = ()
    last_period: tuple[tuple[str, str | int], ...] = ()
    pending_order: OrderWords | None = None
    pending_tickets: tuple[tuple[str, str], ...] = ()
    positions: tuple[str, ...] = ()
    holdings: tuple[tuple[str, str], ...] = ()
    open_entries: tuple[tuple[str, str], ...] = ()
    tools: frozenset[str] = ALL_TOOLS
    market: str = ""
    simulated: bool = False
    account: str = ""
    limit: str = ""
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message means: requests to carry out, one question to ask, or words to answer with.

    Attributes:
        requests: tool calls, in the order of the message.
        question: the one thing to ask before anything is prepared, or None.
        small_talk: the kind of `reply` where the message asks for no tool.
        reply: words to answer with; beside requests it says what the desk cannot do yet.
        orders: every order the message speaks of, complete or not.
        pending_order: the order that `question` is about, for the next turn.
        asks_for_order: the person wants an order, close or cancellation in this turn.
        listed: requests found in a message too long to act on; nothing of it is carried out.
        lead: what cannot be told of what was asked, to be said first.
        facts: the panel's facts that were asked for by name.
    """

    requests: tuple[Request, ...] = ()
    question: str | None = None
    small_talk: SmallTalk | None = None
    reply: str = ""
    orders: tuple[OrderWords, ...] = ()
    pending_order: OrderWords | None = None
    asks_for_order: bool = False
    listed: tuple[Request, ...] = field(default=())
    lead: str = ""
    facts: tuple[str, ...] = ()
