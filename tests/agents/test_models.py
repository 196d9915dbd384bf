from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agents.models import ModelUnavailable, check_model
from agents.providers import parse_model_name
from agents.runtime import Desk
from agents.settings import Settings
from engines.domain.clock import ManualClock
from engines.errors import ConfigurationError

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
ANSWER = "BTC/USDT trades at {quote-1.last}."
CALL = {"symbol": "btc"}


class Provider(ThreadingHTTPServer):
    """Speaks Gemini's and OpenAI's (also Mistral's) shapes; `status` other than 200 makes it fail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status: dict[str, int] = {"gemini": 200, "openai": 200}
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def asked(self, kind: str) -> int:
        return sum(found == kind for found, _, _ in self.requests)


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = "gemini" if "/models/" in self.path else "openai"
        self.server.requests.append((kind, {name.lower(): value for name, value in self.headers.items()}, body))
        status = self.server.status[kind]
        answer = _gemini(body) if kind == "gemini" else _openai(body)
        content = json.dumps(answer if status == 200 else {"error": {"code": status, "message": "no", "status": "X"}})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


def _gemini(body: dict[str, Any]) -> dict[str, Any]:
    last = body["contents"][-1]["parts"][0]
    asked = "functionResponse" in last or "function_response" in last
    call = {"functionCall": {"name": "get_quote", "args": CALL}, "thoughtSignature": "c2ln"}
    part = {"text": ANSWER} if asked else call
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 50, "candidatesTokenCount": 8, "totalTokenCount": 58},
        "modelVersion": "gemini-fake",
    }


def _openai(body: dict[str, Any]) -> dict[str, Any]:
    call = {"id": "abcdefghi", "type": "function", "function": {"name": "get_quote", "arguments": json.dumps(CALL)}}
    asked = body["messages"][-1]["role"] == "tool"
    message: dict[str, Any] = (
        {"role": "assistant", "content": ANSWER}
        if asked
        else {
            "role": "assistant",
            "content": "",
            "tool_calls": [call],
        }
    )
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop" if asked else "tool_calls"}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 6, "total_tokens": 46},
    }


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def keyed(settings: Settings) -> Settings:
    from pydantic import SecretStr

    keys = {name: SecretStr(f"secret-{name}") for name in ("google_api_key", "mistral_api_key", "openai_api_key")}
    return settings.model_copy(update={**keys, "model_retries": 1, "model_timeout_seconds": 10.0})


def _models(provider: Provider) -> dict[str, str]:
    return {
        "gemini": f"google_genai:gemini-3.5-flash-lite@{provider.url}",
        "mistral": f"mistralai:mistral-small-latest@{provider.url}/v1",
        "openai": f"openai:my-model@{provider.url}/v1",
    }


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "header", "secret", "tokens"),
    [
        ("gemini", "x-goog-api-key", "secret-google_api_key", 100),
        ("mistral", "authorization", "Bearer secret-mistral_api_key", 80),
        ("openai", "authorization", "Bearer secret-openai_api_key", 80),
    ],
)
async def test_a_provider_calls_tools_and_its_reply_gets_receipts(
    desk_on: OpenDesk, keyed: Settings, provider: Provider, name: str, header: str, secret: str, tokens: int
) -> None:
    async with desk_on(settings=keyed.model_copy(update={"model": _models(provider)[name]})) as desk:
        result = await desk.ask(None, "price of btc?", "ada")
        again = await desk.ask(result.thread_id, "and now?", "ada")

    assert [call["args"] for call in result.tool_calls] == [{"symbol": "BTC/USDT"}]
    assert result.reply.startswith("BTC/USDT trades at ")
    assert [receipt["source"]["evidence"] for receipt in result.receipts] == ["quote-1"]
    assert result.usage["model"] == _models(provider)[name].partition("@")[0]
    assert (result.usage["input_tokens"], result.usage["model_calls"]) == (tokens, 2)
    assert provider.requests[0][1][header] == secret
    assert again.reply


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_a_provider_that_answers_429_is_replaced_and_the_reply_says_so(
    desk_on: OpenDesk, keyed: Settings, provider: Provider, clock: ManualClock
) -> None:
    provider.status["gemini"] = 429
    models = _models(provider)
    chosen = {"model": models["gemini"], "model_fallbacks": (models["mistral"], "offline")}
    async with desk_on(settings=keyed.model_copy(update=chosen)) as desk:
        result = await desk.ask(None, "price of btc?", "ada")
        asked = provider.asked("gemini")
        assert asked == 2
        assert result.reply.endswith(
            "google_genai:gemini-3.5-flash-lite answered 429 twice; "
            "this reply was made by mistralai:mistral-small-latest."
        )
        assert result.usage["model"] == "mistralai:mistral-small-latest"

        provider.status["openai"] = 500
        offline = await desk.ask(None, "price of btc?", "ada")
        assert offline.reply.endswith("answered 500 twice; this reply was made by the offline model.")
        assert offline.usage["model"] == "offline"
        assert provider.asked("gemini") == asked

        clock.advance(timedelta(minutes=2))
        provider.status["gemini"] = 200
        recovered = await desk.ask(None, "price of btc?", "ada")
        assert recovered.usage["model"] == "google_genai:gemini-3.5-flash-lite"
        assert "this reply was made by" not in recovered.reply


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_without_a_fallback_a_failing_provider_is_an_error_that_says_what_to_do(
    desk_on: OpenDesk, keyed: Settings, provider: Provider
) -> None:
    provider.status["openai"] = 401
    async with desk_on(settings=keyed.model_copy(update={"model": _models(provider)["openai"]})) as desk:
        with pytest.raises(ModelUnavailable, match=r"refused the key \(401\).*QTP_MODEL_FALLBACKS") as caught:
            await desk.ask(None, "price of btc?", "ada")

    assert provider.asked("openai") == 1
    assert "secret" not in str(caught.value)


@pytest.mark.anyio
async def test_a_provider_that_cannot_be_reached_is_replaced(desk_on: OpenDesk, keyed: Settings) -> None:
    chosen = {"model": "openai:my-model@http://127.0.0.1:9/v1", "model_fallbacks": ("offline",), "model_retries": 0}
    async with desk_on(settings=keyed.model_copy(update=chosen)) as desk:
        result = await desk.ask(None, "price of btc?", "ada")

    assert "openai:my-model failed (" in result.reply
    assert result.reply.endswith("this reply was made by the offline model.")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("gemini", "QTP_MODEL names 'gemini'"),
        ("acme:gpt", "QTP_MODEL names 'acme:gpt'"),
        ("google_genai:gemini-3.5-flash-lite", "GOOGLE_API_KEY is not set"),
        ("mistralai:mistral-small-latest", "MISTRAL_API_KEY is not set"),
        ("openai:gpt", "OPENAI_API_KEY is not set"),
        ("mixtral", "QTP_MODEL_BASE_URL"),
        ("mistralai:open-mixtral-8x7b", "QTP_MODEL_BASE_URL"),
    ],
)
def test_a_model_that_cannot_work_is_explained(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, model: str, said: str
) -> None:
    bare = {"google_api_key": None, "mistral_api_key": None, "openai_api_key": None}
    with pytest.raises(ConfigurationError) as caught:
        check_model(settings.model_copy(update={"model": model, **bare}))

    assert said in str(caught.value)


def test_a_wrong_fallback_is_blamed_on_its_own_setting(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="QTP_MODEL_FALLBACKS names 'nothing'"):
        check_model(settings.model_copy(update={"model_fallbacks": ("nothing",)}))


def test_a_self_hosted_mixtral_needs_an_address_and_no_key(settings: Settings) -> None:
    hosted = settings.model_copy(update={"model": "mixtral", "model_base_url": "http://127.0.0.1:8080/v1"})
    name = parse_model_name("mixtral", hosted)

    assert name is not None
    assert (name.provider, name.name, name.base_url) == ("openai", "mixtral", "http://127.0.0.1:8080/v1")
    assert check_model(hosted) == "openai:mixtral at http://127.0.0.1:8080/v1"


def test_the_configured_models_are_told_in_order(settings: Settings) -> None:
    assert check_model(settings) == "offline (no key, no network)"
