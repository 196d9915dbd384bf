"""What the desk says without being asked: fills nobody has heard of, and the messages that tell of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from engines.domain.clock import Clock
from engines.storage.ledger import fills, orders, tickets
from engines.storage.threads import messages, run_events, runs, threads, told_fills
from engines.storage.transactions import writing

_MOST: Final = 500
_ANSWERING: Final = exists().where(runs.c.thread_id == tickets.c.thread_id, runs.c.status == "running")
_UNTOLD: Final = (
    select(
        fills.c.seq,
        fills.c.trade_id,
        fills.c.order_id,
        orders.c.ticket_id,
        tickets.c.thread_id,
        tickets.c.owner,
        _ANSWERING.label("is_answering"),
    )
    .join(orders, orders.c.id == fills.c.order_id)
    .join(tickets, tickets.c.id == orders.c.ticket_id)
    .where(fills.c.seq > bindparam("behind"), ~exists().where(told_fills.c.fill_seq == fills.c.seq))
    .order_by(fills.c.seq)
    .limit(_MOST)
)


@dataclass(frozen=True, slots=True)
class Untold:
    """Fills of one order that its conversation has not heard of, oldest first.

    Attributes:
        seqs: their numbers in the ledger.
        trade_ids: the venue's, in the same order.
    """

    order_id: str
    ticket_id: str
    thread_id: str
    owner: str
    seqs: tuple[int, ...]
    trade_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class News:
    """One message that nobody asked for; `answer` is its JSON, as an answer to a message."""

    id: int
    answer: dict[str, Any]


class NewsStore:
    """The desk's unasked messages and the fills they tell of. Calls block for milliseconds."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        # Everything up to this fill is told; only a shortcut, so it need not outlive the process.
        self._behind = 0

    def untold(self) -> list[Untold]:
        """Fills to be told of now; those of a conversation that is being answered wait for the answer's end."""
        with self._engine.connect() as connection:
            newest = connection.execute(select(func.max(fills.c.seq))).scalar() or 0
            if newest <= self._behind:
                return []
            rows = connection.execute(_UNTOLD, {"behind": self._behind}).mappings().all()
        if not rows:
            self._behind = newest
            return []
        self._behind = rows[0]["seq"] - 1
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            if not row["is_answering"]:
                groups.setdefault(row["order_id"], []).append(dict(row))
        return [_untold(group) for group in groups.values()]

    def tell(self, untold: Untold, text: str, answer: Mapping[str, Any]) -> bool:
        """Keep a message about fills, all or nothing; False where another process has told them.

        A conversation that is gone is told nothing, and the fills count as told.

        Args:
            answer: the message as an answer's JSON, without its `run_id`, `thread_id` and `reply`.
        """
        try:
            with writing(self._engine) as connection:
                run_id = uuid.uuid4().hex if self._has_thread(connection, untold) else ""
                rows = [{"fill_seq": seq, "run_id": run_id} for seq in untold.seqs]
                connection.execute(insert(told_fills), rows)
                if run_id:
                    self._keep(connection, run_id, untold, text, answer)
        except IntegrityError:
            return False
        return True

    def newest(self, owner: str) -> int:
        """Number of the owner's newest message that nobody asked for; 0 without any."""
        with self._engine.connect() as connection:
            newest = select(func.max(messages.c.id)).join(runs, runs.c.id == messages.c.run_id)
            return connection.execute(newest.where(_news_of(owner))).scalar() or 0

    def after(self, owner: str, number: int, *, thread_id: str | None, limit: int = 100) -> list[News]:
        """The owner's messages that nobody asked for with a number above this one, oldest first."""
        query = select(messages.c.id, runs.c.answer).join(runs, runs.c.id == messages.c.run_id)
        query = query.where(_news_of(owner), messages.c.id > number)
        if thread_id is not None:
            query = query.where(runs.c.thread_id == thread_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(messages.c.id).limit(limit))
            return [News(row.id, json.loads(row.answer)) for row in rows]

    def _has_thread(self, connection: Connection, untold: Untold) -> bool:
        mine = select(threads.c.id).where(threads.c.id == untold.thread_id, threads.c.owner == untold.owner)
        return connection.execute(mine).first() is not None

    def _keep(self, connection: Connection, run_id: str, untold: Untold, text: str, answer: Mapping[str, Any]) -> None:
        now = self._clock.now()
        whole = {**answer, "run_id": run_id, "thread_id": untold.thread_id, "reply": text}
        connection.execute(
            insert(runs).values(
                id=run_id,
                owner=untold.owner,
                thread_id=untold.thread_id,
                kind="news",
                subject=untold.ticket_id,
                status="completed",
                status_code=200,
                answer=json.dumps(whole),
                created_at=now,
                ended_at=now,
            )
        )
        events = [("message", whole), ("done", {"status": "completed"})]
        connection.execute(
            insert(run_events),
            [
                {"run_id": run_id, "number": number, "name": name, "data": json.dumps(data)}
                for number, (name, data) in enumerate(events, 1)
            ],
        )
        extras = {name: answer[name] for name in ("receipts", "next_steps") if name in answer}
        connection.execute(
            insert(messages).values(
                thread_id=untold.thread_id,
                run_id=run_id,
                role="assistant",
                text=text,
                extras=json.dumps(extras),
                created_at=now,
            )
        )
        connection.execute(update(threads).where(threads.c.id == untold.thread_id).values(updated_at=now))


def mark_told(connection: Connection, run_id: str, receipts: Sequence[Mapping[str, Any]]) -> None:
    """Note which fills the figures of an answer rest on, in the transaction that keeps the answer."""
    told: dict[str, set[str]] = {}
    for receipt in receipts:
        parameters = receipt.get("source", {}).get("parameters", {})
        if parameters.get("fills"):
            told.setdefault(str(parameters["client_order_id"]), set()).update(parameters["fills"])
    for order_id, trade_ids in told.items():
        new = select(fills.c.seq).where(
            fills.c.order_id == order_id,
            fills.c.trade_id.in_(trade_ids),
            ~exists().where(told_fills.c.fill_seq == fills.c.seq),
        )
        rows = [{"fill_seq": seq, "run_id": run_id} for seq in connection.execute(new).scalars()]
        if rows:
            connection.execute(insert(told_fills), rows)


def _news_of(owner: str) -> ColumnElement[bool]:
    return and_(runs.c.owner == owner, runs.c.kind == "news")


def _untold(rows: Sequence[Mapping[str, Any]]) -> Untold:
    first = rows[0]
    return Untold(
        order_id=first["order_id"],
        ticket_id=first["ticket_id"],
        thread_id=first["thread_id"],
        owner=first["owner"],
        seqs=tuple(row["seq"] for row in rows),
        trade_ids=tuple(row["trade_id"] for row in rows),
    )
