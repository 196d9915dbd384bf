"""Rules about conduct: how often orders are sent, whether they meet each other, and how the account fares."""

from __future__ import annotations

from collections.abc import Collection
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
_SINCE_OPENING: Final = "since the market's day began (00:00 UTC) or the account was last resumed"


def order_rate(_: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """No more orders in a second and in a minute than the account may send; cancels are not counted."""
    activity = situation.activity
    per_second, per_minute = limits.max_orders_per_second, limits.max_orders_per_minute
    limit = f"{per_second} a second, {per_minute} a minute"
    if activity is None:
        return Finding("order_rate", limit, "not counted", None)
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
    return _loss("daily_loss", limits.max_daily_loss_fraction, intent, situation, limits)


def drawdown(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """Buys end once equity is so far below its peak."""
    return _loss("drawdown", limits.max_drawdown_fraction, intent, situation, limits)


def losing_streak(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """Buys end once so many sells in a row closed at a loss."""
    streak, most = situation.activity.losing_streak if situation.activity else 0, limits.max_losing_streak
    message = breaches(situation.equity, situation.account.currency, situation.activity, limits).get(
        "losing_streak", ""
    )
    passes, used = not message or intent.side == "sell", share(Decimal(streak), Decimal(most))
    return Finding("losing_streak", str(most), str(streak), only(passes), message, used)


def breaches(equity: Decimal, currency: str, activity: Activity | None, limits: RiskLimits) -> dict[str, str]:
    """Which loss limits an account has reached, each with what is said of it."""
    if activity is None:
        return {}
    found: dict[str, str] = {}
    for name, cap, before, told in (
        ("daily_loss", limits.max_daily_loss_fraction, activity.opening_equity, _SINCE_OPENING),
        ("drawdown", limits.max_drawdown_fraction, activity.peak_equity, "below its highest equity"),
    ):
        fraction = _lost(before, equity)
        if fraction is not None and before is not None and fraction >= cap:
            lost = f"{money(before - equity, currency)} ({percent(fraction * 100)})"
            found[name] = f"This account is {lost} down {told} and the limit is {percent(cap * 100)} ({limits.named})"
    if activity.losing_streak >= limits.max_losing_streak:
        found["losing_streak"] = (
            f"The last {activity.losing_streak} sells of this account closed at a loss and the limit is "
            f"{limits.max_losing_streak} ({limits.named})"
        )
    return {name: f"{message}: only orders that reduce a holding pass." for name, message in found.items()}


def look_alikes(
    intent: OrderIntent, activity: Activity, limits: RiskLimits, *, apart_from: Collection[str] = ()
) -> tuple[str, ...]:
    """Orders like this one that were sent just before, one sentence each; a person has to mean the repetition.

    Args:
        apart_from: tickets that are no look-alikes: the intent's own, and that of an order it takes the place of.
    """
    return tuple(
        f"It is the same as {sent.label}, sent {lasting(activity.at - sent.sent_at)} ago."
        for sent in activity.recent
        if sent.ticket_id not in apart_from
        and not sent.is_refused
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
        if (
            opposite
            and not order.waits_at_desk
            and level is not None
            and (reach >= level if is_buy else reach <= level)
        ):
            return order
    return None


def _loss(name: str, cap: Decimal, intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    activity, limit = situation.activity, percent(cap * 100)
    before = None if activity is None else activity.opening_equity if name == "daily_loss" else activity.peak_equity
    fraction = _lost(before, situation.equity)
    if fraction is None:
        return Finding(name, limit, "not known yet", None)
    message = breaches(situation.equity, situation.account.currency, activity, limits).get(name, "")
    passes = not message or intent.side == "sell"
    return Finding(name, limit, percent(fraction * 100), only(passes), message, share(fraction, cap))


def _lost(before: Decimal | None, equity: Decimal) -> Decimal | None:
    """The fraction of an earlier equity that is gone; None where there was none."""
    return None if before is None or before <= 0 else max(NOTHING, before - equity) / before


CONDUCT_RULES: Final[tuple[Check, ...]] = (order_rate, self_trade, daily_loss, drawdown, losing_streak)
