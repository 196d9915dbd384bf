"""Real money needs every part at once; without one of them nothing of it exists."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.opening import open_services
from agents.settings import Settings, load_settings
from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.instruments import Instrument
from engines.domain.orders import OrderIntent
from engines.errors import ConfigurationError
from engines.execution.context import OrderContext
from engines.execution.live import LiveParts, missing_parts, open_live_venue, permit_live
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database
from ui.cli.switching import run_halt

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agents", "api", "engines", "tools", "ui")
PARTS = {
    "mode": "QTP_MODE",
    "switch": "QTP_LIVE_TRADING",
    "venue": "QTP_MARKET",
    "key": "QTP_VENUE_API_KEY",
    "secret": "QTP_VENUE_API_SECRET",
    "limits_file": "QTP_LIMITS_FILE",
}


@pytest.fixture
def limits_file(tmp_path: Path) -> Path:
    file = tmp_path / "limits.toml"
    file.write_text('version = "7"\nmax_order_notional = 500\nmax_account_exposure = 2000\n')
    return file


@pytest.fixture
def parts(limits_file: Path) -> LiveParts:
    return LiveParts("live", "I_UNDERSTAND", "kraken", "planted-key", "planted-secret", limits_file)


def test_with_every_part_there_is_a_permit_under_the_limits_of_the_file(parts: LiveParts) -> None:
    assert missing_parts(parts) == ()
    permit = permit_live(parts)
    assert (permit.venue, permit.limits.version, permit.is_exercised) == ("kraken", "7", True)
    assert "planted" not in f"{parts} {permit}"


@pytest.mark.parametrize("name", PARTS)
def test_rule_02_without_any_one_part_the_refusal_names_exactly_that_one(parts: LiveParts, name: str) -> None:
    nothing: dict[str, Any] = {"mode": "paper", "venue": "demo", "limits_file": None}
    lacking = replace(parts, **{name: nothing.get(name, "")})
    [sentence] = missing_parts(lacking)
    assert sentence.startswith(PARTS[name])
    with pytest.raises(ConfigurationError) as refused:
        permit_live(lacking)
    assert [setting for setting in PARTS.values() if setting in refused.value.message] == [PARTS[name]]


def test_a_venue_that_needs_a_passphrase_is_refused_without_it(parts: LiveParts) -> None:
    [sentence] = missing_parts(replace(parts, venue="okx"))
    assert sentence.startswith("QTP_VENUE_API_PASSPHRASE")
    assert not permit_live(replace(parts, venue="okx", passphrase="planted")).is_exercised


def test_broken_limits_are_no_limits(parts: LiveParts, limits_file: Path) -> None:
    limits_file.write_text("max_order_notional = 'much'\n")
    with pytest.raises(ConfigurationError):
        permit_live(parts)


def test_every_part_is_asked_for(parts: LiveParts) -> None:
    assert {field.name for field in fields(LiveParts)} == {*PARTS, "passphrase"}


def _live(tmp_path: Path, limits: Path, **changed: Any) -> Settings:
    given: dict[str, Any] = {
        "home": tmp_path / "home",
        "mode": "live",
        "live_trading": "I_UNDERSTAND",
        "market": "kraken",
        "venue_api_key": "planted-key",
        "venue_api_secret": "planted-secret",
        "limits_file": limits,
    }
    return load_settings(**{**given, **changed})


@pytest.mark.parametrize("lacking", ["live_trading", "venue_api_key", "venue_api_secret", "limits_file", "market"])
def test_rule_02_a_desk_that_lacks_a_part_is_refused_before_anything_is_opened(
    tmp_path: Path, limits_file: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = _live(tmp_path, limits_file, **{lacking: {"live_trading": "", "market": "demo"}.get(lacking)})
    with pytest.raises(ConfigurationError, match="does not trade live"), open_services(settings):
        pass
    assert not (tmp_path / "home").exists()


def test_rule_42_two_desks_on_one_database_cannot_both_trade_an_account(
    tmp_path: Path, limits_file: Path, monkeypatch: pytest.MonkeyPatch, postgres_database: str
) -> None:
    monkeypatch.chdir(tmp_path)
    one, other = (
        _live(tmp_path, limits_file, database_url=postgres_database, home=tmp_path / name) for name in ("one", "other")
    )
    with open_services(one) as first:
        with pytest.raises(ConfigurationError, match="trades kraken live since"), open_services(other):
            pass
        with open_services(other, leased=False) as beside:
            assert beside.live is not None
            assert "does not hold the lease" in beside.live.gate.in_the_way()
        assert first.live is not None
        assert first.live.gate.lease is not None
        assert first.live.gate.lease.is_held()
    with open_services(other) as second:
        assert second.live is not None


def test_everybody_but_the_owner_of_the_keys_has_an_empty_account(
    tmp_path: Path, limits_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_services(_live(tmp_path, limits_file, live_owner="ann")) as services:
        assert services.live is not None
        assert services.account("ann") == services.live.gate.account == "live-kraken-usdt:ann"
        assert services.ledger.account(services.account("bob")).balances == {"USDT": 0}


def _calls(name: str) -> list[tuple[str, str]]:
    """Where something of this name is called: file and enclosing function."""
    found = []
    for path in [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                calls = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
                if any(name in {getattr(call, "id", ""), getattr(call, "attr", "")} for call in calls):
                    found.append((str(path.relative_to(ROOT)), node.name))
    return found


def test_one_place_makes_a_live_broker_and_it_takes_a_permit_that_one_place_gives() -> None:
    assert _calls("CcxtBroker") == [("engines/execution/venues/__init__.py", "open_venue_account")]
    assert _calls("open_venue_account") == [("engines/execution/live.py", "open_live_venue")]
    assert _calls("LivePermit") == [("engines/execution/live.py", "permit_live")]
    assert _calls("open_live_venue") == [("agents/opening.py", "_live")]
    assert _calls("permit_live") == [("agents/live.py", "permit_of")]


def test_no_setting_leads_an_exchange_elsewhere() -> None:
    named = [name for name in Settings.model_fields if any(word in name for word in ("venue", "exchange", "ccxt"))]
    assert sorted(named) == ["venue_api_key", "venue_api_passphrase", "venue_api_secret"]
    readers = [
        path for path in (ROOT / "engines").rglob("*.py") if re.search(r"os\.environ|getenv", path.read_text("utf-8"))
    ]
    assert [path.name for path in readers if "execution" in path.parts or "market" in path.parts] == []


def test_rule_01_on_paper_no_venue_is_loaded_even_with_every_other_part_set(tmp_path: Path, limits_file: Path) -> None:
    code = (
        "import sys; from agents.opening import open_services; from agents.settings import load_settings\n"
        f"settings = load_settings(home={str(tmp_path / 'home')!r}, live_trading='I_UNDERSTAND',"
        f" venue_api_key='planted', venue_api_secret='planted', limits_file={str(limits_file)!r})\n"
        "with open_services(settings) as services:\n"
        "    assert services.live is None and services.broker.name == 'paper'\n"
        "print(sorted(name for name in sys.modules if name.startswith(('ccxt', 'engines.execution.venues'))))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_opening_a_live_broker_sends_nothing(parts: LiveParts) -> None:
    sent: list[str] = []

    def watch(exchange: Any) -> None:
        exchange.fetch = lambda url, *_: sent.append(url)

    broker = open_live_venue(permit_live(parts), account="live-kraken-usdt:ann", configure=watch).broker
    assert (broker.name, sent) == ("kraken", [])


def test_serving_live_without_the_parts_says_each_that_is_missing(
    live_desk: Callable[[str], Any],
) -> None:
    desk = live_desk("binance")
    for name in ("QTP_LIVE_TRADING", "QTP_LIMITS_FILE"):
        del desk.given[name]
    served = desk.command("serve", "--port", str(desk.port))
    assert served.returncode == 2
    assert "QTP_LIVE_TRADING has to be I_UNDERSTAND" in served.stderr
    assert "QTP_LIMITS_FILE" in served.stderr
    assert "QTP_VENUE_API_KEY" not in served.stderr
    assert "Traceback" not in served.stderr
    assert not desk.home.exists()
    examined = desk.command("doctor")
    assert examined.returncode == 1
    assert "QTP_LIMITS_FILE has to name a file" in examined.stdout


def test_talking_does_not_start_a_live_desk_on_the_side(live_desk: Callable[[str], Any]) -> None:
    desk = live_desk("binance")
    talked = desk.command("chat")
    assert talked.returncode == 2
    assert "not started on the side" in talked.stderr
    assert desk.venue.accepts() == 0


def test_arming_needs_a_desk_that_runs(live_desk: Callable[[str], Any]) -> None:
    desk = live_desk("binance")
    asked = desk.command("arm")
    assert asked.returncode == 2
    assert "No desk runs" in asked.stderr


def test_cancelling_all_on_paper_says_that_live_orders_were_not_touched(
    tmp_path: Path, limits_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    clock = ManualClock(datetime(2026, 3, 2, 16, 0, tzinfo=UTC))
    step, fee = Decimal("0.0001"), Decimal("0.001")
    listed = Instrument("BTC/USDT", "BTC", "USDT", Decimal("0.01"), step, step, Decimal(5), fee, fee)
    market = FixedMarket((listed,), clock)
    market.set_quote("BTC/USDT", "49999", "50000")
    settings = load_settings(home=tmp_path / "home")
    engine = open_database("desk", home=settings.home)
    ledger = Ledger(engine, clock)
    account = ledger.ensure_account("ann", mode="live", currency="USDT", cash=Decimal(100_000), market="fixed").id
    context = OrderContext(ledger, market, clock, default_limits(), mode="live")
    intent = OrderIntent(
        account, "thread-1", "BTC/USDT", "buy", Decimal("0.01"), order_type="limit", limit_price=Decimal(49_000)
    )
    ticket = prepare_ticket(intent, context, owner="ann")
    ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    order = submit(ticket.id, context, PaperBroker(engine, market, clock))
    assert order is not None

    assert run_halt("Enough.", settings, cancel_orders=True) == 1
    assert f"Orders of {account} are open and were not touched" in capsys.readouterr().err
    assert ledger.order(order.id).status == "accepted"
    engine.dispose()
