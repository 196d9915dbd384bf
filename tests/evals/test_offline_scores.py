"""The offline model, scored through the model interface like any other.

On first sight, before the grammar was widened by what it got wrong, it had 220 of the first 225 turns of
`utterances.jsonl` right (h001 to h199) and 94 of the last 100 (h200 to h299); no wrong order was among the misses.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

FLOOR = 0.98


def test_every_shared_utterance_is_understood(scoring: ModuleType, shared: Path) -> None:
    outcomes = scoring.score(scoring.offline_model(), scoring.load(shared / "evals" / "utterances.jsonl"))
    assert [(o.utterance, o.text, o.called) for o in outcomes if not o.passed] == []


def test_what_needs_a_tool_that_is_not_there_is_answered_in_words(scoring: ModuleType, shared: Path) -> None:
    for utterance in scoring.load(shared / "evals" / "utterances.jsonl"):
        if any(call["name"] not in scoring.TOOLS for turn in utterance["turns"] for call in turn["calls"]):
            for outcome in scoring.score(scoring.offline_model(), [utterance]):
                assert outcome.called == []
                assert "yet" in outcome.reply


def test_our_own_utterances_stay_above_the_floor(scoring: ModuleType) -> None:
    outcomes = scoring.score(scoring.offline_model(), scoring.load(scoring.OWN))
    assert len(outcomes) >= 200
    right = sum(o.passed for o in outcomes) / len(outcomes)
    assert right >= FLOOR, [o.text for o in outcomes if not o.passed]


def test_no_utterance_gets_an_order_it_did_not_mean(scoring: ModuleType) -> None:
    for outcome in scoring.score(scoring.offline_model(), scoring.load(scoring.OWN)):
        proposed = [c for c in outcome.called if c["name"].startswith("propose_")]
        assert len(proposed) <= len([c for c in outcome.expected if c["name"].startswith("propose_")]), outcome.text


def test_stopping_in_words_is_never_taken_for_done(scoring: ModuleType) -> None:
    turns: list[dict[str, object]] = [
        {"text": text, "calls": []} for text in ("stop trading", "halt", "Kill switch!", "resume trading please")
    ]
    for outcome in scoring.score(scoring.offline_model(), [{"id": "halting", "turns": [turn]} for turn in turns]):
        assert outcome.called == []
        assert outcome.reply.startswith("Nothing was stopped or resumed")
        assert "quantum-trader halt" in outcome.reply
