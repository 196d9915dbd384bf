"""Keep whether the desk and each account may trade, over restarts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engines.storage.metadata import Instant

revision = "ledger_0003"
down_revision = "ledger_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trading_states",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_trading_states")),
    )


def downgrade() -> None:
    op.drop_table("trading_states")
