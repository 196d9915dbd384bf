"""What an account's decisions cost or saved, and how often the confluence score was right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from engines.domain.orders import OrderTicket, TicketStatus
from engines.domain.review import Choice, ChoiceSum, Review, ReviewedDecision, Road
from engines.errors import InsufficientData, NotFound
from engines.ledger.calibration import Call, calibrate
from engines.ledger.candle_path import PathReader
from engines.ledger.marking import MODEL, own_price, price_at, read_road
from engines.ledger.tickets import Decided
from engines.market.data import MarketData

# The panels read 1h and 4h candles: their score is held against the price a day later.
HORIZON_HOURS: Final = 24
# A close this much older than the instant asked for is not its price.
_PRICE_WITHIN_MS: Final = 3_600_000
# Fewer decisions than this tell luck from judgement only where the difference is enormous.
FEW: Final = 30
_CHOICES: Final[dict[TicketStatus, Choice]] = {"rejected": "rejected", "expired": "expired", "superseded": "edited"}
# A replacement that was stopped came to nothing, whatever its price did.
_CAME_TO_NOTHING: Final = frozenset({"denied", "rejected_by_venue", "not_accepted", "cancelled"})
_ZERO: Final = Decimal(0)


def review_tickets(
    decided: Decided, market: MarketData, *, account: str, currency: str, symbol: str | None = None
) -> Review:
    """Mark every order that was not taken to the market, and hold every score against what came.

    The effects of an edit and of what then became of the replacement add up: the edit counts the difference of both
    roads, the rejection of the replacement its own road.

    Returns:
        Money in `currency`. What could not be marked is told with its reason and is in no sum.

    Raises:
        VenueUnavailable: the market did not answer; nothing is guessed.
    """
    reader = _Reader(market)
    # Oldest first: the path of the oldest ticket holds the candles of the others.
    for ticket in reversed([*decided.tickets, *decided.replacements.values()]):
        reader.read(ticket)
    passed = [ticket for ticket in decided.tickets if ticket.status in _CHOICES]
    decisions = tuple(_reviewed(ticket, decided.replacements, reader) for ticket in passed)
    horizon = timedelta(hours=HORIZON_HOURS)
    calls = [_call(ticket, reader, horizon) for ticket in decided.tickets if ticket.status != "superseded"]
    return Review(
        account=account,
        currency=currency,
        market=market.name,
        simulated=market.simulated,
        as_of=market.now(symbol),
        symbol=symbol,
        looked_at=len(decided.tickets),
        older=decided.older,
        decisions=decisions,
        sums=tuple(_sum(choice, decisions) for choice in _CHOICES.values()),
        calibration=calibrate(calls, HORIZON_HOURS),
        warnings=_warnings(decisions, decided, simulated=market.simulated),
        model=MODEL,
    )


class _Reader:
    """Roads of tickets, each marked once, and the candles they rest on."""

    def __init__(self, market: MarketData) -> None:
        self._market = market
        self._paths = PathReader(market)
        self._roads: dict[str, Road] = {}
        self.unmarked: dict[str, str] = {}

    def read(self, ticket: OrderTicket) -> None:
        """Read a ticket's candles and mark its road, or say why not."""
        if ticket.id in self._roads or ticket.id in self.unmarked:
            return
        if ticket.market != self._market.name:
            self.unmarked[ticket.id] = f"It was made on the market {ticket.market}, and this desk is on another."
            return
        try:
            self._roads[ticket.id] = read_road(ticket, self._paths, self._market.instrument(ticket.symbol))
        except (InsufficientData, NotFound) as error:
            self.unmarked[ticket.id] = error.message

    def road(self, ticket: OrderTicket) -> Road | None:
        """A ticket's road; None where it cannot be marked."""
        return self._roads.get(ticket.id)

    def price_after(self, ticket: OrderTicket, horizon: timedelta) -> tuple[Decimal | None, bool]:
        """The close of the last full hour at the horizon, and whether that has been reached.

        Whole hours, because the minutes after one are gone from the path once the next hour has closed: whether a
        score was right must not change with the time it is asked at.
        """
        then = ticket.quote_time + horizon
        if self._market.now(ticket.symbol) < then:
            return None, False
        if ticket.id not in self._roads:
            return None, True
        hour = then.replace(minute=0, second=0, microsecond=0)
        path = self._paths.split_at(ticket.symbol, self._paths.read(ticket.symbol, ticket.quote_time), hour)
        return price_at(path, hour, within_ms=_PRICE_WITHIN_MS), True


def _reviewed(ticket: OrderTicket, replacements: Mapping[str, OrderTicket], reader: _Reader) -> ReviewedDecision:
    choice, road = _CHOICES[ticket.status], reader.road(ticket)
    decision = ReviewedDecision(
        ticket_id=ticket.id,
        label=ticket.label,
        choice=choice,
        decided_at=ticket.decided_at or ticket.expires_at,
        by=ticket.decided_by,
        symbol=ticket.symbol,
        side=ticket.side,
        order_type=ticket.order_type,
        quantity=ticket.quantity,
        price=own_price(ticket),
        score=ticket.confluence.score,
        road=road,
        unmarked=reader.unmarked.get(ticket.id, ""),
    )
    if choice == "edited":
        return _edited(decision, replacements.get(ticket.superseded_by or ""), reader)
    return decision if road is None else replace(decision, effect=_ZERO - road.result)


def _edited(decision: ReviewedDecision, successor: OrderTicket | None, reader: _Reader) -> ReviewedDecision:
    if successor is None:
        return replace(decision, unmarked="The ticket that replaced it is not there.")
    decision = replace(decision, decided_at=successor.created_at, replacement=successor.label)
    if decision.road is None:
        return decision
    if successor.status in _CAME_TO_NOTHING:
        return replace(decision, effect=_ZERO - decision.road.result)
    instead = reader.road(successor)
    if instead is None:
        return replace(decision, unmarked=f"{successor.label}: {reader.unmarked[successor.id]}")
    return replace(decision, replacement_road=instead, effect=instead.result - decision.road.result)


def _sum(choice: Choice, decisions: Sequence[ReviewedDecision]) -> ChoiceSum:
    own = [each for each in decisions if each.choice == choice]
    effects = [each.effect for each in own if each.effect is not None]
    return ChoiceSum(
        choice=choice,
        decisions=len(own),
        marked=len(effects),
        saved=sum((effect for effect in effects if effect > 0), _ZERO),
        cost=-sum((effect for effect in effects if effect < 0), _ZERO),
    )


def _call(ticket: OrderTicket, reader: _Reader, horizon: timedelta) -> Call:
    price, of_age = reader.price_after(ticket, horizon)
    went = None
    if price is not None:
        gain = price - ticket.reference_price if ticket.side == "buy" else ticket.reference_price - price
        went = (gain > 0) - (gain < 0)
    return Call(ticket.symbol, ticket.quote_time, ticket.confluence.score, of_age=of_age, went=went)


def _warnings(decisions: Sequence[ReviewedDecision], decided: Decided, *, simulated: bool) -> tuple[str, ...]:
    """What must be known before a sum is believed."""
    marked = [(abs(each.effect), each) for each in decisions if each.effect is not None]
    total = sum((size for size, _ in marked), _ZERO)
    told = []
    if marked and len(marked) < FEW:
        told.append(
            f"{_decisions(len(marked))} {'is' if len(marked) == 1 else 'are'} too few to tell judgement from luck: "
            f"below {FEW} the sum says little about the next one."
        )
    if len(marked) > 1 and total:
        size, largest = max(marked, key=lambda item: item[0])
        share = size / total * 100
        if share > 50:
            told.append(f"{largest.label} alone makes up {share:.0f} % of all that was saved or cost.")
    moving = sum(1 for each in decisions if each.effect is not None and not _is_final(each))
    if moving:
        told.append(f"{moving} of {len(marked)} are not over: their figures go on moving with the market.")
    lacking = len(decisions) - len(marked)
    if lacking:
        told.append(f"{_decisions(lacking)} could not be marked and {'is' if lacking == 1 else 'are'} in no sum.")
    if decided.older:
        told.append(f"Only the newest {len(decided.tickets)} decided tickets were looked at; there are older ones.")
    if simulated and decisions:
        told.append("The market is simulated, so its prices say nothing about a real one.")
    return tuple(told)


def _is_final(decision: ReviewedDecision) -> bool:
    roads = [road for road in (decision.road, decision.replacement_road) if road is not None]
    return all(road.is_final for road in roads)


def _decisions(count: int) -> str:
    return f"{count} decision{'s' if count != 1 else ''}"
