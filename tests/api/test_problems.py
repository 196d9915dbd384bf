"""Every error is a problem detail that says what to do and gives nothing away."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api import problems
from api.guard import MAX_BODY_BYTES, BodyLimit, RequestLog
from api.schemas.agent import MAX_MESSAGE
from engines import errors
from tests.serving import served

Serve = Callable[..., contextlib.AbstractContextManager[Any]]

EXPECTED = {
    errors.InvalidRequest: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Expired: 410,
    errors.InsufficientData: 422,
    errors.RiskDenied: 422,
    errors.VenueError: 502,
    errors.VenueUnavailable: 503,
    errors.OrderRejected: 502,
    errors.OutcomeUnknown: 502,
    errors.ConfigurationError: 500,
    errors.QuantumTraderError: 500,
    problems.Unauthenticated: 401,
    problems.Forbidden: 403,
    problems.TooLarge: 413,
    problems.KeyReused: 422,
    problems.Busy: 429,
    problems.Stopping: 503,
}
FIELDS = {"type", "title", "status", "code", "detail", "remedy", "errors"}


@pytest.fixture(scope="module")
def faulty() -> Iterator[httpx.Client]:
    """A server whose routes raise what their path names."""
    app = FastAPI()
    problems.install_problem_handlers(app)
    raised = {kind.__name__: kind for kind in EXPECTED}

    @app.get("/{name}")
    def fail(name: str) -> None:
        if name in raised:
            raise raised[name]("It went wrong at 42.", remedy="Try 41.")
        raise RuntimeError("password=hunter2")

    app.add_middleware(BodyLimit)
    app.add_middleware(RequestLog)
    with served(app, lifespan="off") as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: kind.__name__)
def test_each_error_has_its_status_code_detail_and_remedy(
    faulty: httpx.Client, kind: type[errors.QuantumTraderError]
) -> None:
    response = faulty.get(f"/{kind.__name__}")
    problem = response.json()
    assert set(problem) == FIELDS
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem["status"]) == (EXPECTED[kind], EXPECTED[kind])
    assert (problem["code"], problem["detail"], problem["remedy"]) == (kind.code, "It went wrong at 42.", "Try 41.")
    assert ("retry-after" in response.headers) == (EXPECTED[kind] in {429, 503})


def test_an_unforeseen_error_gives_a_reference_and_nothing_else(
    faulty: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = faulty.get("/bug?token=qtp_secret")
    problem = response.json()
    assert (response.status_code, problem["code"]) == (500, "internal_error")
    assert "hunter2" not in response.text
    reference = problem["detail"].split("reference ")[1][:8]
    assert reference in caplog.text
    assert "hunter2" in caplog.text
    assert "qtp_secret" not in caplog.text


def test_paths_and_methods_that_are_not_there_are_problems_too(local: httpx.Client) -> None:
    missing, wrong = local.get("/v1/none"), local.put("/v1/threads")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert "/docs" in missing.json()["remedy"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "body"),
        (b"{", "body at character 1"),
        (b'"hello"', "body"),
        (b"[]", "body"),
        (b"{}", "message"),
        (b'{"message": ""}', "message"),
        (b'{"message": "   "}', "message"),
        (b'{"message": 7}', "message"),
        (b'{"message": "hello", "extra": 1}', "extra"),
        (b'{"message": "\xff"}', ""),
    ],
)
def test_a_body_that_cannot_be_read_is_named_by_field(local: httpx.Client, content: bytes, field: str) -> None:
    response = local.post("/v1/agent/invoke", content=content, headers={"Content-Type": "application/json"})
    problem = response.json()
    assert (response.status_code, problem["title"]) in {(422, "Unprocessable Entity"), (400, "Bad Request")}
    assert [item["field"] for item in problem["errors"]] == ([field] if field else [])


@pytest.mark.parametrize(
    ("path", "status", "hint"),
    [
        ("/v1/candles?symbol=BTCC/USDT&timeframe=1h", 404, "BTC/USDT"),
        ("/v1/candles?symbol=BTC/USDT&timeframe=7h", 422, "timeframe"),
        ("/v1/candles?symbol=BTC/USDT&timeframe=1h&limit=0", 422, "limit"),
        ("/v1/candles?symbol=BTC/USDT&timeframe=1h&limit=999999", 422, "limit"),
        ("/v1/candles?symbol=BTC/USDT&timeframe=1h&end=2026-01-01T00:00:00", 422, "end"),
        ("/v1/candles?timeframe=1h", 422, "symbol"),
        ("/v1/chart?symbol=NOPE&timeframe=1h", 404, "NOPE"),
        ("/v1/threads?cursor=made-up", 422, "cursor"),
        ("/v1/orders?cursor=made-up", 422, "cursor"),
        ("/v1/fills?cursor=%00", 422, "cursor"),
        ("/v1/audit?cursor=LTE", 422, "cursor"),
        ("/v1/tickets?status=odd", 422, "status"),
        ("/v1/runs/none/events", 404, "run"),
        ("/v1/threads/none", 422, "thread_id"),
    ],
)
def test_a_bad_question_says_what_is_wrong_with_it(local: httpx.Client, path: str, status: int, hint: str) -> None:
    response = local.get(path)
    problem = response.json()
    assert response.status_code == status
    assert set(problem) == FIELDS
    assert hint in problem["detail"] + problem["remedy"]


def test_a_message_has_a_longest_length_that_is_named(local: httpx.Client) -> None:
    assert local.post("/v1/agent/invoke", json={"message": "x " * (MAX_MESSAGE // 2)}).is_success
    response = local.post("/v1/agent/invoke", json={"message": "x" * (MAX_MESSAGE + 1)})
    assert response.status_code == 422
    assert f"{MAX_MESSAGE}" in response.json()["detail"]
    assert len(response.text) < 1000


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(local: httpx.Client, *, chunked: bool) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1024 + 2):
            yield b" " * 1024

    content = parts() if chunked else b" " * (MAX_BODY_BYTES + 1)
    response = local.post("/v1/agent/invoke", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_last_event_id_that_is_no_number_is_refused(local: httpx.Client) -> None:
    run_id = local.post("/v1/agent/invoke", json={"message": "hello"}).json()["run_id"]
    for bad in ("x", "-1", "9" * 10):
        response = local.get(f"/v1/runs/{run_id}/events", headers={"Last-Event-ID": bad})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "Last-Event-ID")


def test_a_market_without_candles_is_told_in_every_answer_and_the_desk_still_is_one(serve: Serve) -> None:
    with serve(market="files") as served, served.client() as client:
        assert client.get("/v1/status").json()["market_time"] is None
        assert client.get("/v1/markets").json()["symbols"] == []
        asked = client.post("/v1/agent/invoke", json={"message": "How does BTC look on the 1h?"}).json()
        assert "import-candles" in asked["reply"]
        assert "import-candles" in client.get("/v1/portfolio").json()["remedy"]
