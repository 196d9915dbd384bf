"""Tables of the ledger: tickets, decisions, orders, fills, audit, trading states, and the paper venue's memory."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from engines.storage.metadata import Instant, Money, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("starting_cash", Money, nullable=False),
    Column("last_label", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("owner", "name"),
)

# `content` is the sealed JSON, the truth of what was shown; the columns beside it are for finding a ticket.
tickets = Table(
    "tickets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False),
    Column("owner", Text, nullable=False),
    Column("thread_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("superseded_by", Text),
    UniqueConstraint("account", "label"),
    Index("ix_tickets_owner_status", "owner", "status"),
    Index("ix_tickets_thread_id", "thread_id"),
)

# The primary key is what makes a second decision impossible.
decisions = Table(
    "decisions",
    metadata,
    Column("ticket_id", Text, ForeignKey("tickets.id"), primary_key=True),
    Column("decision", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("ticket_hash", Text, nullable=False),
    Column("resolved_differences", Boolean, nullable=False),
)

# `id` is our client order id; `parent_id` is set for the stop-loss and take-profit of an entry.
orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ticket_id", Text, ForeignKey("tickets.id"), nullable=False),
    Column("parent_id", Text, ForeignKey("orders.id")),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("order_type", Text, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("limit_price", Money),
    Column("stop_price", Money),
    Column("stop_loss", Money),
    Column("take_profit", Money),
    Column("status", Text, nullable=False),
    Column("venue_order_id", Text),
    Column("reason", Text, nullable=False),
    Column("lookups", Integer, nullable=False),
    # Price and fee rate at submission: what the order holds back of the balance until it is done.
    Column("reserve_price", Money, nullable=False),
    Column("reserve_fee", Money, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    # Who watches for an exit's price: the venue, or the desk while it runs.
    Column("held_by", Text, nullable=False, server_default="venue"),
    # When the desk takes an open order back.
    Column("good_till", Instant),
    Index("ix_orders_account_status", "account", "status"),
    Index("ix_orders_account_created_at", "account", "created_at"),
    Index("ix_orders_ticket_id", "ticket_id"),
    Index("ix_orders_parent_id", "parent_id"),
)

order_events = Table(
    "order_events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("time", Instant, nullable=False),
    Column("status", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_order_events_order_id", "order_id"),
)

fills = Table(
    "fills",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("venue", Text, nullable=False),
    Column("trade_id", Text, nullable=False),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("price", Money, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("fee", Money, nullable=False),
    Column("fee_currency", Text, nullable=False),
    Column("time", Instant, nullable=False),
    UniqueConstraint("venue", "trade_id"),
    Index("ix_fills_account", "account"),
    Index("ix_fills_order_id", "order_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("time", Instant, nullable=False),
    Column("account", Text, nullable=False),
    Column("ticket_id", Text),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_audit_ticket_id", "ticket_id"),
)

# One row: the end of the chain. Locking it makes the ledger's writers take turns on PostgreSQL.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)

# `account` is empty for the whole desk; what nobody ever set has no row and is active.
trading_states = Table(
    "trading_states",
    metadata,
    Column("account", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("since", Instant, nullable=False),
)

# Where the loss limits count from: the day's first equity and the highest one, as they were looked at.
equity_marks = Table(
    "equity_marks",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Text, nullable=False),
    Column("opening", Money),
    Column("peak", Money),
    Column("counted_from", Instant),
    # The peak that the audit chain tells, which follows in steps.
    Column("told_peak", Money),
)

# What the simulated venue knows. The ledger never reads these: it asks the paper broker, as it would ask an exchange.
paper_orders = Table(
    "paper_orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parent_id", Text),
    Column("account", Text, nullable=False),
    # The market whose prices fill it, and no other's.
    Column("market", Text, nullable=False, server_default=""),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("order_type", Text, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("limit_price", Money),
    Column("stop_price", Money),
    Column("stop_loss", Money),
    Column("take_profit", Money),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # Candles up to this market time have been held against the order.
    Column("checked_until", Instant, nullable=False),
    Index("ix_paper_orders_status", "status"),
    Index("ix_paper_orders_parent_id", "parent_id"),
)

paper_fills = Table(
    "paper_fills",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("paper_orders.id"), nullable=False),
    Column("price", Money, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("fee", Money, nullable=False),
    Column("fee_currency", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Index("ix_paper_fills_order_id", "order_id"),
)

# Money that moved without a fill: what a live account had when it was taken over, and differences a person accepted.
# `price` is the account's currency for one unit; `after_fill` is the newest fill of that moment, 0 before the first.
adjustments = Table(
    "adjustments",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Column("price", Money),
    Column("after_fill", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Index("ix_adjustments_account", "account"),
)

# Open orders at the venue that this desk did not place, as of the last reconciliation.
external_orders = Table(
    "external_orders",
    metadata,
    Column("account", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("venue_order_id", Text, primary_key=True),
    Column("client_order_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("order_type", Text, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("filled", Money, nullable=False),
    Column("limit_price", Money),
    Column("stop_price", Money),
    Column("first_seen", Instant, nullable=False),
    # What the venue calls the list that the order is in; empty for one that stands alone.
    Column("list_id", Text, nullable=False, server_default=""),
)

# What each comparison with a venue found; `report` is JSON.
reconciliations = Table(
    "reconciliations",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False),
    Column("time", Instant, nullable=False),
    Column("matches", Boolean, nullable=False),
    Column("report", Text, nullable=False),
    Index("ix_reconciliations_account", "account"),
)

# Who trades a venue's account now; the row of a process that died runs out.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("process", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
