"""The desk as a program uses it: ask, decide, recover; everything else goes on behind it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agents.checkpoints import Checkpoints, open_checkpoints
from agents.graph import build_graph
from agents.opening import ConfigureExchange, open_services
from agents.passes import Pass, run_graph, tell, tell_reply
from agents.results import DecisionOutcome, OnEvent, RunStatus, TurnResult
from agents.services import Services
from agents.tickets import fill_json, order_json
from agents.watch import keep_watch
from engines.errors import InvalidRequest, NotFound
from engines.execution.submit import unfinished

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langgraph.graph.state import CompiledStateGraph

    from agents.models import ModelChain
    from agents.settings import Settings
    from engines.confirmation.risk import RiskLimits
    from engines.domain.clock import Clock
    from engines.domain.orders import OrderTicket
    from engines.execution.broker import Broker
    from engines.execution.prepare import TicketEdits
    from engines.ledger.ledger import Ledger
    from engines.market.data import MarketData

logger = logging.getLogger(__name__)

DecisionWord = Literal["approve", "reject", "edit"]
_T = TypeVar("_T")


def _ignore(_: str, __: dict[str, Any]) -> None:
    """Watches nothing."""


class Desk:
    """One desk: a market, a ledger, a broker, and conversations over them. One per process.

    Errors raised on purpose and unexpected ones alike leave `ask`; whoever runs it reports them. The
    ledger is consistent whenever that happens, and a ticket that was approved is carried out by
    `decide`, or by `recover` after a restart.

    Attributes:
        services: settings, market, ledger, broker, limits, clock, models.
        graph: compiled with the desk's checkpointer. Resuming or entering it directly decides nothing.
    """

    def __init__(self, services: Services, checkpoints: Checkpoints) -> None:
        self.services = services
        self._checkpoints = checkpoints
        self._closing = AsyncExitStack()
        self.graph: CompiledStateGraph[Any, None, Any, Any] = build_graph(services).compile(
            checkpointer=checkpoints.saver
        )

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        market: MarketData | None = None,
        broker: Broker | None = None,
        model: BaseChatModel | ModelChain | None = None,
        configure_exchange: ConfigureExchange | None = None,
        watch: bool = True,
    ) -> Self:
        """Open a desk; the keyword arguments stand in for what the settings would open.

        Args:
            configure_exchange: as `open_services`.
            watch: match resting paper orders, expire tickets and settle unclear orders in the background.

        Raises:
            ConfigurationError: a setting cannot work; the message names it.
        """
        async with AsyncExitStack() as stack:
            opening = open_services(
                settings, clock=clock, market=market, broker=broker, model=model, configure_exchange=configure_exchange
            )
            services = await asyncio.to_thread(opening.__enter__)
            stack.push_async_callback(asyncio.to_thread, opening.__exit__, None, None, None)
            checkpoints = await stack.enter_async_context(open_checkpoints(settings.home, settings.database_url))
            desk = cls(services, checkpoints)
            if watch:
                await stack.enter_async_context(keep_watch(services))
            desk._closing = stack.pop_all()
        return desk

    async def close(self) -> None:
        """Stop the background work and close everything; call it when no turn is running."""
        await self._closing.aclose()

    @property
    def settings(self) -> Settings:
        """As they were read at the start."""
        return self.services.settings

    @property
    def market(self) -> MarketData:
        """The desk's one market."""
        return self.services.market

    @property
    def ledger(self) -> Ledger:
        """The journal."""
        return self.services.ledger

    @property
    def broker(self) -> Broker:
        """The paper broker, or the live one."""
        return self.services.broker

    @property
    def limits(self) -> RiskLimits:
        """The risk limits, loaded once."""
        return self.services.orders.limits

    @property
    def clock(self) -> Clock:
        """The wall clock."""
        return self.services.clock

    @property
    def model_name(self) -> str:
        """The chat model that is asked first."""
        return self.services.model.name

    def account_id(self, owner: str) -> str:
        """Id of the owner's account, opened on first use. Blocks."""
        return self.services.account(owner)

    def ticket_json(self, ticket: OrderTicket) -> dict[str, Any]:
        """A ticket as clients get it, its order and text included. Blocks."""
        return self.services.ticket_json(ticket)

    async def ask(
        self,
        thread_id: str | None,
        message: str,
        owner: str,
        *,
        on_event: OnEvent = _ignore,
        run_id: str | None = None,
    ) -> TurnResult:
        """Answer one message of a thread, or of a new one when `thread_id` is None.

        Args:
            on_event: called in order with `step`, `tool_call`, `tool_result`, `artifact`, `ticket`,
                `token` (together the reply) and last `message` (the answer as JSON).

        Raises:
            InvalidRequest: the message is empty, or needs more steps than a turn may take.
            NotFound: the thread is somebody else's.
            ModelUnavailable: no configured chat model answered.
        """
        if not message.strip():
            raise InvalidRequest("The message is empty.", remedy="Ask something, such as: How does BTC look on the 4h?")
        thread_id, run_id = thread_id or str(uuid.uuid4()), run_id or str(uuid.uuid4())
        async with self._checkpoints.locked(thread_id):
            await self._require_owner(thread_id, owner)
            entry = {"owner": owner, "messages": [HumanMessage(message, id=run_id)], "decided_ticket": ""}
            done = await self._run(thread_id, entry, on_event)
            await self._checkpoints.prune(thread_id)
        tickets = [await self._ticket_json(ticket, owner) for ticket in done.tickets]
        result = _turn_result(done, tickets, thread_id, run_id)
        await tell_reply(on_event, result.reply)
        await tell(on_event, "message", result.to_json())
        return result

    async def decide(
        self,
        ticket_id: str,
        decision: DecisionWord,
        ticket_hash: str,
        by: str,
        owner: str,
        *,
        edits: TicketEdits | None = None,
        resolve_differences: bool = False,
        on_event: OnEvent = _ignore,
        run_id: str | None = None,
    ) -> DecisionOutcome:
        """Record a person's decision on one ticket, then let the graph carry it out and tell.

        Raises:
            NotFound: no such ticket of this owner.
            Expired, Conflict: its time is over; it was decided or replaced; the hash is another; the two
                readers differ and that was not resolved.
            InvalidRequest, RiskDenied: an edit that cannot become a ticket; the old ticket stays.
        """
        ticket = await _off_loop(lambda: self.services.ticket(ticket_id, owner))
        async with self._checkpoints.locked(ticket.thread_id):
            await _off_loop(
                lambda: self._record(ticket, decision, ticket_hash, by, edits=edits, resolved=resolve_differences)
            )
            return await self._carry_on(ticket, on_event, run_id or str(uuid.uuid4()))

    async def recover(self) -> list[DecisionOutcome]:
        """Carry out what was approved, or left unclear, when the desk last stopped; call it once after `open`.

        A live desk first brings its ledger to where the venue is; until that is done no new order passes.
        """
        outcomes = []
        if self.services.live is not None:
            await _off_loop(self.services.live.start)
        for ticket_id in await _off_loop(lambda: unfinished(self.ledger, within=self.services.orders.within)):
            ticket = await asyncio.to_thread(self.services.ticket, ticket_id, None)
            async with self._checkpoints.locked(ticket.thread_id):
                outcomes.append(await self._carry_on(ticket, _ignore, str(uuid.uuid4())))
        return outcomes

    async def delete_thread(self, thread_id: str, owner: str) -> None:
        """Forget a conversation; its tickets, orders and their audit stay in the ledger.

        Raises:
            NotFound: the thread is somebody else's.
        """
        async with self._checkpoints.locked(thread_id):
            await self._require_owner(thread_id, owner)
            await self._checkpoints.delete(thread_id)

    async def check(self) -> None:
        """Read a thread that nobody has: raises what graph and checkpoint store raise when they do not work."""
        await self.graph.aget_state(self._config(str(uuid.uuid4())))

    def _record(
        self,
        ticket: OrderTicket,
        decision: DecisionWord,
        ticket_hash: str,
        by: str,
        *,
        edits: TicketEdits | None,
        resolved: bool,
    ) -> None:
        if decision != "edit":
            self.services.decide(ticket.id, decision, ticket_hash, by, resolved=resolved)
            return
        if edits is None:
            raise InvalidRequest("An edit changes nothing.", remedy="Give a new quantity or price.")
        self.services.edit(ticket.id, ticket_hash, edits, by=by, owner=ticket.owner)

    async def _carry_on(self, ticket: OrderTicket, on_event: OnEvent, run_id: str) -> DecisionOutcome:
        """Let the graph continue at a decided ticket, and report where the ledger then stands."""
        reply, receipts = "", []
        try:
            entry = await self._entry_for(ticket)
            done = await self._run(ticket.thread_id, entry, on_event)
            reply, receipts = done.answers[-1]["reply"], done.answers[-1]["receipts"]
            await self._checkpoints.prune(ticket.thread_id)
        except Exception:
            # Process edge: the decision is recorded, so it is carried out whatever became of the conversation.
            logger.exception("the graph could not tell of ticket %s", ticket.id)
            reply = await _off_loop(lambda: self._carry_out_untold(ticket))
        outcome = await _off_loop(lambda: self._outcome(ticket, reply, receipts, run_id))
        await tell_reply(on_event, outcome.reply)
        await tell(on_event, "message", outcome.to_json())
        return outcome

    def _carry_out_untold(self, ticket: OrderTicket) -> str:
        if self.services.ticket(ticket.id, None).status in {"approved", "submitting", "unknown"}:
            self.services.submit(ticket.id)
        now = self.services.ticket(ticket.id, None)
        return f"{now.label} is {now.status.replace('_', ' ')}. {now.reason}".strip()

    async def _entry_for(self, ticket: OrderTicket) -> Command[Any] | dict[str, Any]:
        """Resume the one interrupt that waits for this ticket, or enter anew where others wait or none does."""
        snapshot = await self.graph.aget_state(self._config(ticket.thread_id))
        waiting = snapshot.interrupts
        if len(waiting) == 1 and waiting[0].value.get("id") == ticket.id:
            return Command(resume={waiting[0].id: "decided"})
        return {"owner": ticket.owner, "decided_ticket": ticket.id}

    def _outcome(self, ticket: OrderTicket, reply: str, receipts: list[dict[str, Any]], run_id: str) -> DecisionOutcome:
        now = self.services.ticket(ticket.id, None)
        replacement = self.services.ticket(now.superseded_by, None) if now.superseded_by else None
        order = self.ledger.order_of(ticket.id)
        status: RunStatus = "awaiting_approval" if replacement and replacement.status == "pending" else "completed"
        return DecisionOutcome(
            ticket=self.services.ticket_json(now),
            replacement=self.services.ticket_json(replacement) if replacement else None,
            order=order_json(order) if order else None,
            fills=[fill_json(fill) for fill in order.fills] if order else [],
            reply=reply,
            receipts=receipts,
            thread_id=ticket.thread_id,
            run_id=run_id,
            status=status,
        )

    async def _run(self, thread_id: str, entry: Command[Any] | dict[str, Any], on_event: OnEvent) -> Pass:
        return await run_graph(self.graph, entry, self._config(thread_id), on_event)

    def _config(self, thread_id: str) -> RunnableConfig:
        return {"configurable": {"thread_id": thread_id}, "recursion_limit": self.settings.recursion_limit}

    async def _ticket_json(self, ticket_id: str, owner: str) -> dict[str, Any]:
        return await _off_loop(lambda: self.services.ticket_json(self.services.ticket(ticket_id, owner)))

    async def _require_owner(self, thread_id: str, owner: str) -> None:
        snapshot = await self.graph.aget_state(self._config(thread_id))
        if snapshot.values.get("owner", owner) != owner:
            raise NotFound(f"There is no thread {thread_id!r}.", remedy="Leave thread_id out to begin a new one.")


def _turn_result(done: Pass, tickets: list[dict[str, Any]], thread_id: str, run_id: str) -> TurnResult:
    waiting = any(ticket["status"] == "pending" for ticket in tickets)
    answer = done.answers[-1]
    return TurnResult(
        thread_id=thread_id,
        run_id=run_id,
        status="awaiting_approval" if waiting else "completed",
        reply=answer["reply"],
        tool_calls=done.tool_calls,
        receipts=answer["receipts"],
        tickets=tickets,
        artifacts=answer["artifacts"],
        next_steps=answer["next_steps"],
        usage=answer["usage"] | {"steps": done.steps},
    )


@asynccontextmanager
async def open_desk(settings: Settings, **seams: Any) -> AsyncIterator[Desk]:
    """A desk that closes by itself; arguments as `Desk.open`."""
    desk = await Desk.open(settings, **seams)
    try:
        yield desk
    finally:
        await desk.close()


async def _off_loop(call: Callable[[], _T]) -> _T:
    return await asyncio.to_thread(call)
