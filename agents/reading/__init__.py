"""Reading a trader's message without a model: a lexicon, a grammar, and the rule "when in doubt, ask"."""

from agents.reading.reader import read
from agents.reading.thread import after_turn, context_from_messages
from agents.reading.types import ALL_TOOLS, ORDER_TOOLS, OrderWords, Reading, ReadingContext, Request

__all__ = [
    "ALL_TOOLS",
    "ORDER_TOOLS",
    "OrderWords",
    "Reading",
    "ReadingContext",
    "Request",
    "after_turn",
    "context_from_messages",
    "read",
]
