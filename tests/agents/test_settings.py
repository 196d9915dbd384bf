from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from agents.settings import Settings, load_settings
from engines.errors import ConfigurationError


@pytest.fixture(autouse=True)
def folder_without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_fresh_machine_gets_the_offline_model_the_demo_market_and_paper_cash() -> None:
    settings = load_settings()

    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.market, settings.model) == ("demo", "offline")
    assert settings.paper_cash == Decimal(100_000)
    assert settings.ticket_seconds == 60
    assert settings.price_band_percent == Decimal("0.5")
    assert settings.home.is_absolute()


def test_the_command_line_wins_over_the_environment_and_the_environment_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("QTP_PORT=9001\nQTP_HOST=127.0.0.2\nQTP_MARKET=files\nUNRELATED=1\n")
    monkeypatch.setenv("QTP_PORT", "9002")
    monkeypatch.setenv("QTP_HOST", "127.0.0.3")

    settings = load_settings(port=9003, host=None)

    assert (settings.port, settings.host, settings.market) == (9003, "127.0.0.3", "files")


def test_fallback_models_are_a_comma_separated_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QTP_MODEL_FALLBACKS", "mistralai:mistral-small-latest, offline")

    assert load_settings().model_fallbacks == ("mistralai:mistral-small-latest", "offline")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("QTP_PORT", "eighty", "0 (any free one) to 65535"),
        ("QTP_PORT", "70000", "0 (any free one) to 65535"),
        ("QTP_TICKET_SECONDS", "0", "seconds from 5 to 3600"),
        ("QTP_PRICE_BAND_PERCENT", "-1", "percent above 0"),
        ("QTP_PAPER_CASH", "nan", "a positive amount"),
        ("QTP_LOG_LEVEL", "loud", "debug, info, warning or error"),
        ("QTP_MODEL_BASE_URL", "localhost:8080", "http(s) address"),
        ("QTP_MARKET", "../etc", "demo, files"),
    ],
)
def test_a_broken_value_names_the_variable_the_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    assert name in str(caught.value)
    assert repr(value) in str(caught.value)
    assert allowed in str(caught.value)
    assert "validation error" not in str(caught.value)


def test_every_broken_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QTP_PORT", "x")
    monkeypatch.setenv("QTP_TICKET_SECONDS", "y")

    with pytest.raises(ConfigurationError, match=r"QTP_PORT.*QTP_TICKET_SECONDS"):
        load_settings()


def test_a_misspelt_variable_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QTP_MARKETT", "files")

    with pytest.raises(ConfigurationError, match="Did you mean QTP_MARKET"):
        load_settings()


def test_a_misspelt_variable_in_the_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("QTP_HOMME=/x\n")

    with pytest.raises(ConfigurationError, match="QTP_HOME"):
        load_settings()


def test_a_misspelt_override_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="QTP_PORTT"):
        load_settings(portt=1)


def test_no_secret_is_in_a_repr_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "hush-1")
    monkeypatch.setenv("QTP_DATABASE_URL", "postgresql://desk:hush-2@127.0.0.1/desk")

    settings = load_settings()

    assert settings.google_api_key is not None
    assert settings.google_api_key.get_secret_value() == "hush-1"
    assert "hush" not in repr(settings) + str(settings)

    monkeypatch.setenv("QTP_DATABASE_URL", "mysql://desk:hush-3@127.0.0.1/desk")
    with pytest.raises(ConfigurationError, match="QTP_DATABASE_URL") as caught:
        load_settings()
    assert "hush" not in str(caught.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


def test_every_setting_says_what_is_allowed() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_fresh_machine_trades_on_paper() -> None:
    settings = load_settings()
    assert (settings.mode, settings.live_trading, settings.venue_api_key) == ("paper", "", None)


def test_the_live_switch_is_refused_from_a_file_and_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("QTP_MODE=live\nQTP_LIVE_TRADING=I_UNDERSTAND\n")
    with pytest.raises(ConfigurationError, match=r"QTP_LIVE_TRADING stands in \.env"):
        load_settings()

    (tmp_path / ".env").write_text("QTP_MODE=live\n")
    monkeypatch.setenv("QTP_LIVE_TRADING", "I_UNDERSTAND")
    assert (load_settings().mode, load_settings().live_trading) == ("live", "I_UNDERSTAND")


def test_a_half_hearted_live_switch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QTP_LIVE_TRADING", "yes")
    with pytest.raises(ConfigurationError, match="allowed is I_UNDERSTAND"):
        load_settings()


def test_venue_keys_show_up_in_no_text_made_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QTP_VENUE_API_KEY", "planted-key")
    monkeypatch.setenv("QTP_VENUE_API_SECRET", "planted-secret")
    settings = load_settings()
    assert "planted" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
