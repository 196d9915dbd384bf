"""What the chat's page fetches besides messages, under /chat/desk, for whoever is signed in."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Final

from chainlit.auth import authenticate_user, get_token_from_cookies
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ui import requests
from ui.chart_words import facts
from ui.charts import drawing
from ui.charts.page import plotly_script
from ui.chat.visitors import Visitors
from ui.client import DeskError, DeskProblem, Json

Page = Callable[[Request], Awaitable[Response]]

_IMMUTABLE: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def routes(visitors: Visitors) -> list[Route]:
    """Routes relative to /chat."""

    def signed_in(page: Page) -> Page:
        async def answer(request: Request) -> Response:
            try:
                await authenticate_user(get_token_from_cookies(dict(request.cookies)) or "")
                return await page(request)
            except HTTPException as error:
                return _refusal(error.status_code, "Nobody is signed in.", "Reload the page.")
            except DeskProblem as error:
                return _refusal(error.status, error.message, error.remedy)
            except DeskError as error:
                return _refusal(503, error.message, error.remedy)

        return answer

    @signed_in
    async def known_status(request: Request) -> Response:  # noqa: ARG001 - a route's signature
        desk = visitors.desk()
        waiting = await desk.tickets(status="pending")
        tickets = [{name: ticket[name] for name in ("id", "label", "thread_id", "expires_at")} for ticket in waiting]
        return JSONResponse({**await desk.status(), "waiting": tickets})

    async def status(request: Request) -> Response:
        # The page asks before it has signed in: that is no error worth a red line in the browser's console.
        answer = await known_status(request)
        return JSONResponse({"signed_in": False}) if answer.status_code == HTTPStatus.UNAUTHORIZED else answer

    @signed_in
    async def switch(request: Request) -> Response:
        return JSONResponse(await visitors.desk().send(await _switch(request)))

    @signed_in
    async def ticket(request: Request) -> Response:
        return JSONResponse(await visitors.desk().ticket(request.path_params["ticket_id"]))

    @signed_in
    async def figure(request: Request) -> Response:
        query = request.query_params
        limit = query.get("limit", "")
        chart = await visitors.desk().chart(
            query.get("symbol", ""),
            query.get("timeframe", ""),
            as_of=query.get("as_of"),
            limit=int(limit) if limit.isdecimal() else None,
        )
        look = {"dark": query.get("dark") == "1", "narrow": query.get("narrow") == "1"}
        drawn = await run_in_threadpool(_draw, chart, **look)
        return Response(drawn, media_type="application/json")

    async def plotly(request: Request) -> Response:  # noqa: ARG001 - a route's signature
        return FileResponse(await run_in_threadpool(_plotly_js), media_type="text/javascript", headers=_IMMUTABLE)

    return [
        Route("/desk/status", status),
        Route("/desk/halt", switch, methods=["POST"]),
        Route("/desk/resume", switch, methods=["POST"]),
        Route("/desk/tickets/{ticket_id}", ticket),
        Route("/desk/figure", figure),
        Route("/desk/plotly-{version}.js", plotly),
    ]


async def _switch(request: Request) -> requests.Call:
    """What pressing the kill switch asks of the desk."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise DeskError("The page sent no JSON object.", "Reload the page.")
    reason = str(body.get("reason", ""))
    if request.url.path.endswith("/resume"):
        return requests.resume(reason)
    return requests.halt(reason, cancel_all=body.get("cancel_all") is True)


def _draw(chart: Json, *, dark: bool, narrow: bool) -> bytes:
    figure = drawing(chart, dark=dark, narrow=narrow)
    drawn = {"plotly": version("plotly"), "facts": facts(chart), "figure": figure}
    return json.dumps(drawn, allow_nan=False, separators=(",", ":")).encode()


def _plotly_js() -> Path:
    try:
        return plotly_script()
    except FileNotFoundError as error:
        raise DeskError("Plotly is not installed.", "Install the desk from its lock file.") from error


def _refusal(status: int, message: str, remedy: str) -> JSONResponse:
    return JSONResponse({"detail": message, "remedy": remedy}, status_code=status)
