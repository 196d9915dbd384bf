"""What decisions cost or saved, from the ledger's own tickets, and how often the score was right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.orders import Account, Confluence, OrderIntent, OrderTicket, Side
from engines.domain.review import Review
from engines.domain.timeframe import Timeframe
from engines.errors import Expired, NotFound, VenueUnavailable
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import TicketEdits, edit_ticket, prepare_ticket
from engines.execution.submit import submit
from engines.ledger.calibration import Call, calibrate, hit_rate
from engines.ledger.review import FEW, review_tickets
from engines.ledger.tickets import Decided
from engines.market.fixed import FixedMarket

Ask = Callable[..., OrderTicket]


class DarkMarket(FixedMarket):
    """A market that lists its symbols and does not answer for candles."""

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        """Nothing comes."""
        raise VenueUnavailable(f"{self.name} gives no {count} {timeframe} candles of {symbol} as of {as_of}.")


@pytest.fixture
def ask(context: OrderContext, account: Account) -> Ask:
    """Ask for an order of 0.1 BTC; `score` is what the engines say of it."""

    def _ask(
        side: Side = "buy", *, score: float | None = None, stop_loss: str = "", limit_price: str = ""
    ) -> OrderTicket:
        intent = OrderIntent(
            account.id,
            "t",
            "BTC/USDT",
            side,
            Decimal("0.1"),
            order_type="limit" if limit_price else "market",
            limit_price=Decimal(limit_price) if limit_price else None,
            stop_loss=Decimal(stop_loss) if stop_loss else None,
        )
        scored = replace(context, confluence=lambda _side, _symbol: Confluence(score))
        return prepare_ticket(intent, scored, owner="ann")

    return _ask


@pytest.fixture
def pass_hours(market: FixedMarket, hand_clock: ManualClock) -> Callable[..., None]:
    """Let hours pass that open at the last price and close at the next one."""

    def _pass(*closes: float) -> None:
        opened = 64_120.0
        for close in closes:
            low, high = min(opened, close), max(opened, close)
            market.set_ohlc("BTC/USDT", hand_clock.now(), (opened, high, low, close), "1h")
            hand_clock.advance(timedelta(hours=1))
            opened = close

    return _pass


@pytest.fixture
def reviewed(context: OrderContext, account: Account) -> Callable[..., Review]:
    return lambda **given: context.ledger.review(account.id, context.market, "ann", **{"limit": 100, **given})


def reject(context: OrderContext, ticket: OrderTicket) -> None:
    context.ledger.decide(ticket.id, "reject", ticket.hash, "ann")


def test_rejecting_what_would_have_lost_saved_that_and_what_would_have_won_cost_that(
    context: OrderContext, ask: Ask, reviewed: Callable[..., Review], pass_hours: Callable[..., None]
) -> None:
    reject(context, ask())
    pass_hours(63_120)
    [decision] = reviewed().decisions
    fees = (Decimal("64120.00") + Decimal(63_120)) * Decimal("0.1") * Decimal("0.001")
    assert decision.road is not None
    assert (decision.choice, decision.by, decision.road.state) == ("rejected", "ann", "held")
    assert decision.effect == Decimal(100) + fees
    pass_hours(66_120)
    later = reviewed()
    assert later.net < 0
    assert later.sums[0].cost == -later.net
    assert (later.sums[0].decisions, later.sums[0].marked) == (1, 1)
    assert later.sums[0].saved == 0


def test_a_ticket_nobody_decided_on_is_a_road_not_taken_too(
    context: OrderContext,
    ask: Ask,
    reviewed: Callable[..., Review],
    pass_hours: Callable[..., None],
    hand_clock: ManualClock,
) -> None:
    left = ask()
    pass_hours(65_120)
    with pytest.raises(Expired):
        context.ledger.decide(left.id, "approve", left.hash, "ann")
    [decision] = reviewed().decisions
    assert (decision.choice, decision.by, decision.decided_at) == ("expired", "", left.expires_at)
    assert decision.effect is not None
    assert decision.effect < 0


def test_an_edit_counts_the_difference_of_both_roads_and_chains_of_decisions_add_up(
    context: OrderContext, ask: Ask, reviewed: Callable[..., Review], pass_hours: Callable[..., None]
) -> None:
    first = ask()
    second = edit_ticket(first.id, first.hash, TicketEdits(quantity=Decimal("0.15")), context, by="ann", owner="ann")
    pass_hours(65_120)
    [edit] = reviewed().decisions
    assert (edit.choice, edit.replacement) == ("edited", second.label)
    assert edit.road is not None
    assert edit.replacement_road is not None
    assert edit.effect == edit.replacement_road.result - edit.road.result
    assert edit.effect > 0


def test_an_edit_whose_replacement_was_rejected_adds_up_to_the_first_road_alone(
    context: OrderContext, ask: Ask, reviewed: Callable[..., Review], pass_hours: Callable[..., None]
) -> None:
    first = ask()
    second = edit_ticket(first.id, first.hash, TicketEdits(quantity=Decimal("0.15")), context, by="ann", owner="ann")
    reject(context, second)
    pass_hours(65_120)
    review = reviewed()
    assert {each.choice for each in review.decisions} == {"edited", "rejected"}
    original = next(each for each in review.decisions if each.choice == "edited")
    assert original.road is not None
    assert review.net == -original.road.result


def test_what_was_approved_is_no_road_not_taken_but_its_score_counts(
    context: OrderContext,
    ask: Ask,
    paper: PaperBroker,
    reviewed: Callable[..., Review],
    pass_hours: Callable[..., None],
) -> None:
    taken = ask(score=0.6)
    context.ledger.decide(taken.id, "approve", taken.hash, "ann")
    submit(taken.id, context, paper)
    reject(context, ask(score=-0.3))
    pass_hours(*[64_120 + 10 * hour for hour in range(25)])
    review = reviewed()
    assert (review.looked_at, len(review.decisions)) == (2, 1)
    scored = review.calibration.scored
    assert (scored.calls, scored.right) == (2, 1)
    assert review.calibration.brier == pytest.approx(((0.8 - 1) ** 2 + (0.35 - 1) ** 2) / 2)
    assert review.calibration.independent == 1
    assert "Only 1 of 2 calls overlap no other" in review.calibration.warning
    filled = [(each.lowest, each.highest, each.moved.right) for each in review.calibration.buckets if each.moved.calls]
    assert filled == [(-0.5, -0.2, 1), (0.5, 1.0, 1)]


def test_a_score_counts_only_once_its_day_is_over_and_not_without_a_view(
    context: OrderContext, ask: Ask, reviewed: Callable[..., Review], pass_hours: Callable[..., None]
) -> None:
    for score in (0.4, 0.0, None):
        reject(context, ask(score=score))
    pass_hours(*[65_000] * 23)
    young = reviewed().calibration
    assert (young.too_young, young.without_view, young.scored.calls) == (1, 2, 0)
    assert "No score has come of age yet" in young.warning
    pass_hours(64_000, 70_000)
    old = reviewed().calibration
    assert (old.too_young, old.scored.calls, old.scored.right) == (0, 1, 0)


def test_a_score_still_counts_after_days_have_taken_the_place_of_hours(
    context: OrderContext,
    ask: Ask,
    market: FixedMarket,
    reviewed: Callable[..., Review],
    hand_clock: ManualClock,
    pass_hours: Callable[..., None],
) -> None:
    reject(context, ask(score=0.4))
    since = hand_clock.now()
    pass_hours(*[64_120 + hour for hour in range(24 * 70)])
    for day in range(1, 70):
        opened = since.replace(hour=0, minute=0) + timedelta(days=day)
        first = 64_120 + int((opened - since) / timedelta(hours=1))
        market.set_ohlc("BTC/USDT", opened, (first - 1, first + 23, first - 1, first + 23), "1d")
    found = reviewed().calibration
    assert (found.scored.calls, found.scored.right, found.unmarked) == (1, 1, 0)


def test_few_decisions_and_one_that_outweighs_them_are_said_before_the_sum_is_believed(
    context: OrderContext, ask: Ask, reviewed: Callable[..., Review], pass_hours: Callable[..., None]
) -> None:
    reject(context, ask())
    reject(context, ask(limit_price="50000"))
    pass_hours(66_120)
    warnings = reviewed().warnings
    assert warnings[0].startswith("2 decisions are too few to tell judgement from luck")
    assert "T-1 alone makes up 100 % of all that was saved or cost." in warnings
    assert "2 of 2 are not over: their figures go on moving with the market." in warnings
    assert warnings[-1].startswith("The market is simulated")


def test_enough_decisions_are_not_called_too_few(
    context: OrderContext, ask: Ask, account: Account, market: FixedMarket, pass_hours: Callable[..., None]
) -> None:
    made = ask()
    reject(context, made)
    pass_hours(63_000)
    rejected = context.ledger.ticket(made.id)
    many = tuple(replace(rejected, id=f"tkt-{number}", label=f"T-{number}") for number in range(FEW))
    review = review_tickets(Decided(many), market, account=account.id, currency="USDT")
    assert review.marked == FEW
    assert not any("too few" in warning for warning in review.warnings)


def test_only_the_newest_are_looked_at_and_older_ones_are_said_to_be_there(
    context: OrderContext, ask: Ask, reviewed: Callable[..., Review], hand_clock: ManualClock
) -> None:
    for limit_price in ("", "60000", "61000"):
        reject(context, ask(limit_price=limit_price))
        hand_clock.advance(timedelta(seconds=1))
    few = reviewed(limit=2)
    assert ([each.label for each in few.decisions], few.looked_at, few.older) == (["T-3", "T-2"], 2, True)
    assert "Only the newest 2 decided tickets were looked at; there are older ones." in few.warnings
    assert reviewed(limit=3).older is False


def test_an_account_without_a_decision_says_so_with_zeros(reviewed: Callable[..., Review], ask: Ask) -> None:
    ask()
    review = reviewed()
    assert review.looked_at == review.net == 0
    assert not review.decisions
    assert not review.warnings
    assert [each.decisions for each in review.sums] == [0, 0, 0]


def test_what_cannot_be_marked_yet_is_told_and_in_no_sum(
    context: OrderContext, ask: Ask, reviewed: Callable[..., Review]
) -> None:
    reject(context, ask())
    review = reviewed()
    [decision] = review.decisions
    assert (decision.road, decision.effect) == (None, None)
    assert decision.unmarked == "No candle of BTC/USDT that opened after the ticket has closed yet."
    assert (review.sums[0].decisions, review.sums[0].marked) == (1, 0)
    assert "1 decision could not be marked and is in no sum." in review.warnings


def test_an_outage_is_no_review_at_all(
    context: OrderContext, ask: Ask, account: Account, hand_clock: ManualClock
) -> None:
    reject(context, ask())
    hand_clock.advance(timedelta(hours=2))
    with pytest.raises(VenueUnavailable):
        context.ledger.review(account.id, DarkMarket(context.market.instruments(), hand_clock), "ann", limit=9)


def test_nobody_reviews_what_is_somebody_elses(context: OrderContext, account: Account) -> None:
    with pytest.raises(NotFound):
        context.ledger.review(account.id, context.market, "ben", limit=9)


def test_only_one_symbol_is_looked_at_when_one_is_named(
    context: OrderContext, ask: Ask, reviewed: Callable[..., Review]
) -> None:
    reject(context, ask())
    assert reviewed(symbol="BTC/USDT").looked_at == 1
    assert reviewed(symbol="ETH/USDT").looked_at == 0


@pytest.mark.parametrize(
    ("right", "calls", "low", "high"),
    [(0, 10, 0.0, 0.277533), (5, 10, 0.236593, 0.763407), (81, 263, 0.255289, 0.366178), (1, 1, 0.206549, 1.0)],
)
def test_an_interval_is_wilsons(right: int, calls: int, low: float, high: float) -> None:
    """81 of 263 is the worked example of Newcombe, Statistics in Medicine 17 (1998), method 3."""
    rate = hit_rate(right, calls)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=1e-4)


@st.composite
def made_calls(draw: st.DrawFn) -> list[Call]:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    calls = []
    for _ in range(draw(st.integers(0, 40))):
        of_age = draw(st.booleans())
        went = draw(st.sampled_from([1, -1, 0, None])) if of_age else None
        score = draw(st.none() | st.integers(-100, 100).map(lambda points: points / 100))
        when = start + timedelta(hours=draw(st.integers(0, 300)))
        calls.append(Call(draw(st.sampled_from(["BTC/USDT", "ETH/USDT"])), when, score, of_age=of_age, went=went))
    return calls


@given(made_calls())
def test_every_call_is_in_exactly_one_count_and_every_counted_one_in_one_bucket(calls: list[Call]) -> None:
    found = calibrate(calls, 24)
    assert found.scored.calls + found.too_young + found.without_view + found.unmarked == len(calls)
    assert sum(bucket.moved.calls for bucket in found.buckets) == found.scored.calls
    assert found.independent <= found.scored.calls
    assert (found.independent > 0) == (found.scored.calls > 0)
    counted = [(call.score, call.went) for call in calls if call.score and call.went is not None]
    assert found.scored.right == sum((score > 0 and went > 0) or (score < 0 and went < 0) for score, went in counted)
    assert sum(bucket.moved.right for bucket in found.buckets) == sum(went > 0 for _, went in counted)
    if found.brier is not None:
        exact = [
            (Fraction(1 + Fraction(call.score)) / 2 - Fraction(1 + call.went, 2)) ** 2
            for call in calls
            if call.score and call.went is not None
        ]
        assert found.brier == pytest.approx(float(sum(exact) / len(exact)))
