"""Remember which fills a conversation has heard of; those there are now count as told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "threads_0002"
down_revision = "threads_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_fills",
        sa.Column("fill_seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.Text, nullable=False),
    )
    op.create_index("ix_runs_owner_kind", "runs", ["owner", "kind"])
    # Without the ledger's branch there is nothing that could have been told.
    if sa.inspect(op.get_bind()).has_table("fills"):
        op.execute("INSERT INTO told_fills (fill_seq, run_id) SELECT seq, '' FROM fills")


def downgrade() -> None:
    op.drop_index("ix_runs_owner_kind", "runs")
    op.drop_table("told_fills")
