"""What goes over the wire to OKX and what its answers are read as. No request leaves this process."""

from __future__ import annotations

import base64
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
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.orders import Fill, OrderTicket
from engines.errors import ConfigurationError, InvalidRequest, NotFound, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, Balance, OpenOrder, VenueOrder, guarded_ids, protective_ids
from engines.execution.prepare import client_order_id
from engines.execution.venues import CcxtBroker, Credentials, open_venue_account
from engines.execution.venues.okx import okx_id, own_id

ETH = "ETH/USDT"
ORDER, HISTORY = "/api/v5/trade/order", "/api/v5/trade/orders-history"
INSTRUMENT = {
    "instType": "SPOT", "instId": "ETH-USDT", "baseCcy": "ETH", "quoteCcy": "USDT", "tickSz": "0.01",
    "lotSz": "0.000001", "minSz": "0.001", "maxLmtSz": "1000", "maxMktSz": "1000", "maxLmtAmt": "20000000",
    "maxMktAmt": "1000000", "state": "live", "ctVal": "", "settleCcy": "", "uly": "", "instFamily": "", "expTime": "",
    "listTime": "1611907686000", "alias": "", "ctMult": "", "ctType": "", "ctValCcy": "", "category": "1",
    "lever": "10", "optType": "", "stk": "",
}  # fmt: skip
FILL = {
    "side": "buy", "fillSz": "0.007533", "fillPx": "2654.98", "fee": "-0.000007533", "ordId": "317321390244397056",
    "instType": "SPOT", "instId": "ETH-USDT", "clOrdId": "", "posSide": "net", "billId": "317321390265368576",
    "tag": "0", "execType": "T", "tradeId": "107601752", "feeCcy": "ETH", "ts": "1621927314985",
}  # fmt: skip
OPEN = {
    "accFillSz": "0", "avgPx": "", "cTime": "1621910749815", "category": "normal", "ccy": "", "clOrdId": "", "fee": "0",
    "feeCcy": "ETH", "fillPx": "", "fillSz": "0", "fillTime": "", "instId": "ETH-USDT", "instType": "SPOT", "lever": "",
    "ordId": "317251910906576896", "ordType": "limit", "pnl": "0", "posSide": "net", "px": "2000", "rebate": "0",
    "rebateCcy": "USDT", "side": "buy", "state": "live", "sz": "0.001", "tag": "", "tdMode": "cash", "tradeId": "",
    "uTime": "1621910749815",
}  # fmt: skip
Ticket = Callable[..., OrderTicket]


def told(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": list(rows)}


def refused(code: str, message: str) -> dict[str, Any]:
    entry = {"clOrdId": "", "ordId": "", "tag": "", "sCode": code, "sMsg": message}
    return {"code": "1", "msg": "All operations failed", "data": [entry]}


MISSING = {"code": "51603", "msg": "Order does not exist", "data": []}


@pytest.fixture
def broker(wire: Any, wired_broker: Callable[[str], CcxtBroker]) -> CcxtBroker:
    wire.answer("GET", "/api/v5/public/instruments", told(INSTRUMENT))
    wire.answer("GET", "/api/v5/public/time", lambda: told({"ts": str(int(time.time() * 1000))}))
    for path in ("orders-pending", "orders-history", "orders-history-archive", "fills", "fills-history"):
        wire.answer("GET", f"/api/v5/trade/{path}", told())
    made = wired_broker("okx")
    made.ready()
    wire.sent.clear()
    return made


def place(broker: CcxtBroker, ticket: OrderTicket) -> VenueOrder:
    return broker.place(ApprovedTicket(ticket))


def accepted(wire: Any, one: OrderTicket, **state: Any) -> None:
    own = okx_id(one.client_order_id)
    named = {"clOrdId": own, "ordId": "317251910906576896", "sCode": "0", "sMsg": "Order placed", "tag": "", "ts": "1"}
    wire.answer("POST", ORDER, told(named))
    wire.answer("GET", ORDER, told(OPEN | {"clOrdId": own, "sz": format(one.quantity, "f")} | state))


@given(st.text())
def test_an_id_in_okxs_form_is_read_back(ticket_id: str) -> None:
    entry = client_order_id(ticket_id)
    for ours in (entry, *protective_ids(entry), *guarded_ids(entry)):
        assert okx_id(ours).isalnum()
        assert len(okx_id(ours)) <= 32
        assert own_id(okx_id(ours)) == ours


@pytest.mark.parametrize("theirs", ["", "web7", "6b9ad766b55dBCDE63969a1144bfb943", "qtp" + "0" * 23])
def test_ids_of_others_are_not_ours(theirs: str) -> None:
    assert own_id(theirs) is None


@pytest.mark.parametrize(
    ("fields", "force", "form"),
    [
        ({}, "IOC", {"ordType": "market", "tgtCcy": "base_ccy"}),
        ({"limit_price": 50}, "GTC", {"ordType": "limit", "px": "50"}),
        ({"limit_price": 50}, "DAY", {"ordType": "limit", "px": "50"}),
        ({"limit_price": 50}, "IOC", {"ordType": "ioc", "px": "50"}),
        ({"limit_price": 50}, "FOK", {"ordType": "fok", "px": "50"}),
    ],
)
def test_each_type_goes_out_in_its_own_form_and_signed(
    wire: Any, broker: CcxtBroker, ticket: Ticket, fields: dict[str, Any], force: str, form: dict[str, str]
) -> None:
    one = replace(ticket(symbol=ETH, **fields), time_in_force=force)
    accepted(wire, one)
    place(broker, one)
    [sent] = wire.of("POST", ORDER)
    common = {"instId": "ETH-USDT", "tdMode": "cash", "side": "buy", "sz": "0.1"}
    assert sent.body == common | form | {"clOrdId": okx_id(one.client_order_id)}
    headers = sent.headers
    assert (headers["OK-ACCESS-KEY"], headers["OK-ACCESS-PASSPHRASE"]) == ("key", "words")
    signed = f"{headers['OK-ACCESS-TIMESTAMP']}POST{sent.raw}".encode()
    expected = base64.b64encode(hmac.new(b"secret", signed, hashlib.sha256).digest()).decode()
    assert headers["OK-ACCESS-SIGN"] == expected


def test_stop_orders_are_refused_before_anything_is_sent(wire: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    with pytest.raises(OrderRejected, match="no stop orders to OKX"):
        place(broker, ticket(symbol=ETH, stop_price=5000))
    assert wire.sent == []


def test_an_order_that_filled_is_told_with_its_trades(wire: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    one = ticket(symbol=ETH, quantity=Decimal("0.007533"))
    accepted(wire, one, state="filled", accFillSz="0.007533", ordId="317321390244397056")
    wire.answer("GET", "/api/v5/trade/fills", told(FILL | {"clOrdId": okx_id(one.client_order_id)}))
    order = place(broker, one)
    assert (order.status, order.filled, order.reason) == ("filled", Decimal("0.007533"), "")
    assert order.fills == (
        Fill(
            id="ETH-USDT-107601752",
            order_id=one.client_order_id,
            account=one.account,
            symbol=ETH,
            side="buy",
            price=Decimal("2654.98"),
            quantity=Decimal("0.007533"),
            fee=Decimal("0.000007533"),
            fee_currency="ETH",
            time=datetime(2021, 5, 25, 7, 21, 54, 985000, UTC),
        ),
    )
    asked = wire.of("GET", "/api/v5/trade/fills")[0].query
    assert asked == {"instType": "SPOT", "instId": "ETH-USDT", "ordId": "317321390244397056", "limit": "100"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("51008", "Order placement failed due to insufficient balance."),
        ("51020", "Order amount should be greater than the min available amount."),
        ("51121", "Order count should be the integer multiples of the lot size."),
        ("51000", "Parameter px error"),
    ],
)
def test_a_refusal_of_the_table_is_definite(
    wire: Any, broker: CcxtBroker, ticket: Ticket, code: str, message: str
) -> None:
    wire.answer("POST", ORDER, refused(code, message))
    with pytest.raises(OrderRejected, match="refused order"):
        place(broker, ticket(symbol=ETH))
    assert len(wire.of("POST", ORDER)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"code": "50004", "msg": "Endpoint request timeout", "data": []},
        {"code": "50013", "msg": "System is busy, please try again later.", "data": []},
        refused("59999", "Nobody has heard of it."),
        {"code": "0", "msg": "", "data": []},
        {"code": "0", "msg": "", "data": [{"sCode": "0", "clOrdId": "qtp" + "0" * 24, "ordId": "1", "sMsg": ""}]},
        "<html>Gateway</html>",
        "",
        requests.exceptions.ReadTimeout("too slow"),
        requests.exceptions.ConnectionError("dropped"),
    ],
    ids=["timeout", "busy", "unheard", "empty", "other", "html", "nothing", "read timeout", "dropped"],
)  # fmt: skip
def test_everything_else_is_unknown_and_not_sent_again(
    wire: Any, broker: CcxtBroker, ticket: Ticket, answer: Any
) -> None:
    one = ticket(symbol=ETH)
    wire.answer("POST", ORDER, answer)
    with pytest.raises(OutcomeUnknown):
        place(broker, one)
    wire.answer("GET", ORDER, MISSING)
    with pytest.raises(OutcomeUnknown, match="sent before"):
        place(broker, one)
    assert len(wire.of("POST", ORDER)) == 1


def test_a_duplicate_is_looked_up(wire: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    one = ticket(symbol=ETH, limit_price=2000)
    accepted(wire, one)
    wire.answer("POST", ORDER, refused("51016", "Client order ID already exists."))
    assert place(broker, one).status == "accepted"


def test_a_look_up_asks_by_our_id_and_denies_only_after_the_full_history(wire: Any, broker: CcxtBroker) -> None:
    never = "qtp-" + "0" * 24
    wire.answer("GET", ORDER, MISSING)
    assert broker.find(never, ETH) is None
    assert [(sent.path, sent.query.get("clOrdId")) for sent in wire.sent] == [
        (ORDER, okx_id(never)),
        ("/api/v5/trade/orders-pending", None),
        (HISTORY, None),
        ("/api/v5/trade/orders-history-archive", None),
    ]


def test_an_order_that_only_the_history_shows_is_found_on_its_second_page(wire: Any, broker: CcxtBroker) -> None:
    ours = "qtp-" + "a" * 24
    wire.answer("GET", ORDER, MISSING)
    others = [OPEN | {"ordId": str(number), "clOrdId": "", "state": "canceled"} for number in range(300, 200, -1)]
    mine = OPEN | {"ordId": "200", "clOrdId": okx_id(ours), "state": "canceled"}
    wire.answer("GET", HISTORY, told(*others), told(mine))
    found = broker.find(ours, ETH)
    assert found is not None
    assert (found.status, found.venue_order_id) == ("cancelled", "200")
    assert [sent.query.get("after") for sent in wire.of("GET", HISTORY)] == [None, "201"]


def test_a_look_up_that_fails_is_no_denial(wire: Any, broker: CcxtBroker) -> None:
    wire.answer("GET", ORDER, MISSING)
    wire.answer("GET", HISTORY, {"code": "50013", "msg": "System is busy", "data": []})
    with pytest.raises(VenueUnavailable):
        broker.find("qtp-" + "0" * 24, ETH)


def test_a_word_nobody_knows_leaves_it_open_and_says_so(wire: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    one = ticket(symbol=ETH, limit_price=2000)
    accepted(wire, one, state="dreaming")
    order = place(broker, one)
    assert order.status == "accepted"
    assert "'dreaming'" in order.reason


@pytest.mark.parametrize("answer", ["done", "51400", "51402"])
def test_a_cancel_goes_out_by_our_id_and_is_looked_up(
    wire: Any, broker: CcxtBroker, ticket: Ticket, answer: str
) -> None:
    one = ticket(symbol=ETH, limit_price=2000)
    accepted(wire, one, state="canceled")
    path, own = "/api/v5/trade/cancel-order", okx_id(one.client_order_id)
    done = told({"clOrdId": own, "ordId": "317251910906576896", "sCode": "0", "sMsg": ""})
    wire.answer("POST", path, done if answer == "done" else refused(answer, "It is over."))
    assert broker.cancel(one.client_order_id, ETH).status == "cancelled"
    assert [sent.body for sent in wire.of("POST", path)] == [{"instId": "ETH-USDT", "clOrdId": own}]


def test_cancelling_what_never_was_is_not_found(wire: Any, broker: CcxtBroker) -> None:
    wire.answer("POST", "/api/v5/trade/cancel-order", refused("51603", "Order does not exist"))
    wire.answer("GET", ORDER, MISSING)
    with pytest.raises(NotFound):
        broker.cancel("qtp-" + "0" * 24, ETH)


def test_an_id_that_is_not_ours_is_refused(broker: CcxtBroker) -> None:
    with pytest.raises(InvalidRequest, match="not one of this desk's"):
        broker.find("somebody-elses", ETH)


def test_open_orders_of_all_are_told(wire: Any, broker: CcxtBroker) -> None:
    ours = "qtp-" + "b" * 24
    rows = [OPEN | {"clOrdId": okx_id(ours), "ordId": "2"}, OPEN | {"clOrdId": "web7", "side": "sell"}]
    wire.answer("GET", "/api/v5/trade/orders-pending", told(*rows))
    quantity, price = Decimal("0.001"), Decimal(2000)
    assert broker.open_orders() == (
        OpenOrder(ours, "2", ETH, "buy", "limit", quantity, Decimal(0), price),
        OpenOrder("web7", "317251910906576896", ETH, "sell", "limit", quantity, Decimal(0), price),
    )


def test_balances_are_those_of_the_trading_account(wire: Any, broker: CcxtBroker) -> None:
    details = [
        {"ccy": "BTC", "cashBal": "1.06126645222", "availBal": "0.6612664522199999", "frozenBal": "0.4"},
        {"ccy": "ETH", "cashBal": "0", "availBal": "0", "frozenBal": "0"},
    ]
    wire.answer("GET", "/api/v5/account/balance", told({"details": details}))
    assert broker.balances() == {"BTC": Balance(Decimal("1.06126645222"), Decimal("0.6612664522199999"))}


def test_fills_since_a_time_join_both_lists_each_trade_once(wire: Any, broker: CcxtBroker) -> None:
    ours = "qtp-" + "c" * 24
    old = FILL | {"tradeId": "1", "billId": "1", "ts": "1621927300000"}
    new = FILL | {"tradeId": "2", "billId": "2", "clOrdId": okx_id(ours), "fee": "0.0001", "feeCcy": "USDT"}
    wire.answer("GET", "/api/v5/trade/fills-history", told(old))
    wire.answer("GET", "/api/v5/trade/fills", told(new, old))
    fills = broker.fills_since(ETH, 1621927300000)
    assert [(fill.id, fill.order_id, fill.fee) for fill in fills] == [
        ("ETH-USDT-1", "317321390244397056", Decimal("0.000007533")),
        ("ETH-USDT-2", ours, Decimal("-0.0001")),
    ]
    assert [fill.id for fill in broker.fills_since(ETH, 1621927300001)] == ["ETH-USDT-2"]
    assert wire.of("GET", "/api/v5/trade/fills")[0].query["begin"] == "1621927300000"


def test_exits_are_left_to_the_desk(wire: Any, broker: CcxtBroker, ticket: Ticket, ledger_order: Any) -> None:
    one = ticket(symbol=ETH, limit_price=2000, stop_loss=1900, take_profit=2200)
    accepted(wire, one)
    assert not broker.holds_protection(one)
    order = place(broker, one)
    wire.answer("GET", ORDER, MISSING)
    assert broker.protect(ledger_order(one, order)) == ()
    assert len(wire.of("POST", ORDER)) == 1


def test_a_clock_that_is_off_stops_orders(wire: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    wire.answer("GET", "/api/v5/public/time", told({"ts": str(int(time.time() * 1000) - 60_000)}))
    with pytest.raises(VenueUnavailable, match="apart"):
        broker.ready()
    with pytest.raises(OrderRejected, match="apart"):
        place(broker, ticket(symbol=ETH))
    assert wire.of("POST", ORDER) == []


def test_keys_without_their_passphrase_are_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="passphrase"):
        open_venue_account("okx", Credentials("key", "secret"), account="live-okx-usdt:ann")
