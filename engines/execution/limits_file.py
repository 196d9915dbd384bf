"""Limits as the operator wrote them, checked before anything trades under them."""

from __future__ import annotations

import json
import tomllib
from dataclasses import MISSING, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from engines.confirmation.risk import RiskLimits
from engines.errors import ConfigurationError

_COUNTS: Final = frozenset(
    {
        "max_open_orders",
        "quote_max_age_seconds",
        "rules_max_age_hours",
        "max_orders_per_second",
        "max_orders_per_minute",
        "max_cancels_per_second",
        "max_losing_streak",
    }
)
_SYMBOLS: Final = frozenset({"allow_list", "restricted"})
_FRACTIONS: Final = frozenset({"max_order_fraction", "max_daily_loss_fraction", "max_drawdown_fraction"})
_NAMES: Final = tuple(f.name for f in fields(RiskLimits))
_REQUIRED: Final = tuple(f.name for f in fields(RiskLimits) if f.default is MISSING and f.default_factory is MISSING)


def load_limits(path: Path) -> RiskLimits:
    """Read a limits file, TOML or JSON, whose keys are the fields of `RiskLimits`.

    Numbers are read as exact decimals; a text such as "10000" does as well.

    Raises:
        ConfigurationError: it cannot be read, or a key or value is wrong; the message names it.
    """
    data = _parsed(path)
    unknown = sorted(set(data) - set(_NAMES))
    if unknown:
        raise _wrong(path, f"{unknown[0]!r} is not a limit", f"Use {', '.join(_NAMES)}.")
    missing = [name for name in _REQUIRED if name not in data]
    if missing:
        raise _wrong(path, f"{missing[0]!r} is missing", "Add it: limits are never guessed.")
    return RiskLimits(**{name: _value(path, name, value) for name, value in data.items()})


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            data = json.loads(text, parse_float=Decimal)
        else:
            data = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise _wrong(path, f"it cannot be read ({error.strerror})", "Check the path and its permissions.") from error
    except ValueError as error:
        raise _wrong(path, f"it is not valid TOML or JSON ({error})", "Correct it there.") from error
    if not isinstance(data, dict):
        raise _wrong(path, "it is not a table of limits", "Write one `name = value` a line.")
    return data


def _value(path: Path, name: str, value: Any) -> Any:
    if name == "version":
        if not str(value).strip():
            raise _wrong(path, "'version' is empty", "Name the version; every ticket quotes it.")
        return str(value)
    if name in _SYMBOLS:
        if not isinstance(value, list) or not all(isinstance(item, str) and "/" in item for item in value):
            raise _wrong(path, f"{name!r} is {value!r}", 'It is a list of symbols such as ["BTC/USDT"].')
        return frozenset(value)
    if name in _COUNTS or name == "duplicate_seconds":
        least = 1 if name in _COUNTS else 0
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise _wrong(path, f"{name!r} is {value!r}", f"It is a whole number, {least} or more.")
        return value
    amount = _amount(path, name, value)
    if name in _FRACTIONS and amount > 1:
        raise _wrong(path, f"{name!r} is {value!r}", "It is a fraction, above 0 and at most 1: 0.05 is 5 %.")
    return amount


def _amount(path: Path, name: str, value: Any) -> Decimal:
    remedy = "It is a number above 0."
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise _wrong(path, f"{name!r} is {value!r}", remedy)
    try:
        amount = Decimal(value)
    except ArithmeticError as error:
        raise _wrong(path, f"{name!r} is {value!r}", remedy) from error
    if not amount.is_finite() or amount <= 0:
        raise _wrong(path, f"{name!r} is {value!r}", remedy)
    return amount


def _wrong(path: Path, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"The limits file {str(path)!r} cannot be used: {what}.", remedy=remedy)
