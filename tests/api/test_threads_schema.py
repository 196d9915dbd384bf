from __future__ import annotations

from sqlalchemy import Engine, MetaData, Table

from engines.storage import threads
from engines.storage.metadata import metadata as shared


def test_the_migration_makes_exactly_the_tables_of_conversations(database: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    metadata = MetaData(naming_convention=shared.naming_convention)
    ours = {table.to_metadata(metadata).name for table in vars(threads).values() if isinstance(table, Table)}
    assert ours == {"threads", "runs", "messages", "run_events", "told_fills", "api_keys", "idempotency"}
    with database.connect() as connection:
        options = {"include_name": lambda name, kind, parents: kind != "table" or name in ours}
        context = MigrationContext.configure(connection, opts=options)
        differences = [d for d in compare_metadata(context, metadata) if "table" not in d[0]]
    assert differences == []
