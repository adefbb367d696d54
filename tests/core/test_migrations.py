from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import bot.models
import core.accounts
import core.audit
import core.leases
import core.pending
import core.sessions
import handover.departments
import handover.models
import handover.notices
import knowledge.tables
from core.database import Base, Database

TABLES_OF = (
    bot.models,
    core.accounts,
    core.audit,
    core.leases,
    core.pending,
    core.sessions,
    handover.departments,
    handover.models,
    handover.notices,
    knowledge.tables,
)


def test_migrations_make_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    database.upgrade()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() is not None
