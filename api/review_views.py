"""A review in the shape clients get."""

from __future__ import annotations

from decimal import Decimal

from api.schemas import review as shapes
from engines.domain import review as domain


def review_view(found: domain.Review) -> shapes.Review:
    """Decisions, sums and scores, money as decimals in text."""
    return shapes.Review(
        account=found.account,
        currency=found.currency,
        market=found.market,
        simulated=found.simulated,
        as_of=found.as_of.isoformat(),
        symbol=found.symbol,
        looked_at=found.looked_at,
        older=found.older,
        net=_text(found.net),
        sums=[
            shapes.ChoiceSum(
                choice=each.choice,
                decisions=each.decisions,
                marked=each.marked,
                saved=_text(each.saved),
                cost=_text(each.cost),
                net=_text(each.net),
            )
            for each in found.sums
        ],
        decisions=[_decision(each) for each in found.decisions],
        calibration=_calibration(found.calibration),
        warnings=list(found.warnings),
        model=found.model,
    )


def _decision(each: domain.ReviewedDecision) -> shapes.Decision:
    return shapes.Decision(
        ticket_id=each.ticket_id,
        label=each.label,
        choice=each.choice,
        decided_at=each.decided_at.isoformat(),
        by=each.by,
        symbol=each.symbol,
        side=each.side,
        order_type=each.order_type,
        quantity=_text(each.quantity),
        price=_text(each.price),
        score=each.score,
        effect=None if each.effect is None else _text(each.effect),
        road=_road(each.road),
        replacement=each.replacement,
        replacement_road=_road(each.replacement_road),
        unmarked=each.unmarked,
    )


def _road(road: domain.Road | None) -> shapes.Road | None:
    if road is None:
        return None
    return shapes.Road(
        state=road.state,
        entry=None if road.entry is None else _step(road.entry),
        exit=None if road.exit is None else _step(road.exit),
        mark=_step(road.mark),
        fees=_text(road.fees),
        result=_text(road.result),
        final=road.is_final,
        candles=road.candles,
        unseen_seconds=road.unseen_seconds,
        notes=list(road.notes),
    )


def _step(step: domain.Step) -> shapes.Step:
    return shapes.Step(price=_text(step.price), time=step.time.isoformat(), rule=step.rule)


def _calibration(found: domain.Calibration) -> shapes.Calibration:
    return shapes.Calibration(
        horizon_hours=found.horizon_hours,
        scored=_rate(found.scored),
        brier=found.brier,
        buckets=[
            shapes.ScoreBucket(lowest=each.lowest, highest=each.highest, moved=_rate(each.moved))
            for each in found.buckets
        ],
        independent=found.independent,
        too_young=found.too_young,
        without_view=found.without_view,
        unmarked=found.unmarked,
        warning=found.warning,
    )


def _rate(rate: domain.HitRate) -> shapes.HitRate:
    return shapes.HitRate(calls=rate.calls, right=rate.right, share=rate.share, low=rate.low, high=rate.high)


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
