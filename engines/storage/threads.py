"""Tables of conversations: threads, their messages, runs and run events, fills told, API keys, idempotency keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from engines.storage.metadata import Instant, metadata

# SQLite only numbers rows by itself when the key's type is exactly INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

threads = Table(
    "threads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_threads_owner_updated_at", "owner", "updated_at"),
)

# `status` is `running` until the run ends; `answer` is then its JSON body and `status_code` the HTTP status it had.
runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_code", Integer),
    Column("answer", Text),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_runs_status", "status"),
    Index("ix_runs_thread_id", "thread_id"),
    Index("ix_runs_owner_kind", "owner", "kind"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("extras", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_messages_thread_id_id", "thread_id", "id"),
    sqlite_autoincrement=True,
)

run_events = Table(
    "run_events",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("data", Text, nullable=False),
)

# Fills that a conversation has heard of, by the ledger's number; `run_id` is empty where there was nobody to tell.
# The primary key is what makes telling one twice impossible.
told_fills = Table(
    "told_fills",
    metadata,
    Column("fill_seq", Integer, primary_key=True, autoincrement=False),
    Column("run_id", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_idempotency_created_at", "created_at"),
    Index("ix_idempotency_run_id", "run_id"),
)
