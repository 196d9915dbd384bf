"""Say of external orders which of them belong together, so that one holding is held back once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "ledger_0007"
down_revision = "ledger_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("external_orders", sa.Column("list_id", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("external_orders", "list_id")
