"""Orders that others placed at the venue count in every cap, once, and at the market's price where they have none."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.clock import ManualClock
from engines.domain.orders import Account, OrderIntent, OrderTicket
from engines.errors import RiskDenied
from engines.execution.broker import OpenOrder
from engines.execution.context import OrderContext
from engines.execution.prepare import prepare_ticket
from engines.ledger.ledger import Ledger
from engines.ledger.reconciliation import Reconciliation

BTC, ETH = "BTC/USDT", "ETH/USDT"


class Live:
    """A live account of 50,000 USDT and 1 BTC, whose venue has orders of others; BTC costs 64,120."""

    def __init__(self, context: OrderContext, account: Account, clock: ManualClock) -> None:
        self.context = replace(context, mode="live")
        self.account = account
        self._clock = clock

    @property
    def ledger(self) -> Ledger:
        return self.context.ledger

    def limit(self, **limits: Any) -> None:
        self.context = replace(self.context, limits=replace(self.context.limits, **limits))

    def compared(self, *orders: OpenOrder) -> None:
        """What a comparison finds that others have placed."""
        moved = len(self.ledger.adjustments(self.account.id))
        found = Reconciliation(
            self.account.id, "fixed", self._clock.now(), "request", (), (), {}, orders, (), (), (), movements=moved
        )
        self.ledger.record_reconciliation(found)

    def ticket(self, amount: str = "0.1", **fields: Any) -> OrderTicket:
        intent = OrderIntent(self.account.id, "thread-1", BTC, "buy", Decimal(amount))
        return prepare_ticket(replace(intent, **fields), self.context, owner="ann")

    def refused(self, message: str, **fields: Any) -> None:
        with pytest.raises(RiskDenied, match=message):
            self.ticket(**fields)


@pytest.fixture
def live(context: OrderContext, ledger: Ledger, hand_clock: ManualClock) -> Live:
    account = ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="fixed", mode="live")
    began = {"USDT": (Decimal(50_000), None), "BTC": (Decimal(1), Decimal(64_120))}
    ledger.take_over(account.id, began, venue="fixed")
    desk = Live(context, account, hand_clock)
    huge = Decimal(10**7)
    desk.limit(max_account_exposure=huge, max_symbol_exposure=None, max_day_notional=None, max_order_notional=huge)
    return desk


def external(number: str, side: Any, quantity: str, price: str | None = None, **more: Any) -> OpenOrder:
    at = Decimal(price) if price else None
    told: dict[str, Any] = {"symbol": BTC, "order_type": "limit" if at else "market", **more}
    return OpenOrder("", number, side=side, quantity=Decimal(quantity), filled=Decimal(0), limit_price=at, **told)


def test_rule_36_a_buy_of_others_counts_in_the_cap_of_its_symbol(live: Live) -> None:
    live.limit(max_symbol_exposure=Decimal(80_000))
    assert live.ticket().status == "pending"
    live.compared(external("1", "buy", "0.2", "60000"))
    live.refused("in BTC with this order the account would hold about 82,53")
    live.compared(external("2", "buy", "2", "3000", symbol=ETH))
    assert live.ticket().status == "pending"


def test_rule_36_a_buy_of_others_counts_in_the_caps_of_the_account_and_the_day(live: Live) -> None:
    live.compared(external("1", "buy", "0.2", "60000"))
    live.limit(max_account_exposure=Decimal(80_000))
    live.refused("with this order the account would hold about 82,53")
    live.limit(max_account_exposure=None, max_day_notional=Decimal(18_000))
    live.refused(r"would have bought about 18,412 USDT today")
    live.compared()
    assert live.ticket().status == "pending"


def test_rule_36_a_buy_of_others_without_a_price_counts_at_the_markets(live: Live) -> None:
    live.compared(external("1", "buy", "10", symbol=ETH))
    live.limit(max_account_exposure=Decimal(100_000))
    live.refused("with this order the account would hold about 101,53")
    live.limit(max_account_exposure=None)
    # 50,000 less 31,000 for ten ETH: three tenths of a BTC are too many.
    live.refused("is free", amount="0.3")


def test_rule_36_where_a_buy_of_others_has_no_value_nothing_more_is_bought_and_selling_goes_on(live: Live) -> None:
    live.compared(external("77", "buy", "5", symbol="XYZ/USDT"))
    live.refused(r"77 \(buy 5 XYZ/USDT\)")
    assert live.ticket(side="sell").status == "pending"
    live.limit(max_account_exposure=None)
    live.refused(r"77 \(buy 5 XYZ/USDT\)")


def test_rule_36_a_buy_of_others_in_another_currency_counts_in_the_accounts_own(live: Live) -> None:
    live.compared(external("1", "buy", "10", "0.05", symbol="ETH/BTC"))
    live.limit(max_account_exposure=Decimal(100_000))
    # 10 ETH for 0.5 BTC are 32,060 USDT; the BTC held is another 64,120.
    live.refused("with this order the account would hold about 102,59")
    assert live.ledger.account(live.account.id).free("BTC") == Decimal("0.5")


def test_rule_36_two_orders_of_which_one_ends_the_other_hold_back_one_holding(live: Live) -> None:
    stop = external("1", "sell", "0.8", "59000", stop_price=Decimal(60_000), list_id="9")
    target = external("2", "sell", "0.8", "70000", list_id="9")
    live.compared(stop, target)
    assert live.ledger.account(live.account.id).free("BTC") == Decimal("0.2")
    assert live.ticket(amount="0.2", side="sell").status == "pending"
    live.refused("of which open orders need 0.8", amount="0.3", side="sell")
    # Two that stand alone hold back both.
    live.compared(replace(stop, quantity=Decimal("0.3"), list_id=""), replace(target, quantity=Decimal("0.3")))
    assert live.ledger.account(live.account.id).free("BTC") == Decimal("0.4")


def test_rule_36_of_two_buys_of_which_one_ends_the_other_the_dearer_counts(live: Live) -> None:
    live.compared(
        external("1", "buy", "0.1", "60000", list_id="9"),
        external("2", "buy", "0.1", "66000", stop_price=Decimal(65_900), list_id="9"),
    )
    account, entries = live.ledger.standing(live.account.id)
    assert (entries.external, account.free("USDT")) == ({BTC: Decimal(6_600)}, Decimal(43_400))
