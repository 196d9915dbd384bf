"""What an operator can set: read once, frozen, and explained when it is wrong."""

from __future__ import annotations

import difflib
import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from engines.domain.orders import Mode
from engines.errors import ConfigurationError

PREFIX: Final = "QTP_"
# Variables of this prefix that belong to the test suite and to clients of a running desk.
_NOT_SETTINGS: Final = frozenset({"QTP_REQUIRE_ALL", "QTP_TEST_PG_DSN", "QTP_URL", "QTP_API_KEY"})
_SECRET_FIELDS: Final = frozenset(
    {
        "database_url",
        "google_api_key",
        "mistral_api_key",
        "openai_api_key",
        "venue_api_key",
        "venue_api_passphrase",
        "venue_api_secret",
    }
)
# A file that lies around, or is copied along, must not be what lets real money move.
_NOT_IN_DOTENV: Final = frozenset({"QTP_LIVE_TRADING"})


def _url(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("it must begin with http:// or https://")
    return text.rstrip("/")


def _database(text: str) -> str:
    if text and not text.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise ValueError("it must begin with postgresql://")
    return text


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


Url = Annotated[str, AfterValidator(_url)]


class Settings(BaseSettings):
    """The desk's settings, from `QTP_...` variables, a `.env` file and the command line (which wins).

    A field's description says what is allowed; it is what an error shows. Keys of model providers
    have the providers' own variable names and never appear in a repr, a log or an error.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    home: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("quantum-trader", appauthor=False)),
        description="a folder; everything a run writes is in it",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="an address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="a port from 0 (any free one) to 65535")
    public_url: Url = Field(default="", description="the http(s) address that others reach the desk by, or empty")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )

    market: str = Field(
        default="demo", pattern=r"^[a-z0-9_]+$", description="demo, files, or the id of an exchange such as kraken"
    )
    market_streams: bool = Field(
        default=False, description="true or false: whether an exchange's prices and candles are streamed as well"
    )
    demo_seed: int = Field(default=7, ge=0, lt=2**31, description="a whole number from 0")
    quote_currency: str = Field(
        default="", pattern=r"^[A-Z0-9]{0,10}$", description="a currency such as USDT, or empty for the market's own"
    )
    database_url: Annotated[str, AfterValidator(_database)] = Field(
        default="",
        repr=False,
        description="postgresql://user:password@host/name, or empty for files in the home",
    )

    model: str = Field(
        default="offline",
        min_length=1,
        description="offline, or provider:name such as google_genai:gemini-3.5-flash-lite",
    )
    model_fallbacks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="models separated by commas, tried in order when the first one fails"
    )
    model_base_url: Url = Field(default="", description="the http(s) address of a self-hosted model server, or empty")
    model_timeout_seconds: float = Field(default=30, gt=0, le=600, description="seconds above 0, at most 600")
    model_retries: int = Field(default=2, ge=0, le=10, description="a whole number from 0 to 10")
    recursion_limit: int = Field(default=50, ge=10, le=1000, description="graph steps in a turn, from 10 to 1000")
    turn_model_calls: int = Field(default=8, ge=1, le=50, description="model calls in a turn, from 1 to 50")
    turn_token_budget: int = Field(default=60_000, ge=1, description="tokens in a turn, a whole number from 1")
    history_tokens: int = Field(default=12_000, ge=500, description="tokens of history that a model sees, from 500")

    paper_cash: Decimal = Field(default=Decimal(100_000), gt=0, description="a positive amount in the quote currency")
    limits_file: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None, description="a TOML file of risk limits"
    )
    ticket_seconds: int = Field(default=60, ge=5, le=3600, description="seconds from 5 to 3600")
    price_band_percent: Decimal = Field(
        default=Decimal("0.5"), gt=0, le=20, description="percent above 0, at most 20, such as 0.5"
    )
    matching_seconds: float = Field(default=3, gt=0, le=60, description="seconds above 0, at most 60")

    mode: Mode = Field(default="paper", description="paper, or live with all that the README's table names for it")
    live_trading: Literal["", "I_UNDERSTAND"] = Field(
        default="", description="I_UNDERSTAND, in the environment of the run and not in .env"
    )
    live_owner: str = Field(
        default="local",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$",
        description="the owner whose money the venue's keys move",
    )
    venue_api_key: SecretStr | None = Field(default=None, description="a key of the venue")
    venue_api_secret: SecretStr | None = Field(default=None, description="the secret of that key")
    venue_api_passphrase: SecretStr | None = Field(default=None, description="what OKX gives with a key besides")

    google_api_key: SecretStr | None = Field(default=None, validation_alias="GOOGLE_API_KEY", description="a key")
    mistral_api_key: SecretStr | None = Field(default=None, validation_alias="MISTRAL_API_KEY", description="a key")
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY", description="a key")

    @field_validator("model_fallbacks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("log_level", "market", "mode", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` (None means "not given") win over the environment and `.env`.

    Raises:
        ConfigurationError: a value is not allowed, or a `QTP_` variable has no meaning. The message
            names the variable, its value (secrets left out) and what is allowed.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    _refuse_unknown(given)
    _refuse_in_dotenv()
    try:
        return Settings(**given)
    except ValidationError as error:
        raise _explained(error, given) from None


def variable(field: str) -> str:
    """The environment variable of a setting."""
    alias = Settings.model_fields[field].validation_alias if field in Settings.model_fields else None
    return alias if isinstance(alias, str) else f"{PREFIX}{field.upper()}"


def _refuse_unknown(given: dict[str, Any]) -> None:
    known = {variable(name) for name in Settings.model_fields}
    named = {*os.environ, *_dotenv_names(), *(variable(name) for name in given)}
    for name in sorted(named):
        if name.upper().startswith(PREFIX) and name.upper() not in known | _NOT_SETTINGS:
            nearest = difflib.get_close_matches(name.upper(), known, n=1)
            raise ConfigurationError(
                f"{name} is not a setting of the desk.",
                remedy=f"Did you mean {nearest[0]}?" if nearest else "Remove it, or see the README's table.",
            )


def _refuse_in_dotenv() -> None:
    for name in sorted(_dotenv_names()):
        if name.upper() in _NOT_IN_DOTENV:
            raise ConfigurationError(
                f"{name} stands in .env, and only the environment of a run may set it.",
                remedy=f"Remove it there, and set {name.upper()} in front of the one run that should trade live.",
            )


def _dotenv_names() -> set[str]:
    file = Path(".env")
    if not file.is_file():
        return set()
    from dotenv import dotenv_values

    return set(dotenv_values(file, interpolate=False))


def _explained(error: ValidationError, given: dict[str, Any]) -> ConfigurationError:
    lines = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        field = _field_of(str(problem["loc"][0]))
        known = Settings.model_fields.get(field)
        allowed = known.description if known else "see the README's table of settings"
        value = "(not shown)" if field in _SECRET_FIELDS else repr(given.get(field, _environment_value(field)))
        lines.append(f"{variable(field)} is {value}; allowed is {allowed}.")
    return ConfigurationError(" ".join(lines), remedy="Correct it and start again.")


def _field_of(location: str) -> str:
    return next((name for name in Settings.model_fields if location in {name, variable(name)}), location)


def _environment_value(field: str) -> str | None:
    wanted = variable(field)
    found = next((value for name, value in os.environ.items() if name.upper() == wanted), None)
    if found is None and Path(".env").is_file():
        from dotenv import dotenv_values

        found = dotenv_values(".env", interpolate=False).get(wanted)
    return found
