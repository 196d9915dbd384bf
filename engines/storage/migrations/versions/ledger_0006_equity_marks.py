"""Keep where losses are counted from, and find an account's latest orders quickly."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engines.storage.metadata import Instant, Money

revision = "ledger_0006"
down_revision = "ledger_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "equity_marks",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("opening", Money(), nullable=True),
        sa.Column("peak", Money(), nullable=True),
        sa.Column("counted_from", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_equity_marks")),
    )
    op.create_index("ix_orders_account_created_at", "orders", ["account", "created_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_orders_account_created_at", table_name="orders")
    op.drop_table("equity_marks")
