"""Score a chat model on utterances whose tool calls are known: `python tests/evals/score.py [FILE] [-v]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agents.offline import OfflineChatModel

SYMBOLS: Final = tuple(
    f"{b}/USDT" for b in ["ADA", "AVAX", "BCH", "BNB", "BTC", "DOGE", "DOT", "ETH", "LINK", "LTC", "SOL", "XRP"]
)
TOOLS: Final = (
    "get_quote",
    "get_portfolio",
    "list_orders",
    "explain_decision",
    "review_decisions",
    "analyze_cipher",
    "compare_timeframes",
    "analyze_volume_profile",
    "propose_order",
    "propose_close",
    "propose_cancel",
)
OWN: Final = Path(__file__).parent / "utterances.jsonl"


@dataclass(frozen=True)
class Outcome:
    """One turn: what was expected and what the model called."""

    utterance: str
    text: str
    expected: list[dict[str, Any]]
    called: list[dict[str, Any]]
    reply: str

    @property
    def passed(self) -> bool:
        """Each expected call was made with at least its arguments, and no other call.

        A proposal has exactly its arguments: a price nobody spoke of is a wrong order.
        """
        return len(self.called) == len(self.expected) and all(
            want["name"] == got["name"]
            and want["args"].items() <= got["args"].items()
            and (want["args"] == got["args"] or not got["name"].startswith("propose_"))
            for want, got in zip(self.expected, self.called, strict=True)
        )


def load(path: Path) -> list[dict[str, Any]]:
    """The utterances of a file, one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def offline_model(tools: Sequence[str] = TOOLS) -> BaseChatModel:
    """The offline model, bound to tools of these names."""
    model = OfflineChatModel(symbols=lambda: SYMBOLS)
    bound = model.bind_tools([_schema(name) for name in tools])
    assert isinstance(bound, BaseChatModel)
    return bound


def _schema(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": name, "parameters": {"type": "object"}}}


def score(model: BaseChatModel, utterances: Iterable[dict[str, Any]], tools: Sequence[str] = TOOLS) -> list[Outcome]:
    """Talk through every utterance; calls of tools that are not there are expected not to be made."""
    outcomes = []
    for utterance in utterances:
        messages: list[BaseMessage] = []
        for turn in utterance["turns"]:
            messages.append(HumanMessage(turn["text"]))
            answer = model.invoke(messages)
            assert isinstance(answer, AIMessage)
            called = [{"name": c["name"], "args": c["args"]} for c in answer.tool_calls]
            expected = [c for c in turn["calls"] if c["name"] in tools]
            outcomes.append(Outcome(utterance["id"], turn["text"], expected, called, str(answer.content)))
            messages.append(answer)
            messages += [ToolMessage("done", tool_call_id=str(c["id"])) for c in answer.tool_calls]
            if answer.tool_calls:
                messages.append(AIMessage("Done."))
    return outcomes


def main(arguments: Sequence[str]) -> None:
    """Print the score of the offline model, and every turn it gets wrong."""
    paths = [Path(a) for a in arguments if not a.startswith("-")] or [OWN]
    for path in paths:
        outcomes = score(offline_model(), load(path))
        wrong = [o for o in outcomes if not o.passed]
        for outcome in wrong:
            print(f"{outcome.utterance} {outcome.text!r}\n  expected {outcome.expected}\n  called   {outcome.called}")
            print(f"  said     {outcome.reply!r}" if outcome.reply else "")
        right = len(outcomes) - len(wrong)
        print(f"{path}: {right} of {len(outcomes)} turns right ({100 * right / len(outcomes):.1f} %)")


if __name__ == "__main__":
    main(sys.argv[1:])
