"""A room's schema: alembic revisions from its own folder, run under a lock. No env.py is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text

from services.kit import clock
from services.kit.database import open_engine
from services.kit.tick import make_partitions

if TYPE_CHECKING:
    from services.kit.run import Room
    from services.kit.settings import Settings

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('anjuan migrate', 0))")


def upgrade(room: Room, settings: Settings) -> None:
    """To the newest revision, all in one transaction; two that run at once do not collide.

    Revisions lie in `versions/` of the room's folder. The room's first one makes kit's tables too.
    """
    script = ScriptDirectory(str(room.migrations), version_locations=[str(room.migrations / "versions")])

    def steps(revision: Any, _: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)

    engine = open_engine(settings, room.name, pool=1)
    with engine.begin() as connection:
        connection.execute(_LOCK)
        context = MigrationContext.configure(connection, opts={"fn": steps, "script": script})
        with Operations.context(context):
            context.run_migrations()
        make_partitions(connection, clock.now().date())
    engine.dispose()
