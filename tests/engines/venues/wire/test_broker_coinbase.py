"""What goes over the wire to Coinbase and what its answers are read as. No request leaves this process."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests

from engines.domain.orders import Fill, OrderTicket
from engines.errors import InvalidRequest, NotFound, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, Balance, OpenOrder, VenueOrder
from engines.execution.venues import CcxtBroker

ADA = "ADA/USDT"
ROOT = "/api/v3/brokerage"
CREATE, LIST, FILLS = f"{ROOT}/orders", f"{ROOT}/orders/historical/batch", f"{ROOT}/orders/historical/fills"
CANCEL = f"{ROOT}/orders/batch_cancel"
PRODUCT = {
    "product_id": "ADA-USDT", "price": "0.39", "base_increment": "0.01", "quote_increment": "0.0001",
    "price_increment": "0.0001", "quote_min_size": "1", "quote_max_size": "5000000", "base_min_size": "0.1",
    "base_max_size": "1000000", "status": "online", "cancel_only": False, "trading_disabled": False,
    "is_disabled": False, "product_type": "SPOT", "quote_currency_id": "USDT", "base_currency_id": "ADA",
    "base_name": "Cardano", "quote_name": "Tether", "view_only": False,
}  # fmt: skip
FILL = {
    "entry_id": "dc7424ac", "trade_id": "19fc7eee-f4b4-40a7-8104-033da1db5311",
    "order_id": "01b6e467-b659-432f-9490-c7cefe949564", "trade_time": "2023-11-26T10:19:47.504Z", "trade_type": "FILL",
    "price": "0.392", "size": "10", "commission": "0.03136", "product_id": "ADA-USDT",
    "sequence_timestamp": "2023-11-26T10:19:47.507001Z", "liquidity_indicator": "TAKER", "size_in_quote": False,
    "side": "SELL", "cursor": "114994851",
}  # fmt: skip
SOLD = {
    "order_id": "01b6e467-b659-432f-9490-c7cefe949564", "product_id": "ADA-USDT",
    "order_configuration": {"market_market_ioc": {"base_size": "10"}}, "side": "SELL",
    "client_order_id": "a0f970a2-05fa-4e1f-9517-f6702c33cfd1", "status": "FILLED",
    "time_in_force": "IMMEDIATE_OR_CANCEL", "created_time": "2023-11-26T10:19:47.423220Z", "filled_size": "10",
    "average_filled_price": "0.392", "number_of_fills": "1", "filled_value": "3.92", "pending_cancel": False,
    "size_in_quote": False, "total_fees": "0.03136", "order_type": "MARKET", "settled": True, "product_type": "SPOT",
}  # fmt: skip
RESTING = SOLD | {
    "order_configuration": {"limit_limit_gtc": {"base_size": "4", "limit_price": "0.2", "post_only": False}},
    "side": "BUY", "status": "OPEN", "filled_size": "0", "order_type": "LIMIT", "order_id": "resting",
}  # fmt: skip
NEVER = "qtp-" + "0" * 24
Ticket = Callable[..., OrderTicket]


def listed(*orders: dict[str, Any], cursor: str = "") -> dict[str, Any]:
    return {"orders": list(orders), "sequence": "0", "has_next": bool(cursor), "cursor": cursor}


def refused(word: str, preview: str = "") -> dict[str, Any]:
    told = {"error": word, "message": "", "error_details": "", "preview_failure_reason": preview}
    return {"success": False, "error_response": told, "order_configuration": {}}


@pytest.fixture
def broker(wire: Any, wired_broker: Callable[[str], CcxtBroker]) -> CcxtBroker:
    wire.answer("GET", f"{ROOT}/market/products", {"products": [PRODUCT], "num_products": 1})
    wire.answer(
        "GET", f"{ROOT}/transaction_summary", {"fee_tier": {"taker_fee_rate": "0.006", "maker_fee_rate": "0.004"}}
    )
    wire.answer("GET", f"{ROOT}/time", lambda: {"epochMillis": str(int(time.time() * 1000))})
    wire.answer("GET", LIST, listed())
    wire.answer("GET", FILLS, {"fills": [], "cursor": ""})
    made = wired_broker("coinbase")
    made.ready()
    wire.sent.clear()
    return made


def place(broker: CcxtBroker, ticket: OrderTicket) -> VenueOrder:
    return broker.place(ApprovedTicket(ticket))


def accepted(wire: Any, one: OrderTicket, document: dict[str, Any]) -> None:
    order = document | {"client_order_id": one.client_order_id}
    named = {"order_id": order["order_id"], "product_id": "ADA-USDT", "client_order_id": one.client_order_id}
    wire.answer("POST", CREATE, {"success": True, "success_response": named, "order_configuration": {}})
    wire.answer("GET", f"{ROOT}/orders/historical/{order['order_id']}", {"order": order})
    wire.answer("GET", LIST, listed(order))


@pytest.mark.parametrize(
    ("fields", "force", "form"),
    [
        ({"side": "sell", "quantity": 10}, "IOC", {"market_market_ioc": {"base_size": "10"}}),
        (
            {"quantity": 4, "limit_price": Decimal("0.2")},
            "GTC",
            {"limit_limit_gtc": {"base_size": "4", "limit_price": "0.2", "post_only": False}},
        ),
        (
            {"quantity": 10, "limit_price": Decimal("0.05")},
            "IOC",
            {"sor_limit_ioc": {"base_size": "10", "limit_price": "0.05"}},
        ),
        (
            {"quantity": 10, "limit_price": Decimal("0.05")},
            "FOK",
            {"limit_limit_fok": {"base_size": "10", "limit_price": "0.05"}},
        ),
    ],
)
def test_each_type_goes_out_in_its_own_form_and_signed(
    wire: Any, broker: CcxtBroker, ticket: Ticket, fields: dict[str, Any], force: str, form: dict[str, Any]
) -> None:
    one = replace(ticket(symbol=ADA, **fields), time_in_force=force)
    accepted(wire, one, RESTING | {"side": one.side.upper()})
    assert place(broker, one).status == "accepted"
    [sent] = wire.of("POST", CREATE)
    assert sent.body == {
        "client_order_id": one.client_order_id,
        "product_id": "ADA-USDT",
        "side": one.side.upper(),
        "order_configuration": form,
    }
    signed = f"{sent.headers['CB-ACCESS-TIMESTAMP']}POST{sent.raw}".encode()
    assert sent.headers["CB-ACCESS-SIGN"] == hmac.new(b"secret", signed, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("fields", [{}, {"stop_price": 1}, {"side": "sell", "stop_price": 1}])
def test_what_coinbase_does_not_take_as_it_is_meant_is_refused_before_anything_is_sent(
    wire: Any, broker: CcxtBroker, ticket: Ticket, fields: dict[str, Any]
) -> None:
    with pytest.raises(OrderRejected, match="Nothing was sent"):
        place(broker, ticket(symbol=ADA, quantity=10, **fields))
    assert wire.sent == []


def test_an_order_that_filled_is_told_with_its_trades(wire: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    one = ticket(symbol=ADA, side="sell", quantity=10)
    accepted(wire, one, SOLD)
    wire.answer("GET", FILLS, {"fills": [FILL], "cursor": "114994851"}, {"fills": [], "cursor": ""})
    order = place(broker, one)
    assert (order.status, order.filled, order.reason) == ("filled", Decimal(10), "")
    assert order.fills == (
        Fill(
            id="19fc7eee-f4b4-40a7-8104-033da1db5311",
            order_id=one.client_order_id,
            account=one.account,
            symbol=ADA,
            side="sell",
            price=Decimal("0.392"),
            quantity=Decimal(10),
            fee=Decimal("0.03136"),
            fee_currency="USDT",
            time=datetime(2023, 11, 26, 10, 19, 47, 504000, UTC),
        ),
    )
    assert wire.of("GET", FILLS)[0].query["order_ids"] == SOLD["order_id"]


@pytest.mark.parametrize(
    ("word", "preview"),
    [
        ("INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND"),
        ("INSUFFICIENT_FUND", ""),
        ("INVALID_LIMIT_PRICE", ""),
        ("UNSUPPORTED_ORDER_CONFIGURATION", ""),
        ("UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    ],
)
def test_a_refusal_of_the_table_is_definite(
    wire: Any, broker: CcxtBroker, ticket: Ticket, word: str, preview: str
) -> None:
    wire.answer("POST", CREATE, refused(word, preview))
    with pytest.raises(OrderRejected, match="refused order"):
        place(broker, ticket(symbol=ADA, side="sell", quantity=10))
    assert len(wire.of("POST", CREATE)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        refused("UNKNOWN_FAILURE_REASON"),
        {"error": "internal_server_error", "error_details": "", "message": ""},
        {"success": True},
        {"success": True, "success_response": {"order_id": "1", "client_order_id": "other"}},
        {"success": False, "success_response": {"order_id": "1", "client_order_id": "other"}},
        "<html>Gateway</html>",
        "",
        requests.exceptions.ReadTimeout("too slow"),
        requests.exceptions.ConnectionError("dropped"),
    ],
    ids=["unheard", "server", "unnamed", "other", "neither", "html", "nothing", "read timeout", "dropped"],
)
def test_everything_else_is_unknown_and_not_sent_again(
    wire: Any, broker: CcxtBroker, ticket: Ticket, answer: Any
) -> None:
    one = ticket(symbol=ADA, side="sell", quantity=10)
    wire.answer("POST", CREATE, answer)
    with pytest.raises(OutcomeUnknown):
        place(broker, one)
    with pytest.raises(OutcomeUnknown, match="sent before"):
        place(broker, one)
    assert len(wire.of("POST", CREATE)) == 1


def test_an_order_is_found_by_our_id_on_any_page_of_its_market(wire: Any, broker: CcxtBroker) -> None:
    others = [SOLD | {"order_id": str(number)} for number in range(250)]
    mine = RESTING | {"client_order_id": NEVER, "status": "CANCELLED"}
    wire.answer("GET", LIST, listed(*others, cursor="next"), listed(mine))
    found = broker.find(NEVER, ADA)
    assert found is not None
    assert (found.status, found.quantity, found.venue_order_id) == ("cancelled", Decimal(4), "resting")
    assert [(sent.query["product_ids"], sent.query.get("cursor")) for sent in wire.of("GET", LIST)] == [
        ("ADA-USDT", None),
        ("ADA-USDT", "next"),
    ]


def test_it_is_denied_only_when_the_list_ended(wire: Any, broker: CcxtBroker) -> None:
    assert broker.find(NEVER, ADA) is None
    wire.answer("GET", LIST, listed(cursor="a"), {"error": "internal_server_error", "message": ""})
    with pytest.raises(VenueUnavailable):
        broker.find(NEVER, ADA)


def test_a_word_nobody_knows_leaves_it_open_and_says_so(wire: Any, broker: CcxtBroker) -> None:
    wire.answer("GET", LIST, listed(RESTING | {"client_order_id": NEVER, "status": "DREAMING"}))
    found = broker.find(NEVER, ADA)
    assert found is not None
    assert (found.status, "'DREAMING'" in found.reason) == ("accepted", True)


def test_a_cancel_goes_out_by_coinbases_id(wire: Any, broker: CcxtBroker) -> None:
    live, gone = (RESTING | {"client_order_id": NEVER, "status": word} for word in ("OPEN", "CANCELLED"))
    wire.answer("GET", LIST, listed(live), listed(gone))
    wire.answer("POST", CANCEL, {"results": [{"success": True, "failure_reason": "", "order_id": "resting"}]})
    assert broker.cancel(NEVER, ADA).status == "cancelled"
    assert [sent.body for sent in wire.of("POST", CANCEL)] == [{"order_ids": ["resting"]}]
    # One that is over is not cancelled again.
    assert broker.cancel(NEVER, ADA).status == "cancelled"
    assert len(wire.of("POST", CANCEL)) == 1


def test_a_cancel_that_is_refused_is_looked_up_and_one_that_is_unclear_says_so(wire: Any, broker: CcxtBroker) -> None:
    live = RESTING | {"client_order_id": NEVER}
    wire.answer("GET", LIST, listed(live), listed(live | {"status": "FILLED", "filled_size": "4"}))
    told = {"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": "resting"}
    wire.answer("POST", CANCEL, {"results": [told]})
    own = FILL | {"order_id": "resting", "side": "BUY", "size": "4"}
    wire.answer("GET", FILLS, {"fills": [own], "cursor": ""})
    assert broker.cancel(NEVER, ADA).status == "filled"
    wire.answer("GET", LIST, listed(live))
    wire.answer("POST", CANCEL, {"results": [told | {"failure_reason": "COMMANDER_REJECTED_CANCEL_ORDER"}]})
    with pytest.raises(VenueUnavailable, match="COMMANDER_REJECTED"):
        broker.cancel(NEVER, ADA)


def test_cancelling_what_never_was_is_not_found(wire: Any, broker: CcxtBroker) -> None:
    with pytest.raises(NotFound):
        broker.cancel(NEVER, ADA)
    assert wire.of("POST", CANCEL) == []


def test_an_id_coinbase_cannot_take_is_refused(broker: CcxtBroker) -> None:
    with pytest.raises(InvalidRequest, match="cannot take"):
        broker.find("an id with blanks", ADA)


def test_open_orders_of_all_are_told(wire: Any, broker: CcxtBroker) -> None:
    stop = {"stop_limit_stop_limit_gtc": {"base_size": "10", "limit_price": "0.25", "stop_price": "0.2"}}
    wire.answer("GET", LIST, listed(RESTING | {"client_order_id": NEVER}, RESTING | {"order_configuration": stop}))
    first, second = broker.open_orders()
    assert first == OpenOrder(NEVER, "resting", ADA, "buy", "limit", Decimal(4), Decimal(0), Decimal("0.2"))
    assert (second.order_type, second.stop_price, second.limit_price) == ("stop", Decimal("0.2"), Decimal("0.25"))
    assert second.client_order_id == SOLD["client_order_id"]
    assert wire.of("GET", LIST)[0].query["order_status"] == "OPEN"


def test_balances_add_up_what_is_free_and_what_is_held(wire: Any, broker: CcxtBroker) -> None:
    def account(currency: str, free: str, held: str) -> dict[str, Any]:
        return {"currency": currency, "available_balance": {"value": free}, "hold": {"value": held}}

    accounts = [account("ADA", "7.5", "2.5"), account("USDT", "100", "0"), account("BTC", "0", "0")]
    wire.answer("GET", f"{ROOT}/accounts", {"accounts": accounts, "has_next": False, "cursor": ""})
    assert broker.balances() == {
        "ADA": Balance(Decimal(10), Decimal("7.5")),
        "USDT": Balance(Decimal(100), Decimal(100)),
    }


def test_fills_since_a_time_name_the_orders_they_are_of(wire: Any, broker: CcxtBroker) -> None:
    wire.answer("GET", FILLS, {"fills": [FILL], "cursor": ""})
    wire.answer("GET", f"{ROOT}/orders/historical/{SOLD['order_id']}", {"order": SOLD | {"client_order_id": NEVER}})
    at_ms = 1700993987504
    [fill] = broker.fills_since(ADA, at_ms)
    assert (fill.order_id, fill.quantity, fill.fee) == (NEVER, Decimal(10), Decimal("0.03136"))
    assert broker.fills_since(ADA, at_ms + 1) == ()
    assert wire.of("GET", FILLS)[0].query["start_sequence_timestamp"] == "2023-11-26T10:19:47.504Z"


def test_a_size_in_quote_currency_is_told_in_base(wire: Any, broker: CcxtBroker) -> None:
    wire.answer("GET", FILLS, {"fills": [FILL | {"size": "3.92", "size_in_quote": True}], "cursor": ""})
    wire.answer("GET", f"{ROOT}/orders/historical/{SOLD['order_id']}", {"order": SOLD})
    assert broker.fills_since(ADA, 0)[0].quantity == Decimal(10)


def test_a_trade_that_is_taken_back_is_not_counted_silently(wire: Any, broker: CcxtBroker) -> None:
    wire.answer("GET", FILLS, {"fills": [FILL | {"trade_type": "REVERSAL"}], "cursor": ""})
    with pytest.raises(VenueUnavailable, match="REVERSAL"):
        broker.fills_since(ADA, 0)


def test_exits_are_left_to_the_desk(wire: Any, broker: CcxtBroker, ticket: Ticket, ledger_order: Any) -> None:
    one = ticket(symbol=ADA, quantity=4, limit_price=Decimal("0.2"), stop_loss=Decimal("0.1"))
    accepted(wire, one, RESTING)
    assert not broker.holds_protection(one)
    entry = ledger_order(one, place(broker, one))
    assert broker.protect(entry) == ()
    assert len(wire.of("POST", CREATE)) == 1
