"""Rules about conduct: how often orders are sent, whether they meet each other, and how the account fares."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from engines.confirmation.risk_limits import RiskLimits
from engines.confirmation.risk_situation import NOTHING, Check, Finding, Situation, only, share
from engines.confirmation.wording import lasting, money, percent, plain
from engines.domain.activity import Activity, Submission
from engines.domain.orders import Order, OrderIntent

# Reached, they put the account into REDUCING.
LOSS_RULES: Final = frozenset({"daily_loss", "drawdown", "losing_streak"})


def order_rate(_: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """No more orders in a second and in a minute than the account may send; cancels are not counted."""
    activity = situation.activity
    per_second, per_minute = limits.max_orders_per_second, limits.max_orders_per_minute
    limit = f"{per_second} a second, {per_minute} a minute"
    if activity is None:
        return Finding("order_rate", limit, "", None)
    second, minute = (_sent_within(activity, timedelta(seconds=seconds)) + 1 for seconds in (1, 60))
    within = second <= per_second and minute <= per_minute
    message = (
        f"This would be order {second} within a second and {minute} within a minute, and the limit is {limit} "
        f"({limits.named}). Wait a moment, then ask again."
    )
    used = max(Decimal(second) / per_second, Decimal(minute) / per_minute) * 100
    return Finding("order_rate", limit, f"{second}, {minute}", only(within), message, used)


def self_trade(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """No order that would be filled by the account's own resting one."""
    met = _own_order_met(intent, situation, limits)
    message = ""
    if met is not None:
        own = f"{met.side} {plain(met.quantity - met.filled)} at {plain(met.limit_price or NOTHING)}"
        message = f"This order would trade with your own resting order {met.id} ({own}). Cancel that one first."
    return Finding("self_trade", "none", "none" if met is None else met.id, only(met is None), message)


def daily_loss(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """Buys end for the day once so much of the opening equity is lost."""
    opening = situation.activity.opening_equity if situation.activity else None
    told = "since the market's day began (00:00 UTC) or the account was last resumed"
    return _loss("daily_loss", limits.max_daily_loss_fraction, opening, told, intent, situation, limits)


def drawdown(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """Buys end once equity is so far below its peak."""
    peak = situation.activity.peak_equity if situation.activity else None
    told = "below its highest equity"
    return _loss("drawdown", limits.max_drawdown_fraction, peak, told, intent, situation, limits)


def losing_streak(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """Buys end once so many sells in a row closed at a loss."""
    streak = situation.activity.losing_streak if situation.activity else 0
    within = streak < limits.max_losing_streak or intent.side == "sell"
    message = (
        f"The last {streak} sells of this account closed at a loss and the limit is {limits.max_losing_streak} "
        f"({limits.named}): only orders that reduce a holding pass."
    )
    used = share(Decimal(streak), Decimal(limits.max_losing_streak))
    return Finding("losing_streak", str(limits.max_losing_streak), str(streak), only(within), message, used)


def look_alikes(intent: OrderIntent, activity: Activity, limits: RiskLimits, *, ticket_id: str = "") -> tuple[str, ...]:
    """Orders like this one that were sent just before, one sentence each; a person has to mean the repetition.

    Args:
        ticket_id: the intent's own ticket, which is no look-alike of itself.
    """
    return tuple(
        f"It is the same as {sent.label}, sent {lasting(activity.at - sent.sent_at)} ago."
        for sent in activity.recent
        if sent.ticket_id != ticket_id
        and activity.at - sent.sent_at < timedelta(seconds=limits.duplicate_seconds)
        and _looks_like(intent, sent)
    )


def _looks_like(intent: OrderIntent, sent: Submission) -> bool:
    alike = ("symbol", "side", "order_type", "quantity", "limit_price", "stop_price")
    return all(getattr(intent, name) == getattr(sent, name) for name in alike)


def _sent_within(activity: Activity, span: timedelta) -> int:
    return sum(activity.at - sent.sent_at < span for sent in activity.recent)


def _own_order_met(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Order | None:
    """The resting order of the other side that this one reaches; a stop waits, so it reaches none."""
    if situation.activity is None or intent.order_type == "stop":
        return None
    is_buy, slip = intent.side == "buy", limits.slippage_percent / 100
    reach = intent.limit_price or situation.quote.taking(intent.side) * (1 + slip if is_buy else 1 - slip)
    for order in situation.activity.resting:
        level = order.limit_price
        opposite = order.symbol == intent.symbol and order.side != intent.side
        if opposite and level is not None and (reach >= level if is_buy else reach <= level):
            return order
    return None


def _loss(
    name: str,
    cap: Decimal,
    before: Decimal | None,
    told: str,
    intent: OrderIntent,
    situation: Situation,
    limits: RiskLimits,
) -> Finding:
    limit = percent(cap * 100)
    if before is None or before <= 0:
        return Finding(name, limit, "not known yet", None)
    lost = max(NOTHING, before - situation.equity)
    fraction, currency = lost / before, situation.account.currency
    message = (
        f"This account is {money(lost, currency)} ({percent(fraction * 100)}) down {told} and the limit is {limit} "
        f"({limits.named}): only orders that reduce a holding pass."
    )
    passes = fraction < cap or intent.side == "sell"
    return Finding(name, limit, percent(fraction * 100), only(passes), message, share(fraction, cap))


CONDUCT_RULES: Final[tuple[Check, ...]] = (order_rate, self_trade, daily_loss, drawdown, losing_streak)
