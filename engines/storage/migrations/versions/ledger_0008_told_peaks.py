"""Keep which peak of an account's equity the audit chain tells; none of those there are is on it yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engines.storage.metadata import Money

revision = "ledger_0008"
down_revision = "ledger_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("equity_marks", sa.Column("told_peak", Money(), nullable=True))


def downgrade() -> None:
    op.drop_column("equity_marks", "told_peak")
