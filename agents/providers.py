"""Model names as settings write them, and the chat models they mean.

`provider:name`, with an optional address: `google_genai:gemini-3.5-flash-lite`,
`mistralai:mistral-small-latest`, `openai:my-model@http://127.0.0.1:8080/v1`. The last form is how
self-hosted models run (vLLM, llama.cpp, Ollama), Mixtral among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from agents.settings import variable
from engines.errors import ConfigurationError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agents.settings import Settings

_OFFLINE: Final = "offline"
_KEY_FIELDS: Final = {"google_genai": "google_api_key", "mistralai": "mistral_api_key", "openai": "openai_api_key"}
_EXAMPLES: Final = (
    "Use offline, google_genai:gemini-3.5-flash-lite, mistralai:mistral-small-latest, "
    "or openai:NAME with QTP_MODEL_BASE_URL."
)


@dataclass(frozen=True, slots=True)
class ModelName:
    """One model to ask; `key` is None where a self-hosted server needs none."""

    provider: str
    name: str
    base_url: str
    key: SecretStr | None

    @property
    def shown(self) -> str:
        """How answers and usage name it."""
        return f"{self.provider}:{self.name}"


def parse_model_name(text: str, settings: Settings) -> ModelName | None:
    """Read one model setting; None is the offline model.

    `QTP_MODEL_BASE_URL` is the address of the first model, and of every self-hosted one without its own.

    Raises:
        ConfigurationError: unknown provider, missing key, or a self-hosted model without an address.
    """
    if text == _OFFLINE:
        return None
    setting = variable("model" if text == settings.model else "model_fallbacks")
    spec, _, own_url = text.partition("@")
    provider, separator, name = spec.partition(":")
    if spec.lower().startswith("mixtral") or (provider == "mistralai" and "mixtral" in name.lower()):
        # Mistral took Mixtral off its own service; it runs behind a self-hosted, OpenAI-compatible server.
        provider, name, separator = "openai", name or spec, ":"
    if not separator or not name or provider not in _KEY_FIELDS:
        raise ConfigurationError(f"{setting} names {text!r}, which is no model this desk can call.", remedy=_EXAMPLES)
    base_url = own_url or (settings.model_base_url if provider == "openai" or text == settings.model else "")
    if provider == "openai" and not base_url and "mixtral" in name.lower():
        raise ConfigurationError(
            f"{setting} names {text!r}, which is self-hosted, and no address is set.",
            remedy="Set QTP_MODEL_BASE_URL to your server, such as http://127.0.0.1:8080/v1.",
        )
    field = _KEY_FIELDS[provider]
    key: SecretStr | None = getattr(settings, field)
    if key is None and not (provider == "openai" and base_url):
        raise ConfigurationError(
            f"{setting} is {text!r}, and {variable(field)} is not set.",
            remedy=f"Set {variable(field)}, or set {setting} to offline.",
        )
    return ModelName(provider, name, base_url, key)


def describe(text: str, settings: Settings) -> str:
    """One model setting in words, checked.

    Raises:
        ConfigurationError: as `parse_model_name`.
    """
    name = parse_model_name(text, settings)
    if name is None:
        return "offline (no key, no network)"
    return f"{name.shown}{f' at {name.base_url}' if name.base_url else ''}"


def make_provider_model(name: ModelName, settings: Settings) -> BaseChatModel:
    """Import the provider's package and make its chat model; retries are the model chain's business."""
    return _MAKERS[name.provider](name, settings.model_timeout_seconds)


def _google(name: ModelName, timeout: float) -> BaseChatModel:
    from langchain_google_genai import ChatGoogleGenerativeAI

    # One attempt: the SDK takes 0 for "use my default".
    return ChatGoogleGenerativeAI(
        model=name.name, api_key=name.key, base_url=name.base_url or None, timeout=timeout, max_retries=1
    )


def _mistral(name: ModelName, timeout: float) -> BaseChatModel:
    from langchain_mistralai import ChatMistralAI

    return ChatMistralAI(
        model_name=name.name,
        api_key=name.key,
        base_url=name.base_url or None,
        timeout=max(1, int(timeout)),
        max_retries=1,
    )


def _openai(name: ModelName, timeout: float) -> BaseChatModel:
    from langchain_openai import ChatOpenAI

    key = name.key or SecretStr("none")
    return ChatOpenAI(model=name.name, api_key=key, base_url=name.base_url or None, timeout=timeout, max_retries=0)


_MAKERS: Final[dict[str, Callable[[ModelName, float], BaseChatModel]]] = {
    "google_genai": _google,
    "mistralai": _mistral,
    "openai": _openai,
}
