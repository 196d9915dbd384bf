"""How answers, tickets and receipts look in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]

STATE_STYLE = {"pending": "yellow", "filled": "green", "accepted": "green", "partially_filled": "green"}


def ticket_panel(ticket: Json) -> RenderableType:
    """Everything a person should read before deciding."""
    title = f"Ticket {ticket['label']} · {ticket['mode']} account" + (
        " · simulated market" if ticket["simulated"] else ""
    )
    lines: list[RenderableType] = [Text(ticket["text"])]
    if ticket["differences"]:
        lines += [
            Text("The two readers disagree:", style="bold red"),
            *(Text(f"  {line}") for line in ticket["differences"]),
        ]
    if ticket["look_alikes"]:
        lines += [
            Text("You may have sent this already:", style="bold red"),
            *(Text(f"  {line}") for line in ticket["look_alikes"]),
        ]
    state = ticket["status"]
    if state == "pending":
        state += f" · {seconds_left(ticket)} s left"
    style = STATE_STYLE.get(ticket["status"], "white")
    return Panel(Group(*lines), title=title, subtitle=state, border_style=style, title_align="left")


def receipts_table(receipts: list[Json], *, with_parameters: bool = True) -> RenderableType:
    """Where every figure of an answer came from: one heading a source, its figures below."""
    groups: dict[str, list[Json]] = {}
    for receipt in receipts:
        groups.setdefault(source(receipt["source"]), []).append(receipt)
    parts: list[RenderableType] = []
    for origin, figures in groups.items():
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for figure in figures:
            table.add_row(Text(f"[{figure['n']}]"), Text(figure["text"]), Text(figure["label"]), style="dim")
        parts += [Text(f"From {origin}", style="dim bold"), table]
        if with_parameters and (given := parameters(figures[0]["source"])):
            parts.append(Text(f"with {given}", style="dim"))
    return Group(*parts)


def source(origin: Json) -> str:
    """One line: tool, symbol, timeframe, candle, market."""
    parts = [origin["tool"], origin.get("symbol"), origin.get("timeframe"), instant(origin["as_of"]), origin["market"]]
    line = " ".join(str(part) for part in parts if part)
    return f"{line} (simulated)" if origin["simulated"] else line


def parameters(origin: Json) -> str:
    """The engine's parameters, those of a nested engine in brackets."""
    return _flat(origin.get("parameters") or {})


def _flat(values: Json) -> str:
    return ", ".join(
        f"{name} ({_flat(value)})" if isinstance(value, dict) else f"{name} {value}"
        for name, value in values.items()
        if value is not None
    )


def instant(text: str) -> str:
    """An ISO time as a person reads it, in UTC."""
    time = datetime.fromisoformat(text).astimezone(UTC)
    return f"{time:%Y-%m-%d %H:%M} UTC" if time.second == 0 else f"{time:%Y-%m-%d %H:%M:%S} UTC"


def seconds_left(ticket: Json) -> int:
    """Whole seconds until the ticket expires by this machine's clock; 0 once it has."""
    expires = datetime.fromisoformat(ticket["expires_at"])
    return max(0, int((expires - datetime.now(UTC)).total_seconds()))
