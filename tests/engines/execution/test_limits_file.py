"""The operator's limits file: read exactly, or refused with the line to change."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engines.confirmation.risk import RiskLimits
from engines.errors import ConfigurationError
from engines.execution.limits_file import load_limits

REQUIRED = 'version = "3"\nmax_order_notional = 25000\nmax_account_exposure = "250000.50"\n'


def written(folder: Path, text: str, name: str = "limits.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_amounts_are_exact_and_the_rest_has_its_default(tmp_path: Path) -> None:
    limits = load_limits(written(tmp_path, REQUIRED + 'price_collar_percent = 0.1\nallow_list = ["BTC/USDT"]\n'))
    assert limits == RiskLimits(
        "3",
        max_order_notional=Decimal(25_000),
        max_account_exposure=Decimal("250000.50"),
        price_collar_percent=Decimal("0.1"),
        allow_list=frozenset({"BTC/USDT"}),
    )


def test_json_says_the_same(tmp_path: Path) -> None:
    text = '{"version": "3", "max_order_notional": 25000, "max_account_exposure": 250000.50}'
    assert load_limits(written(tmp_path, text, "limits.json")) == load_limits(written(tmp_path, REQUIRED))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = ", "not valid TOML or JSON"),
        ('version = "3"', "'max_order_notional' is missing"),
        (REQUIRED + "max_oder_fraction = 1", "'max_oder_fraction' is not a limit"),
        (REQUIRED.replace(" 25000", " -1"), "'max_order_notional' is -1"),
        (REQUIRED.replace(" 25000", " nan"), "'max_order_notional' is"),
        (REQUIRED.replace(" 25000", ' "lots"'), "'max_order_notional' is 'lots'"),
        (REQUIRED.replace(" 25000", " true"), "'max_order_notional' is True"),
        (REQUIRED.replace('"3"', '" "'), "'version' is empty"),
        (REQUIRED + "max_open_orders = 0", "'max_open_orders' is 0"),
        (REQUIRED + "max_open_orders = 2.5", "'max_open_orders' is"),
        (REQUIRED + 'allow_list = "BTC/USDT"', "'allow_list' is 'BTC/USDT'"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_limits(path)
    assert "limits.toml" in caught.value.message
    assert caught.value.remedy


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_limits(tmp_path / "none.toml")
