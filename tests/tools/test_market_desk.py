from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from engines.confirmation.open_risk import OpenRisk
from engines.domain.clock import ManualClock
from engines.domain.evidence import Evidence, EvidenceValue
from engines.domain.orders import Order, OrderTicket
from engines.domain.trading_state import Standing, TradingState
from engines.errors import NotFound
from engines.market.demo import DemoMarket
from tools import wording
from tools.market_desk import AccountView, ExternalOrder, Holding, market_desk_tools
from tools.orders import ProposeCancel, ProposeClose, ProposeOrder, order_tools

NOW = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)
EMPTY = AccountView(
    mode="paper",
    currency="USDT",
    cash=Decimal(100_000),
    reserved=Decimal(0),
    equity=Decimal(100_000),
    realised=Decimal(0),
    unrealised=Decimal(0),
    fees=Decimal(0),
    holdings=(),
)
ORDER = Order(
    id="qtp-1",
    ticket_id="t",
    account="a",
    symbol="BTC/USDT",
    side="buy",
    order_type="limit",
    quantity=Decimal("0.5"),
    limit_price=Decimal(60_000),
    stop_price=None,
    stop_loss=None,
    take_profit=None,
    status="partially_filled",
    filled=Decimal("0.2"),
    average_price=Decimal("59999.5"),
    venue_order_id="v",
    reason="",
    created_at=NOW,
    updated_at=NOW,
)


class _Account:
    """An account with what a test puts into it."""

    def __init__(self, view: AccountView = EMPTY, orders: Sequence[Order] = ()) -> None:
        self._view, self._orders = view, orders

    def view(self) -> AccountView:
        return self._view

    def orders(self, *, status: Literal["open", "all"], symbol: str | None) -> Sequence[Order]:
        return [order for order in self._orders if symbol in {None, order.symbol}]

    def pending_tickets(self, symbol: str | None) -> Sequence[OrderTicket]:
        return []

    def external_orders(self, symbol: str | None) -> Sequence[ExternalOrder]:
        return [order for order in self._view.externals if symbol in {None, order.symbol}]


def _run(name: str, account: _Account | None = None, **args: Any) -> Evidence:
    tools = market_desk_tools(DemoMarket(ManualClock(NOW)), account or _Account())
    tool = next(tool for tool in tools if tool.name == name)
    message = tool.invoke({"type": "tool_call", "id": "1", "name": name, "args": args})
    assert isinstance(message.artifact, Evidence)
    return message.artifact


def _filled(text: str, evidence: Evidence) -> str:
    for name, value in evidence.values.items():
        text = text.replace(f"{{{name}}}", value.text)
    return text


def test_a_quote_says_price_spread_and_time() -> None:
    evidence = _run("get_quote", symbol="BTC/USDT")

    said = _filled(evidence.headline, evidence)
    assert said.startswith("BTC/USDT trades at ")
    assert "14:30:00 UTC" in said
    assert (evidence.kind, evidence.simulated, evidence.symbol) == ("quote", True, "BTC/USDT")
    assert Decimal(str(evidence.values["bid"].value)) < Decimal(str(evidence.values["ask"].value))


def test_an_unknown_symbol_is_refused_with_the_nearest() -> None:
    with pytest.raises(NotFound, match="BTC/USDT"):
        _run("get_quote", symbol="BTCC/USDT")


def test_an_empty_account_is_told_in_one_sentence() -> None:
    evidence = _run("get_portfolio")

    said = _filled(evidence.headline, evidence)
    assert said == "The paper account is worth 100,000.00 USDT: 100,000.00 USDT cash, no open position."


@pytest.mark.parametrize("tool", ["get_portfolio", "list_orders"])
def test_orders_that_were_placed_elsewhere_are_told_as_external(tool: str) -> None:
    foreign = ExternalOrder("BTC/USDT", "buy", Decimal("0.2"), Decimal(40_000), "77")
    unlisted = ExternalOrder("XYZ/USDT", "sell", Decimal(3), None, "78")
    evidence = _run(tool, _Account(replace(EMPTY, externals=(foreign, unlisted))))

    said = _filled(evidence.brief, evidence)
    assert "EXTERNAL: buy 0.2 BTC/USDT at 40,000.00, placed elsewhere" in said
    assert "EXTERNAL: sell 3 XYZ/USDT, placed elsewhere" in said


def test_a_position_is_told_with_its_entry_price_and_profit() -> None:
    holding = Holding("BTC/USDT", Decimal("0.5"), Decimal(60_000), Decimal(63_000), Decimal(1_500))
    view = replace(EMPTY, cash=Decimal(70_000), equity=Decimal(101_500), unrealised=Decimal(1_500), holdings=(holding,))
    evidence = _run("get_portfolio", _Account(view))

    assert "1 open position." in _filled(evidence.headline, evidence)
    assert _filled(evidence.brief, evidence).splitlines()[1:] == [
        "BTC/USDT: 0.5 at 60,000.00 average, now 63,000.00, +1,500.00 USDT (+5.0 %). No stop is at work.",
        "Held without a stop: 31,500.00 USDT.",
    ]


@pytest.mark.parametrize(
    ("risk", "told"),
    [
        (
            OpenRisk(Decimal("0.5"), Decimal(60_000), Decimal(1_500)),
            [
                "Stop at 60,000.00.",
                "Open risk: 1,500.00 USDT (1.5 % of the account) from here to the stops, before fees.",
            ],
        ),
        (
            OpenRisk(Decimal("0.2"), Decimal(62_900), Decimal(20)),
            [
                "Stop at 62,900.00, for 0.2 of it only.",
                "Open risk: 20.00 USDT (0.02 % of the account) from here to the stops, before fees. "
                "Held without a stop: 18,900.00 USDT.",
            ],
        ),
    ],
)
def test_a_position_is_told_with_its_open_risk(risk: OpenRisk, told: list[str]) -> None:
    holding = Holding("BTC/USDT", Decimal("0.5"), Decimal(60_000), Decimal(63_000), Decimal(1_500), risk)
    evidence = _run("get_portfolio", _Account(replace(EMPTY, holdings=(holding,))))

    *_, line, summary = _filled(evidence.brief, evidence).splitlines()
    assert [line.partition("(+5.0 %). ")[2], summary] == told


@pytest.mark.parametrize(
    ("state", "may"), [("halted", "only cancels pass"), ("reducing", "only cancels and sales pass")]
)
def test_a_restriction_of_trading_is_told_first(state: TradingState, may: str) -> None:
    figures = {"why_1": EvidenceValue("5.2", "percent", "5.2 %", "in why")}
    view = replace(EMPTY, standing=Standing(state, "lost 5.2 %.", "ada"), reason=("lost {why_1}.", figures))
    evidence = _run("get_portfolio", _Account(view))

    first, *_ = evidence.brief.splitlines()
    assert first == f"Trading is {state.upper()}: {may}. Reason: lost {{why_1}}."
    assert evidence.values["why_1"].text == "5.2 %"


def test_what_is_less_than_a_lot_needs_no_stop() -> None:
    risk = OpenRisk(Decimal("0.5"), Decimal(60_000), Decimal(1_500))
    holding = Holding("BTC/USDT", Decimal("0.5000004"), Decimal(60_000), Decimal(63_000), Decimal(1_500), risk)
    evidence = _run("get_portfolio", _Account(replace(EMPTY, holdings=(holding,))))

    assert "Held without a stop" not in evidence.brief


def test_orders_are_listed_with_their_levels_and_fills() -> None:
    evidence = _run("list_orders", _Account(orders=[ORDER]))

    assert _filled(evidence.headline, evidence) == "There is 1 open order."
    assert _filled(evidence.brief, evidence) == (
        "Buy 0.5 BTC/USDT at limit 60,000.00: partially filled, "
        "filled 0.2 at 59,999.50 average (order qtp-1, 14:30 UTC)."
    )


def test_no_orders_is_an_answer() -> None:
    evidence = _run("list_orders", symbol="ETH/USDT", status="all")

    assert _filled(evidence.headline, evidence) == "There is no order of ETH/USDT."


@pytest.mark.parametrize(
    "args",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"quantity": "nan"},
        {"quantity": "inf"},
        {"side": "hold"},
        {"unit": "lots"},
        {"order_type": "limit"},
        {"order_type": "stop"},
        {"limit_price": 5},
        {"stop_price": 5},
        {"leverage": 10},
        {"symbol": ""},
    ],
)
def test_a_proposal_that_contradicts_itself_is_refused(args: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProposeOrder.model_validate({"symbol": "BTC/USDT", "side": "buy", "quantity": 1, **args})


def test_a_proposal_is_exact() -> None:
    order = ProposeOrder.model_validate({"symbol": "BTC/USDT", "side": "buy", "quantity": 0.1, "stop_loss": "62000.5"})

    assert (order.quantity, order.stop_loss) == (Decimal("0.1"), Decimal("62000.5"))


def test_a_fraction_lies_between_nothing_and_all() -> None:
    assert ProposeClose.model_validate({"symbol": "BTC/USDT"}).fraction == 1
    for fraction in (0, 1.5, -0.5):
        with pytest.raises(ValidationError):
            ProposeClose.model_validate({"symbol": "BTC/USDT", "fraction": fraction})


def test_a_cancellation_says_what() -> None:
    assert ProposeCancel.model_validate({"scope": "all"}).scope == "all"
    with pytest.raises(ValidationError, match="say which"):
        ProposeCancel.model_validate({})


def test_a_model_is_told_that_a_proposal_trades_nothing() -> None:
    for tool in order_tools():
        assert "by itself" in tool.description


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234.5", "1,234.5"),
        ("0.00010", "0.0001"),
        ("-0.5", "-0.5"),
        ("1000000", "1,000,000"),
        ("100", "100"),
        ("0", "0"),
    ],
)
def test_quantities_read_without_trailing_zeros(value: str, text: str) -> None:
    assert wording.quantity_text(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("6.4116", "6.41"), ("-1234.5", "-1,234.50"), ("0.0049", "0.0049"), ("0", "0.00")]
)
def test_money_reads_to_the_cent(value: str, text: str) -> None:
    assert wording.money_text(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("12.34", "12.3 %"), ("0.1", "0.1 %"), ("0.0374", "0.04 %"), ("-0.01", "-0.01 %"), ("0", "0.0 %")],
)
def test_a_small_share_keeps_two_decimals(value: str, text: str) -> None:
    assert wording.percent_text(Decimal(value)) == text


def test_a_vanishing_share_has_no_sign() -> None:
    assert wording.percent_text(Decimal("-0.001")) == "0.0 %"
    assert wording.signed("0.0 %") == "0.0 %"
    assert wording.signed("1.2 %") == "+1.2 %"
