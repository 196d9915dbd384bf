"""The README tells the truth: settings, commands and addresses are those that exist."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from agents.settings import Settings, load_settings
from api.app import create_app

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_configuration_table_and_no_other(readme: str) -> None:
    fields = Settings.model_fields.items()
    settings = {str(field.validation_alias or f"QTP_{name.upper()}") for name, field in fields}
    table = set(re.findall(r"`((?:QTP_|[A-Z]+_API_KEY)[A-Z_]*)`", readme))
    assert table - {"QTP_API_KEY"} == settings  # a client's variable, not a setting of the desk


def test_every_address_in_the_table_is_served_and_every_served_one_is_in_the_table(readme: str, tmp_path: Path) -> None:
    placeholder = re.compile(r"\{\w+\}")
    served = {placeholder.sub("{}", path) for path in create_app(load_settings(home=tmp_path)).openapi()["paths"]}
    rows = "".join(re.findall(r"^\| `(?:GET|POST) .*", readme, flags=re.MULTILINE))
    written = {placeholder.sub("{}", path) for path in re.findall(r"(/(?:v1/|healthz|readyz)[^\s`,?]*)", rows)}
    assert written == served


def test_every_make_target_it_names_exists(readme: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", readme))
    assert named
    assert named <= targets


def test_pictures_and_files_it_names_exist(readme: str) -> None:
    named = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme) + re.findall(r"`((?:agents|engines|api|ui)/[\w/.]*)`", readme)
    assert len(named) > 8
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_no_other_distribution_owns_the_names_of_our_packages() -> None:
    owners = packages_distributions()
    for name in ("agents", "tools", "engines", "api", "ui", "prompts"):
        assert set(owners.get(name, [])) <= {"quantum-trader-pro"}
