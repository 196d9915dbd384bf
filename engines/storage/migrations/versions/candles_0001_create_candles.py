"""Create the tables of imported candles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engines.storage.metadata import Instant, Money

revision = "candles_0001"
down_revision = None
branch_labels = ("candles",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "candle_series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("timeframe", sa.Text, nullable=False),
        sa.Column("tick_size", Money, nullable=False),
        sa.Column("lot_size", Money, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("imported_at", Instant, nullable=False),
        sa.Column("candles", sa.BigInteger, nullable=False),
        sa.Column("first_open_time", sa.BigInteger, nullable=False),
        sa.Column("last_open_time", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("market", "symbol", "timeframe", name="uq_candle_series_market_symbol_timeframe"),
    )
    op.create_table(
        "candles",
        sa.Column("series_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("open_time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("open", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("close", sa.Double, nullable=False),
        sa.Column("volume", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("candles")
    op.drop_table("candle_series")
