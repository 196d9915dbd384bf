"""The offline model's final text: the evidence of a turn, in the desk's voice, with references for every figure."""

from __future__ import annotations

import re
from typing import Any, Final

from langchain_core.messages import ToolMessage

from agents.panel_facts import named_facts
from agents.profile_facts import profile_facts, unsaid
from agents.reading import Reading
from agents.reading.thread import text_of_message

_REFERENCE: Final = re.compile(r"\{([a-zA-Z0-9_]+)\}")


def compose(results: list[ToolMessage], reading: Reading) -> str:
    """Word the results of one turn.

    What was asked for by name comes first. One result: its headline, then its brief. Several: disagreement about a
    market first, then all headlines, then the briefs. Errors are passed on as they are. What the desk could not do or
    has to ask closes the text.
    """
    evidence = [m.artifact for m in results if m.status != "error" and isinstance(m.artifact, dict)]
    errors = [text_of_message(m) for m in results if m.status == "error"]
    plain = [text_of_message(m) for m in results if m.status != "error" and not isinstance(m.artifact, dict)]
    headlines = _once([_referring(e, "headline") for e in evidence])
    briefs = [unsaid(_brief(e, evidence), reading.facts) for e in evidence]
    opening = "\n".join(dict.fromkeys([*disagreements(evidence), *headlines]))
    asides = [part for part in (reading.reply, reading.question) if part]
    facts = [*named_facts(evidence, reading.facts), *profile_facts(evidence, reading.facts)]
    told = " ".join(part for part in [reading.lead if evidence else "", *facts] if part)
    return "\n\n".join(part for part in [*errors, told, opening, *briefs, *plain, *asides] if part)


def _once(headlines: list[str]) -> list[str]:
    """The same headlines with the market's label said once, by the last of them."""
    return [*(h.removesuffix(_SIMULATED).rstrip() for h in headlines[:-1]), *headlines[-1:]]


def _brief(item: dict[str, Any], evidence: list[dict[str, Any]]) -> str:
    """The brief of one piece of evidence; among several it begins with what it is about."""
    brief = _referring(item, "brief")
    if not brief or brief == _referring(item, "headline"):
        return ""
    if len(evidence) == 1 or not item.get("symbol"):
        return brief
    return f"**{' '.join(_about(item))}**\n{brief}"


def _about(item: dict[str, Any]) -> list[str]:
    return [
        str(part) for part in (item.get("symbol"), item.get("timeframe"), _NAMES.get(str(item.get("kind")))) if part
    ]


def disagreements(evidence: list[dict[str, Any]]) -> list[str]:
    """One sentence for each market on which two pieces of evidence lean in opposite directions."""
    leanings: dict[str, dict[int, list[str]]] = {}
    for item in evidence:
        lean = _lean(item)
        if lean and item.get("symbol"):
            name = " ".join(str(p) for p in (_KINDS.get(str(item["kind"])), item.get("timeframe")) if p)
            leanings.setdefault(str(item["symbol"]), {}).setdefault(lean, []).append(name)
    return [
        f"The evidence on {symbol} disagrees: {_and(sides[1])} {_verb(sides[1])} up, "
        f"{_and(sides[-1])} {_verb(sides[-1])} down."
        for symbol, sides in leanings.items()
        if len(sides) == 2
    ]


_SIMULATED: Final = "*Simulated market.*"
_NAMES: Final = {"cipher": "momentum", "volume": "volume profile", "quote": "price", "explain": "explanation"}
_KINDS: Final = {"cipher": "momentum", "volume": "the volume profile"}


def _lean(item: dict[str, Any]) -> int:
    """+1, -1 or 0: the evidence's own score where it has one, else waves or price against its reference."""
    values: dict[str, Any] = {name: value.get("value") for name, value in item.get("values", {}).items()}
    if item.get("kind") not in _KINDS or "period" in values:
        return 0  # where price stands to a time that is over is no view of the market now
    score = _number(values.get("score"))
    if score is not None:
        return (score > 0) - (score < 0)
    pairs = (("wt1", "wt2"),) if item["kind"] == "cipher" else (("close", "vah"), ("close", "val"))
    numbers = [(_number(values.get(a)), _number(values.get(b))) for a, b in pairs]
    signs = {(a > b) - (a < b) for a, b in numbers if a is not None and b is not None}
    return signs.pop() if len(signs) == 1 else 0


def _number(value: Any) -> float | None:
    try:
        return float(value) if value is not None and not isinstance(value, bool) else None
    except (TypeError, ValueError):
        return None


def _and(names: list[str]) -> str:
    return " and ".join(dict.fromkeys(names))


def _verb(names: list[str]) -> str:
    return "lean" if len(set(names)) > 1 else "leans"


def _referring(item: dict[str, Any], part: str) -> str:
    """The evidence's wording with `{name}` made into `{id.name}`; other braces stay."""
    values = item.get("values", {})
    identity = item.get("id") or item.get("kind")

    def reference(match: re.Match[str]) -> str:
        return f"{{{identity}.{match[1]}}}" if match[1] in values else match[0]

    return _REFERENCE.sub(reference, str(item.get(part) or "")).strip()
