"""Errors as problem details (RFC 9457): what happened, its stable code, and what to do about it."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from engines import errors

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 10
_DOCS: Final = "/docs shows what this request takes."
_TIMES: Final = "Write times in ISO 8601 with their time zone, such as 2026-03-10T14:00:00Z."


class Unauthenticated(errors.QuantumTraderError):
    """Nobody, or nobody known, is calling."""

    code = "unauthenticated"


class Forbidden(errors.QuantumTraderError):
    """The caller is known and may not do this."""

    code = "forbidden"


class TooLarge(errors.InvalidRequest):
    """The body is larger than the server reads."""

    code = "too_large"


class Busy(errors.QuantumTraderError):
    """Too much is running already."""

    code = "busy"


class KeyReused(errors.InvalidRequest):
    """An idempotency key came back with a different request."""

    code = "idempotency_key_reused"


class Stopping(errors.QuantumTraderError):
    """The server was stopped or crashed before the work was done."""

    code = "interrupted"


# The first class of an error's family that is listed here gives its status.
_STATUS: Final[dict[type[Exception], int]] = {
    Unauthenticated: 401,
    Forbidden: 403,
    TooLarge: 413,
    KeyReused: 422,
    Busy: 429,
    Stopping: 503,
    errors.Expired: 410,
    errors.Conflict: 409,
    errors.NotFound: 404,
    errors.InvalidRequest: 422,
    errors.InsufficientData: 422,
    errors.RiskDenied: 422,
    errors.VenueUnavailable: 503,
    errors.VenueError: 502,
    errors.ConfigurationError: 500,
    errors.QuantumTraderError: 500,
}


class FieldProblem(BaseModel):
    """One field that cannot be used, and why."""

    field: str
    message: str


class Problem(BaseModel):
    """A problem detail: `detail` says what happened, `remedy` what to do, `code` is stable."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    remedy: str = ""
    errors: list[FieldProblem] = Field(default_factory=list)


def problem_of(error: errors.QuantumTraderError) -> Problem:
    """The problem detail of an error raised on purpose."""
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    return _problem(status, error.code, error.message, error.remedy)


def unexpected_problem(error: Exception, *, during: str) -> Problem:
    """The problem detail of an error nobody foresaw; its traceback goes to the log under a reference."""
    reference = secrets.token_hex(4)
    logger.error("unexpected error %s during %s", reference, during, exc_info=error)
    return _problem(
        500,
        "internal_error",
        f"Something failed inside the desk (reference {reference}).",
        "Try again; if it stays, the server's log has the details under this reference.",
    )


def problem_response(problem: Problem) -> JSONResponse:
    """The HTTP answer of a problem."""
    headers: dict[str, str] = {}
    if problem.status in {429, 503}:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        problem.model_dump(mode="json"), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these problems, besides 401, 403, 422 and 500."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    every = sorted({401, 403, 422, 500, *statuses})
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in every}


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem detail."""

    @app.exception_handler(errors.QuantumTraderError)
    def on_purpose(_: Request, error: errors.QuantumTraderError) -> JSONResponse:
        return problem_response(problem_of(error))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(_validation_problem(error))

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> JSONResponse:
        remedies = {404: "/docs lists what there is.", 405: "/docs lists the methods of each path."}
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
        response = problem_response(
            _problem(error.status_code, code, str(error.detail), remedies.get(error.status_code, ""))
        )
        response.headers.update(error.headers or {})
        return response


def _problem(status: int, code: str, detail: str, remedy: str) -> Problem:
    return Problem(title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, remedy=remedy)


def _validation_problem(error: RequestValidationError) -> Problem:
    # The rejected value is not echoed: it may be a secret in the wrong place, or 20 kB of text.
    fields = [FieldProblem(field=_field(item), message=item["msg"]) for item in error.errors()]
    detail = "; ".join(f"{item.field}: {item.message}" for item in fields)
    remedy = f"{_TIMES} {_DOCS}" if any(_is_of_time(item) for item in error.errors()) else _DOCS
    problem = _problem(422, errors.InvalidRequest.code, detail, remedy)
    return problem.model_copy(update={"errors": fields})


def _is_of_time(item: dict[str, Any]) -> bool:
    """Whether a value was to be a time: not one, without its zone, or off the calendar."""
    return str(item["type"]).startswith(("datetime", "timezone")) or "a year from" in str(item["msg"])


def _field(item: dict[str, Any]) -> str:
    where, *path = item["loc"]
    if item["type"] == "json_invalid":
        return f"{where} at character {path[0]}" if path else str(where)
    return ".".join(str(part) for part in path) or str(where)
