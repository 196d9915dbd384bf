"""The conversation in a terminal: the same desk, tickets and receipts as in the browser."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from ui.cli.rendering import receipts_table, seconds_left, ticket_panel
from ui.client import Decision, DeskClient, DeskError, DeskProblem

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

Json = dict[str, Any]

HELP: Final = """\
Ask in plain words: "How does BTC look on the 4h?", "buy 0.01 BTC, stop 62k", "my portfolio".
  /tickets                      pending tickets
  /approve T-1  /reject T-1     decide that ticket
  /edit T-1 quantity=0.02       another quantity, limit_price, stop_price, stop_loss or take_profit: a new ticket
  /receipts                     where each figure of the last answer came from, with the engines' parameters
  /review                       what rejected, expired and edited tickets would have come to
  /new                          start another conversation
  /quit                         leave; the conversation and its tickets stay
"""
EDITABLE: Final = frozenset({"quantity", "limit_price", "stop_price", "stop_loss", "take_profit"})


class Terminal:
    """One conversation; every decision on an order is a command or a key press of its own, never a chat line."""

    def __init__(self, base_url: str, *, key: str = "", thread_id: str | None = None) -> None:
        self._desk = DeskClient(base_url, key=key)
        self._thread_id = thread_id
        self._receipts: list[Json] = []
        self._console = Console(highlight=False)
        self._interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._waiting_line: str | None = None
        self._session: PromptSession[str] | None = None
        self._commands: dict[str, Callable[[list[str]], None]] = {
            "/help": lambda _: self._console.print(HELP, markup=False),
            "/tickets": lambda _: self._show_pending(),
            "/approve": lambda words: self._decide(words, "approve"),
            "/reject": lambda words: self._decide(words, "reject"),
            "/edit": lambda words: self._decide(words, "edit"),
            "/receipts": lambda _: self._show_receipts(),
            "/new": lambda _: self._start_over(),
        }

    def run(self) -> None:
        """Read, answer and repeat until the input ends.

        Raises:
            DeskError: the desk does not answer at the very start; later failures are printed and the talk goes on.
        """
        self._welcome()
        while (line := self._next_line()) is not None:
            text = line.strip()
            if text in {"/quit", "/exit"}:
                break
            if text:
                with self._said_plainly():
                    self._answer(text)
        self._desk.close()

    def _welcome(self) -> None:
        try:
            status = self._desk.status()
            pending = self._desk.tickets(status="pending")
        except DeskProblem as problem:
            if problem.status not in {401, 403}:
                raise
            raise DeskError(
                problem.message, "Give a key with the scopes you need with --key or QTP_API_KEY."
            ) from problem
        label = "simulated" if status["simulated"] else "real prices"
        facts = f"{status['market']} ({label}) · {status['mode']} account · model {status['model']}"
        self._console.print(f"[bold]Quantum Trader Pro[/bold] · {facts}")
        self._console.print("/help shows what you can do here.", style="dim")
        if pending:
            labels = ", ".join(ticket["label"] for ticket in pending)
            self._console.print(f"Pending: {labels}. /tickets shows what they say.", style="yellow", markup=False)

    def _answer(self, text: str) -> None:
        command, *words = text.split()
        if command in self._commands:
            self._commands[command](words)
        else:
            self._ask(text)

    def _ask(self, text: str) -> None:
        for event in self._desk.stream(text, self._thread_id):
            if event.name == "run":
                self._thread_id = event.data["thread_id"]
            elif event.name == "tool_call":
                words = _arguments(event.data["args"])
                self._console.print(f"· {event.data['name']} {words}", style="dim", markup=False)
            elif event.name == "message":
                self._finish(event.data)
            elif event.name == "error":
                self._console.print(_problem(event.data), style="red", markup=False)

    def _finish(self, answer: Json) -> None:
        self._say(answer["reply"])
        self._receipts = answer["receipts"]
        if self._receipts:
            self._console.print(receipts_table(self._receipts, with_parameters=False))
        if answer.get("next_steps"):
            self._console.print("Next: " + " · ".join(answer["next_steps"]), style="dim", markup=False)
        for ticket in answer.get("tickets") or []:
            if ticket["status"] == "pending":
                self._offer(ticket)

    def _say(self, reply: str) -> None:
        # The reply's Markdown is light: bold marks are all that would disturb here.
        self._console.print(reply.replace("**", ""), markup=False)

    def _offer(self, ticket: Json) -> None:
        label = ticket["label"]
        if not self._interactive:
            choices = f"/approve {label}, /reject {label} or /edit {label} quantity=..."
            self._console.print(f"Decide with {choices}", markup=False, soft_wrap=True)
            return
        edit = "[e]dit, " if ticket["kind"] == "order" else ""
        answer = (
            self._prompt(f"{label}: [a]pprove, {edit}[r]eject or [l]ater ({seconds_left(ticket)} s)? ") or ""
        ).strip()
        match answer.lower():
            case "a" | "approve":
                self._carry_out(ticket, "approve", {})
            case "r" | "reject":
                self._carry_out(ticket, "reject", {})
            case "e" | "edit" if edit:
                self._carry_out(
                    ticket, "edit", _edits((self._prompt("New values, such as quantity=0.02: ") or "").split())
                )
            case _:
                waits = f"{label} waits: /approve {label} or /reject {label} decides it."
                self._console.print(waits, style="dim", markup=False)
                # Anything else was meant for the desk, not for the ticket.
                self._waiting_line = answer if answer.lower() not in {"", "l", "later"} else None

    def _decide(self, words: list[str], decision: str) -> None:
        pending = {ticket["label"].upper(): ticket for ticket in self._desk.tickets(status="pending")}
        label = words[0].upper() if words else next(iter(pending), "")
        if not words and len(pending) > 1:
            raise DeskError(
                f"{len(pending)} tickets are pending: {', '.join(pending)}.", f"Name one: /{decision} {label}."
            )
        if label not in pending:
            raise DeskError(f"There is no pending ticket {label!r}." if label else "No ticket is pending.")
        self._carry_out(pending[label], decision, _edits(words[1:]) if decision == "edit" else {})

    def _carry_out(self, ticket: Json, decision: Any, edits: dict[str, str]) -> None:
        resolve = False
        if decision == "approve" and (ticket["differences"] or ticket["look_alikes"]):
            self._console.print(ticket_panel(ticket))
            answer = self._prompt("Do you mean the ticket as it stands? Type yes: ") or ""
            resolve = answer.strip().lower() in {"y", "yes"}
            if not resolve:
                self._console.print(f"{ticket['label']} waits; nothing was sent.", markup=False)
                return
        outcome = self._desk.decide(
            ticket["id"], Decision(decision, ticket["hash"], edits=edits, resolve_differences=resolve)
        )
        if outcome.get("reply"):
            self._say(outcome["reply"])
        self._receipts = outcome.get("receipts") or self._receipts
        if outcome.get("replacement"):
            self._offer(outcome["replacement"])

    def _show_pending(self) -> None:
        pending = self._desk.tickets(status="pending")
        if not pending:
            self._console.print("No ticket is pending.")
        for ticket in pending:
            self._console.print(ticket_panel(ticket))

    def _show_receipts(self) -> None:
        if self._receipts:
            self._console.print(receipts_table(self._receipts))
        else:
            self._console.print("The last answer had no figures.")

    def _start_over(self) -> None:
        self._thread_id, self._receipts = None, []
        self._console.print("A new conversation.", style="dim")

    def _next_line(self) -> str | None:
        line, self._waiting_line = self._waiting_line, None
        return line if line is not None else self._prompt("you > ")

    def _prompt(self, text: str) -> str | None:
        if not self._interactive:
            line = sys.stdin.readline()
            return line or None
        from prompt_toolkit import PromptSession

        self._session = self._session or PromptSession()
        try:
            return self._session.prompt(text)
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None

    @contextlib.contextmanager
    def _said_plainly(self) -> Any:
        try:
            yield
        except DeskError as error:
            self._console.print(error.message, style="red", markup=False)
            if error.remedy:
                self._console.print(error.remedy, markup=False)


def _arguments(arguments: Json) -> str:
    return " ".join(str(value) for value in arguments.values() if value is not None)


def _problem(problem: Json) -> str:
    return " ".join(part for part in (problem.get("detail"), problem.get("remedy")) if part)


def _edits(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    wrong = [word for word, (name, _, value) in zip(words, pairs, strict=True) if name not in EDITABLE or not value]
    if wrong or not pairs:
        raise DeskError(
            f"{' '.join(wrong) or 'Nothing'} cannot be edited.",
            f"Write name=value with one of {', '.join(sorted(EDITABLE))}.",
        )
    return {name: value for name, _, value in pairs}
