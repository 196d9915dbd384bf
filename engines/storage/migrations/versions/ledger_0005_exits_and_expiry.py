"""Say of each order who watches for its price and until when it is good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engines.storage.metadata import Instant

revision = "ledger_0005"
down_revision = "ledger_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("held_by", sa.Text(), nullable=False, server_default="venue"))
    op.add_column("orders", sa.Column("good_till", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "good_till")
    op.drop_column("orders", "held_by")
