"""The image and the compose file, read as data: no container engine is needed."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from agents.settings import Settings, variable

ROOT = Path(__file__).parents[2]
yaml: Any = importlib.import_module("yaml")  # it has no type information


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return parsed


def test_ports_are_open_to_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_password_must_be_given_and_is_nowhere_written(compose: dict[str, Any]) -> None:
    settings = [text for service in compose["services"].values() for text in service["environment"].values()]
    secrets = [text for text in settings if "PASSWORD" in text]
    assert len(secrets) == 2
    assert all("${POSTGRES_PASSWORD:?" in text for text in secrets)


def test_the_app_waits_for_a_healthy_timescale_database(compose: dict[str, Any]) -> None:
    app, database = compose["services"]["app"], compose["services"]["database"]
    assert app["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert re.search(r"timescale/timescaledb:.*pg17", database["image"])
    assert "pg_isready" in " ".join(database["healthcheck"]["test"])
    assert app["user"].split(":")[0] not in {"", "0", "root"}


def test_the_app_is_given_settings_that_exist_and_trades_on_paper(compose: dict[str, Any]) -> None:
    names = {variable(name) for name in Settings.model_fields}
    given = compose["services"]["app"]["environment"]
    assert set(given) <= names
    assert not any("live" in str(value).lower() for value in given.values())


def test_the_image_installs_from_the_lock_runs_as_nobody_special_and_is_watched() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert lines.index("--require-hashes -r requirements.lock") < lines.index("COPY --chown=desk:desk agents")
    assert lines.index("USER desk") < lines.index("RUN quantum-trader warm") < lines.index("ENTRYPOINT")
    assert "HEALTHCHECK" in lines
    names = {variable(name) for name in Settings.model_fields}
    assert set(re.findall(r"\bQTP_[A-Z_]+", lines)) <= names
    copied = re.findall(r"^COPY --chown=desk:desk (.+) \S+$", lines, re.MULTILINE)
    sources = {source for group in copied for source in group.split()}
    assert all((ROOT / source).exists() for source in sources)
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{source}" for source in sources} <= set(allowed)
