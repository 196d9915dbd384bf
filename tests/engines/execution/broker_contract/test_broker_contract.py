"""What every broker must do, whatever is behind it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import OrderIntent, OrderTicket
from engines.errors import NotFound, OrderRejected
from engines.execution.broker import ApprovedTicket, Broker
from engines.execution.context import OrderContext
from engines.execution.prepare import prepare_ticket


def approved(context: OrderContext, quantity: str = "0.1", **fields: Any) -> ApprovedTicket:
    intent = OrderIntent("paper-fixed-usdt:ann", "thread-1", "BTC/USDT", "buy", Decimal(quantity))
    return ApprovedTicket(prepare_ticket(replace(intent, **fields), context, owner="ann"))


def resting(context: OrderContext) -> ApprovedTicket:
    return approved(context, order_type="limit", limit_price=Decimal(60_000))


def test_it_has_a_name_and_says_how_it_fills(broker: Broker) -> None:
    assert broker.name
    assert broker.model.endswith(".")


def test_a_placed_order_answers_under_our_id_with_its_fills(broker: Broker, context: OrderContext) -> None:
    sent = approved(context)
    seen = broker.place(sent)
    assert (seen.client_order_id, seen.status) == (sent.ticket.client_order_id, "filled")
    assert seen.venue_order_id
    assert seen.quantity == seen.filled == sum(fill.quantity for fill in seen.fills) == Decimal("0.1")
    for fill in seen.fills:
        assert (fill.order_id, fill.symbol, fill.side) == (seen.client_order_id, "BTC/USDT", "buy")
        assert fill.price > 0
        assert fill.time.tzinfo is not None


def test_every_trade_has_an_id_of_its_own(broker: Broker, context: OrderContext) -> None:
    fills = [fill for _ in range(3) for fill in broker.place(approved(context)).fills]
    assert len({fill.id for fill in fills}) == len(fills)


def test_an_order_is_found_by_our_id_in_any_state(broker: Broker, context: OrderContext) -> None:
    filled, open_one = broker.place(approved(context)), broker.place(resting(context))
    assert broker.find(filled.client_order_id, "BTC/USDT") == filled
    assert broker.find(open_one.client_order_id, "BTC/USDT") == open_one
    cancelled = broker.cancel(open_one.client_order_id, "BTC/USDT")
    assert broker.find(open_one.client_order_id, "BTC/USDT") == cancelled


def test_an_id_it_never_saw_is_none_and_cannot_be_cancelled(broker: Broker) -> None:
    assert broker.find("qtp-000000000000000000000000", "BTC/USDT") is None
    with pytest.raises(NotFound):
        broker.cancel("qtp-000000000000000000000000", "BTC/USDT")


def test_the_same_id_placed_again_is_not_a_second_order(broker: Broker, context: OrderContext) -> None:
    sent = approved(context)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(broker.place, [sent] * 4))
    assert {answer.fills for answer in answers} == {answers[0].fills}
    assert broker.find(sent.ticket.client_order_id, "BTC/USDT") == answers[0]


def test_a_resting_order_is_cancelled_once_and_stays_so(broker: Broker, context: OrderContext) -> None:
    order = broker.place(resting(context))
    assert (order.status, order.filled, order.fills) == ("accepted", Decimal(0), ())
    first = broker.cancel(order.client_order_id, "BTC/USDT")
    assert first.status == "cancelled"
    assert broker.cancel(order.client_order_id, "BTC/USDT") == first


def test_cancelling_a_filled_order_leaves_it_filled(broker: Broker, context: OrderContext) -> None:
    order = broker.place(approved(context))
    assert broker.cancel(order.client_order_id, "BTC/USDT") == order


def test_an_order_the_account_cannot_pay_is_rejected_and_unknown_to_it(broker: Broker, context: OrderContext) -> None:
    ticket: OrderTicket = replace(approved(context).ticket, quantity=Decimal(2))
    with pytest.raises(OrderRejected):
        broker.place(ApprovedTicket(ticket))
    assert broker.find(ticket.client_order_id, "BTC/USDT") is None


def test_selling_what_is_not_held_is_rejected(broker: Broker, context: OrderContext) -> None:
    ticket = replace(approved(context).ticket, side="sell")
    with pytest.raises(OrderRejected):
        broker.place(ApprovedTicket(ticket))
