"""The OpenAPI description and the page that shows it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

# It has no type information.
Draft202012Validator: Any = importlib.import_module("jsonschema").Draft202012Validator


@pytest.fixture(scope="module")
def description(open_desk: Any) -> dict[str, Any]:
    spec: dict[str, Any] = httpx.get(f"{open_desk.url}/openapi.json", trust_env=False).json()
    return spec


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def schemas(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        for name, child in node.items():
            if name == "schema":
                yield child
            else:
                yield from schemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from schemas(child)


def test_it_is_openapi_3_1_with_a_server_and_a_name_for_each_operation(
    description: dict[str, Any], open_desk: Any
) -> None:
    assert description["openapi"].startswith("3.1.")
    assert description["info"]["title"]
    assert description["info"]["version"]
    assert description["servers"] == [{"url": open_desk.url, "description": "this desk"}]
    names = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names)
    assert all(operation["summary"] and operation["tags"] for _, _, operation in operations(description))


def test_every_reference_leads_somewhere_and_every_schema_is_one(description: dict[str, Any]) -> None:
    components = description["components"]["schemas"]
    for reference in references(description):
        assert reference.removeprefix("#/components/schemas/") in components, reference
    for schema in [*components.values(), *schemas(description["paths"])]:
        Draft202012Validator.check_schema(schema)


def test_path_parameters_are_those_of_the_path(description: dict[str, Any]) -> None:
    for _, path, operation in operations(description):
        declared = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))


def test_bodies_are_flat_and_yes_or_no_is_a_word(description: dict[str, Any]) -> None:
    components = description["components"]["schemas"]
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for _, _, operation in operations(description)
        if "requestBody" in operation
    ]
    engines = [
        "CipherRequest", "CipherTimeframesRequest", "ExplainRequest", "TpoRequest", "VolumeProfileRequest",
        "VwapRequest",
    ]  # fmt: skip
    desk = ["AgentRequest", "AgentRequest", "DecisionRequest", "HaltRequest", "ProposalRequest", "ResumeRequest"]
    counting = ["AcceptRequest", "ArmRequest"]
    assert sorted(bodies) == sorted([*desk, *engines, *counting, "RenameRequest"])
    for name in bodies:
        for field in components[name]["properties"].values():
            kinds = [option.get("type") for option in field.get("anyOf", [field])]
            numbers = {"integer", "number", "array"} if name in engines else {"integer"} if name in counting else set()
            assert set(kinds) <= {"string", "null"} | numbers


def test_each_answer_has_a_shape_and_each_problem_the_shape_of_problems(description: dict[str, Any]) -> None:
    for _, path, operation in operations(description):
        for status, answer in operation["responses"].items():
            if status == "204":
                continue
            ((media, content),) = answer["content"].items()
            if status.startswith(("4", "5")) and path != "/readyz":
                assert (media, content["schema"]) == (
                    "application/problem+json",
                    {"$ref": "#/components/schemas/Problem"},
                )
            else:
                assert content["schema"]


def test_answers_are_what_the_description_says(description: dict[str, Any], local: httpx.Client) -> None:
    invoked = local.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}).json()
    ticket = invoked["ticket"]
    decision = {"decision": "approve", "ticket_hash": ticket["hash"]}
    answers = {
        ("/v1/agent/invoke", "post"): invoked,
        ("/v1/tickets/{ticket_id}/decision", "post"): local.post(
            f"/v1/tickets/{ticket['id']}/decision", json=decision
        ).json(),
        ("/v1/threads/{thread_id}", "get"): local.get(f"/v1/threads/{invoked['thread_id']}").json(),
        ("/v1/candles", "get"): local.get("/v1/candles?symbol=BTC/USDT&timeframe=1h").json(),
    }
    for path in ("threads", "tickets", "orders", "fills", "audit", "portfolio", "markets", "status"):
        answers[f"/v1/{path}", "get"] = local.get(f"/v1/{path}").json()
    market = {"symbol": "BTC/USDT", "timeframe": "1h"}
    for path, body in (
        ("cipher", {"limit": 40}),
        ("volume-profile", {"kind": "session"}),
        ("explain", {"event": "red_dot"}),
        ("vwap", {"bands": [1.5]}),
    ):
        answers[f"/v1/{path}", "post"] = local.post(f"/v1/{path}", json=market | body).json()
    answers["/v1/tpo", "post"] = local.post("/v1/tpo", json={"symbol": "BTC/USDT"}).json()
    several = {"symbol": "BTC/USDT", "timeframes": ["15m", "1d"]}
    answers["/v1/cipher/timeframes", "post"] = local.post("/v1/cipher/timeframes", json=several).json()
    for (path, method), answer in answers.items():
        schema = description["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": description["components"]}).validate(answer)


def test_the_docs_page_needs_nothing_from_anywhere_else(local: httpx.Client) -> None:
    page = local.get("/docs")
    assert page.is_success
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!data:)(https?:)?//""", page.text) == []
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    assert "/openapi.json" in page.text


def test_the_start_page_leads_on(local: httpx.Client) -> None:
    response = local.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/docs")


def test_candles_can_be_read_back_page_by_page(local: httpx.Client) -> None:
    def page(end: str | None) -> dict[str, Any]:
        query = {"symbol": "BTC/USDT", "timeframe": "1h", "limit": "3"} | ({"end": end} if end else {})
        found: dict[str, Any] = local.get("/v1/candles", params=query).json()
        return found

    newest = page(None)
    older = page(newest["next_end"])
    times = [candle["open_time"] for candle in older["candles"] + newest["candles"]]
    assert times == sorted(set(times))
    assert older["as_of"] == newest["candles"][0]["open_time"]
