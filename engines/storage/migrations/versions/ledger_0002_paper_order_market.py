"""Say of each paper order which market it was placed on: only that market's prices may fill it."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "ledger_0002"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("paper_orders", sa.Column("market", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    placed = sa.text(
        "SELECT paper_orders.id, tickets.content FROM paper_orders "
        "JOIN orders ON orders.id = coalesce(paper_orders.parent_id, paper_orders.id) "
        "JOIN tickets ON tickets.id = orders.ticket_id"
    )
    update = sa.text("UPDATE paper_orders SET market = :market WHERE id = :id")
    for order_id, content in connection.execute(placed).all():
        connection.execute(update, {"id": order_id, "market": json.loads(content)["market"]})


def downgrade() -> None:
    op.drop_column("paper_orders", "market")
