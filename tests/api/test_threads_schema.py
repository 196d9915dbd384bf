from __future__ import annotations

from sqlalchemy import Engine, Table

from engines.storage import threads
from engines.storage.metadata import metadata


def test_the_migration_makes_exactly_the_tables_of_conversations(database: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    ours = {table.name for table in vars(threads).values() if isinstance(table, Table)}
    assert ours == {"threads", "runs", "messages", "run_events", "api_keys", "idempotency"}
    with database.connect() as connection:
        options = {"include_name": lambda name, kind, parents: kind != "table" or name in ours}
        context = MigrationContext.configure(connection, opts=options)
        differences = [d for d in compare_metadata(context, metadata) if "table" not in d[0]]
    assert differences == []
