"""Keep what a live account needs: money moved without a fill, foreign orders, comparisons with the venue, its lease."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engines.storage.metadata import Instant, Money

revision = "ledger_0004"
down_revision = "ledger_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_adjustments()
    _create_external_orders()
    _create_reconciliations()
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    for table in ("leases", "reconciliations", "external_orders", "adjustments"):
        op.drop_table(table)


def _create_adjustments() -> None:
    op.create_table(
        "adjustments",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", Money(), nullable=False),
        sa.Column("price", Money(), nullable=True),
        sa.Column("after_fill", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_adjustments_account_accounts")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_adjustments")),
    )
    op.create_index("ix_adjustments_account", "adjustments", ["account"], unique=False)


def _create_external_orders() -> None:
    op.create_table(
        "external_orders",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("venue_order_id", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("order_type", sa.Text(), nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("filled", Money(), nullable=False),
        sa.Column("limit_price", Money(), nullable=True),
        sa.Column("stop_price", Money(), nullable=True),
        sa.Column("first_seen", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_external_orders_account_accounts")),
        sa.PrimaryKeyConstraint("account", "venue_order_id", name=op.f("pk_external_orders")),
    )


def _create_reconciliations() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("matches", sa.Boolean(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_reconciliations_account_accounts")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_reconciliations")),
    )
    op.create_index("ix_reconciliations_account", "reconciliations", ["account"], unique=False)
