"""What decisions cost or saved, as a model may read it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Protocol

from langchain_core.tools import BaseTool, tool
from pydantic import Field

from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.instruments import Instrument
from engines.domain.review import Calibration, Review, ReviewedDecision, Road
from engines.errors import NotFound, VenueError
from engines.market.data import MarketData
from tools import wording
from tools.analysis import content
from tools.decisions import quoted

_SHOWN: Final = 6
_LOOKED_AT: Final = 100
SymbolOrNone = Annotated[str | None, Field(description="Only decisions on this market; leave it out for all.")]
_ENDED: Final = {
    "unfilled": "its price was not reached",
    "held": "it would still be held",
    "sold": "it would have been sold",
    "stopped": "its stop-loss would have ended it",
    "target": "its take-profit would have ended it",
}
_DOING: Final = {"rejected": "rejecting it", "expired": "letting it expire", "edited": "the edit"}


class ReviewReader(Protocol):
    """Looks back on one owner's decisions; it can change nothing."""

    def review(self, *, symbol: str | None, limit: int) -> Review:
        """What the newest decisions cost or saved.

        Raises:
            VenueUnavailable: the market did not answer.
        """
        ...


def review_tools(market: MarketData, reader: ReviewReader) -> list[BaseTool]:
    """The tool that looks back, over `market` and one owner's decisions."""

    @tool(response_format="content_and_artifact")
    def review_decisions(symbol: SymbolOrNone = None) -> tuple[str, Evidence]:
        """Review the person's decisions: what rejected, expired and edited tickets would have come to.

        Use it for "/review", "what did my rejections cost", "roads not taken", "how often was the score right". It
        marks each order that was not taken to the market as if approved at its price. Not for profit made
        (`get_portfolio`), nor for why one ticket is as it is (`explain_decision`).
        """
        name = symbol.strip().upper() if symbol else None
        evidence = review_evidence(market, reader.review(symbol=name, limit=_LOOKED_AT))
        return content(evidence), evidence

    return [review_decisions]


def review_evidence(market: MarketData, review: Review) -> Evidence:
    """A review in words, every figure of it a value with its source."""
    values: dict[str, EvidenceValue] = {}
    headline = _headline(review, values)
    lines = [_decision_line(market, each, number, review, values) for number, each in enumerate(_shown(review), 1)]
    if len(review.decisions) > len(lines):
        lines.append("And more: GET /v1/review lists all of them.")
    told = [quoted(warning, f"warning_{number}", values) for number, warning in enumerate(review.warnings, 1)]
    # The first warning stands beside the sum: it says how little the sum may mean.
    headline, lines = " ".join([headline, *told[:1]]), [*lines, *told[1:]]
    lines.append(_calibration_line(review.calibration, values))
    return Evidence(
        kind="review",
        tool="review_decisions",
        arguments={"symbol": review.symbol} if review.symbol else {},
        symbol=review.symbol,
        timeframe=None,
        as_of=review.as_of.isoformat(),
        market=review.market,
        simulated=review.simulated,
        headline=headline,
        brief="\n".join(lines),
        values=values,
        parameters={"model": review.model, "horizon_hours": review.calibration.horizon_hours},
        next_steps=(f"Why {review.decisions[0].label}?", "My positions") if review.decisions else ("My positions",),
    )


def _headline(review: Review, values: dict[str, EvidenceValue]) -> str:
    of = f" on {review.symbol}" if review.symbol else ""
    if not review.decisions:
        return (
            f"No ticket{of} was rejected, left to expire or edited yet, so there is no road not taken to look back on."
        )
    values["decisions"] = wording.count(len(review.decisions), f"decisions against a ticket{of}")
    values["marked"] = wording.count(review.marked, "of them that could be marked")
    values["net"] = wording.money(abs(review.net), f"what they {_verb(review.net)} in all, {review.currency}")
    kinds = []
    for each in review.sums:
        if each.decisions:
            values[each.choice] = wording.count(each.decisions, f"{each.choice} tickets{of}")
            kinds.append(f"{{{each.choice}}} {each.choice}")
    counted = f"{_and(kinds)} ticket{'s' if len(review.decisions) > 1 else ''}{of}"
    if not review.marked:
        return f"You decided against {counted}; none of it can be marked yet."
    came = f"{_verb(review.net)} you {{net}} {review.currency}" if review.net else "neither cost nor saved anything"
    return f"Your decisions against {counted} {came} so far, after fees."


def _shown(review: Review) -> list[ReviewedDecision]:
    """The newest decisions."""
    return list(review.decisions[:_SHOWN])


def _decision_line(
    market: MarketData, each: ReviewedDecision, number: int, review: Review, values: dict[str, EvidenceValue]
) -> str:
    instrument = _instrument(market, each.symbol)
    values[f"quantity_{number}"] = wording.quantity(each.quantity, f"{each.label} quantity", instrument)
    values[f"price_{number}"] = wording.price(each.price, f"{each.label} price on the ticket", instrument)
    what = f"{each.side} {{quantity_{number}}} {each.symbol} at {{price_{number}}}"
    when = f"{each.decided_at:%Y-%m-%d %H:%M} UTC"
    line = f"{each.label}, {each.choice} {when}: {what}"
    if each.road is None or each.effect is None:
        return f"{line}. Not marked: {quoted(each.unmarked, f'unmarked_{number}', values)}"
    values[f"result_{number}"] = wording.money(each.road.result, _receipt(each.label, each.road), show_sign=True)
    values[f"effect_{number}"] = wording.money(abs(each.effect), f"{each.label}: {_DOING[each.choice]}, after fees")
    came = f"{line}; {_ENDED[each.road.state]} ({{result_{number}}} {review.currency})"
    if each.replacement_road is not None:
        label = _receipt(each.replacement, each.replacement_road)
        values[f"instead_{number}"] = wording.money(each.replacement_road.result, label, show_sign=True)
        came += f", {each.replacement} in its place comes to {{instead_{number}}}"
    if not each.effect:
        return f"{came}: nothing was cost or saved."
    return f"{came}: {_DOING[each.choice]} {_verb(each.effect)} {{effect_{number}}} {review.currency}."


def _receipt(label: str, road: Road) -> str:
    """Where a road's result comes from: its entry, its end and the candle it was last marked at."""
    entry = "not filled" if road.entry is None else f"in at {road.entry.price:f} by {road.entry.rule}"
    end = road.exit or road.mark
    looked = ", ".join(f"{count} {timeframe}" for timeframe, count in road.candles.items())
    last = f"{end.rule}, {end.price:f} at {end.time:%Y-%m-%d %H:%M} UTC"
    return f"{label} as if approved: {entry}; {last}; fees {road.fees:f}; candles looked at: {looked}"


def _calibration_line(found: Calibration, values: dict[str, EvidenceValue]) -> str:
    scored = found.scored
    if scored.share is None or found.brier is None:
        return found.warning
    hours = f"{found.horizon_hours} hours later"
    values["right"] = wording.count(scored.right, f"calls of the confluence score that were right {hours}")
    values["calls"] = wording.count(scored.calls, f"calls of the confluence score that are {hours} old")
    values["share"] = _percent(scored.share, "share of calls that were right")
    values["low"] = _percent(
        scored.low, "lower bound of that share, 95 % confidence (Wilson), overlapping calls as one"
    )
    values["high"] = _percent(
        scored.high, "upper bound of that share, 95 % confidence (Wilson), overlapping calls as one"
    )
    values["brier"] = EvidenceValue(found.brier, "ratio", f"{found.brier:.3f}", "Brier score of (1 + score) / 2")
    values["coin"] = EvidenceValue(0.25, "ratio", "0.25", "Brier score of saying one half every time")
    values["confidence"] = EvidenceValue("95", "percent", "95 %", "confidence of the interval (Wilson)")
    told = (
        "The confluence score leaned the way the price then went in {right} of {calls} tickets ({share}, {confidence} "
        f"interval {{low}} to {{high}}), held against the price {hours}; Brier score {{brier}}, where a coin gets "
        "{coin}."
    )
    return f"{told} {quoted(found.warning, 'warning_score', values)}".strip()


def _percent(share: float, label: str) -> EvidenceValue:
    return wording.percent(Decimal(str(share)) * 100, label)


def _instrument(market: MarketData, symbol: str) -> Instrument | None:
    try:
        return market.instrument(symbol)
    except (NotFound, VenueError):
        return None


def _verb(amount: Decimal) -> str:
    return "saved" if amount > 0 else "cost"


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
