"""The desk's own words where no tool is called: greetings, help, what it cannot do, what it asks."""

from __future__ import annotations

from typing import Final

from agents.reading.types import Missing, OrderWords, ReadingContext, SmallTalk
from agents.reading.waiting import tickets_reply
from engines.domain.timeframe import TIMEFRAMES

_FIXED: Final = {
    "thanks": "You are welcome.",
    "goodbye": "Until next time. Pending tickets stay with you until they expire.",
    "declined": "Understood: nothing was ordered and nothing was changed.",
    "switch": (
        "Nothing was stopped or resumed: words do not switch trading, a person does. The button `Stop trading` at the "
        "top of the chat does it, and so do `quantum-trader halt REASON` and `POST /v1/halt`; once halted the same "
        "button, `quantum-trader resume REASON` and `POST /v1/resume` go on. `cancel all my orders` makes a ticket."
    ),
}
_LISTED: Final = 60
_ABILITIES: Final = (
    ("analyze_cipher", "momentum of a market (`How does {a} look on the 4h?`)"),
    ("analyze_volume_profile", "price levels by volume (`value area for {a} 1d`)"),
    ("explain_decision", "why a mark or an order is as it is (`why no green dot on {a} 4h at 14:00?`)"),
    ("get_quote", "prices (`price of {b}`)"),
    ("get_portfolio", "your account (`show my positions`)"),
    ("list_orders", "your orders (`open orders`)"),
    ("review_decisions", "what your decisions cost or saved (`/review`)"),
    ("propose_order", "orders, as tickets that you approve yourself (`buy 0.05 {a}, stop 58,000`, `sell half my {a}`)"),
    ("propose_cancel", "cancellations (`cancel all my orders`)"),
    ("propose_replace", "changes of orders that wait (`change my {a} limit to 58,000`)"),
    ("scan_market", "scans (`which coins have a green dot on the 4h?`)"),
    ("create_alert", "alerts (`alert me when {a} 1h prints a green dot`)"),
    ("generate_strategy", "strategies and backtests (`make me a trend strategy for {a} 4h`)"),
)
_UNAVAILABLE: Final = {
    "review_decisions": "The desk cannot look back on decisions here. What works now: `show my positions` and "
    "`open orders`.",
    "create_alert": "Alerts cannot be set on this desk yet, so nothing is being watched. What works now: "
    "the panel or the price whenever you ask, for example `cipher {a} 1h` or `price of "
    "{a}`.",
    "list_alerts": "There are no alerts on this desk yet, so none are set. What works now: `open orders` "
    "and `show my positions`.",
    "delete_alert": "There are no alerts on this desk yet, so there is none to delete. What works now: "
    "`cancel all my orders` for orders.",
    "scan_market": "The desk cannot scan the whole market yet. What works now: up to eight markets in "
    "one question, for example `{a} and {b} on the 4h`.",
    "generate_strategy": "The desk cannot write strategies yet. What works now: the evidence a strategy would "
    "use, for example `cipher {a} 4h` or `volume profile {a} 4h`.",
    "backtest_strategy": "The desk cannot run backtests yet. What works now: the panel at the last closed "
    "candle, for example `cipher {a} 4h`.",
    "explain_decision": "The desk cannot explain a single signal or ticket in retrospect yet. What works now: "
    "the panel with its values, for example `cipher {a} 1h`, and `open orders`.",
}


def abilities(context: ReadingContext) -> str:
    """What the desk can do, as a list with sentences that work."""
    first, second = example_assets(context)
    lines = [f"- {text.format(a=first, b=second)}" for tool, text in _ABILITIES if tool in context.tools]
    return "\n".join(lines)


def example_assets(context: ReadingContext) -> tuple[str, str]:
    """Two assets of this market to put into examples."""
    bases = list(dict.fromkeys(s.partition("/")[0] for s in context.symbols))
    ordered = [b for b in ("BTC", "ETH", "SOL") if b in bases] + [b for b in bases if b not in {"BTC", "ETH", "SOL"}]
    first = ordered[0] if ordered else "BTC"
    return first, ordered[1] if len(ordered) > 1 else "BTC" if first == "ETH" else "ETH"


def unavailable(tool: str, context: ReadingContext) -> str:
    """What the desk cannot do yet, and what it can do instead."""
    first, second = example_assets(context)
    text = _UNAVAILABLE.get(tool, "That is not possible on this desk right now. Ask `what can you do?` for what is.")
    return text.format(a=first, b=second)


def small_talk(kind: SmallTalk, context: ReadingContext) -> str:
    """The reply to a message that needs no tool."""
    first, second = example_assets(context)
    can = abilities(context)
    match kind:
        case "greeting" | "empty":
            return f"Hello. {_whereabouts(context)} Four ways to start:\n{_starters(context)}"
        case "help":
            return (
                f"{_whereabouts(context)} I can help with:\n{can}\nNothing is traded before "
                f"you approve exactly that ticket."
            )
        case "thanks" | "goodbye" | "declined" | "switch":
            return _FIXED[kind]
        case "approval_words":
            return tickets_reply(context)
        case "stand_down":
            return "Dropped: nothing was prepared." + (f" {tickets_reply(context)}" if context.pending_tickets else "")
        case "how_to_order":
            return (
                f"Write the order in plain words, for example `buy 0.05 {first}` or `sell 0.5 {second} "
                f"at 2,400, stop 2,500`. "
                "It becomes a ticket with its cost, limits and evidence; only your approval on the ticket sends it. "
                "A stop-loss is your choice."
            )
        case "language":
            return f"I read English only. In English you can ask about:\n{can}"
        case "markets":
            return _markets(context)
        case "limits":
            return _limits(context)
        case "off_topic":
            return f"That is outside this desk; I only know markets and your account. I can help with:\n{can}"
        case _:
            return f"I could not read that as something I can do, so nothing was done. What I can do:\n{can}"


def _limits(context: ReadingContext) -> str:
    largest = f"The largest order of this account is `{context.limit}`. " if context.limit else ""
    return f"{largest}`quantum-trader doctor` shows the limits and their version."


def _markets(context: ReadingContext) -> str:
    if not context.symbols:
        return "The market does not list its symbols right now. Ask again in a moment."
    shown, more = context.symbols[:_LISTED], len(context.symbols) - _LISTED
    rest = f" and `{more}` more" if more > 0 else ""
    return f"You can ask about and trade `{', '.join(shown)}`{rest}. Orders need your approval on a ticket."


def ask_missing(missing: Missing, order: OrderWords, context: ReadingContext) -> str:
    """The question for the one thing an order lacks."""
    first, second = example_assets(context)
    asset = order.symbol.partition("/")[0] if order.symbol else first
    if missing == "symbol":
        return f"Which market? For example {first} or {second}."
    if missing == "side":
        return f"Buy or sell {asset}?"
    if missing == "quantity" and order.closes:
        return f"How much of it? For example half, `25 %` or all of my {asset}."
    if missing == "quantity" and order.side == "sell":
        return f"How much? For example `0.05 {asset}`, `500 {context.quote_currency}`, half or all of my {asset}."
    if missing == "quantity":
        return f"How much? For example `0.05 {asset}`, `500 {context.quote_currency}` or `2 %` of the account."
    if missing == "stop_loss" and order.unit in {"risk", "risk_quote"}:
        return (
            f"Where is the stop? The size follows from it. Write a price in {context.quote_currency}, such as "
            f"`stop 58,000`, or a distance, such as `stop 2 atr`."
        )
    name = {"limit_price": "limit", "stop_price": "trigger", "stop_loss": "stop-loss", "take_profit": "take-profit"}[
        missing
    ]
    return f"At which price is the {name}? Write the number, in {context.quote_currency}."


def ask_timeframe(said: str) -> str:
    """The question for a timeframe there are no candles of."""
    return f"There are no `{said}` candles here. Which timeframe: {', '.join(TIMEFRAMES)}?"


def _whereabouts(context: ReadingContext) -> str:
    """What the desk is, its market and the account; examples stand in code so that no figure of them needs a source."""
    market = f" Market: {context.market}{', simulated' if context.simulated else ''}." if context.market else ""
    account = f" Account: {context.account}." if context.account else ""
    return f"This is a trading desk you talk to: ask in plain words, approve every order yourself.{market}{account}"


def _starters(context: ReadingContext) -> str:
    first, second = example_assets(context)
    lines = (
        f"How does {first} look on the 4h?",
        f"Value area for {second} 1d",
        "Show my positions",
        f"Buy 0.01 {first}",
    )
    return "\n".join(f"- `{line}`" for line in lines)
