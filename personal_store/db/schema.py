"""Bring a database to the newest schema, and refuse one that this program does not know.

Migrations are Alembic's, numbered, in `migrations/versions`; change and version are committed in
the caller's transaction.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from personal_store.errors import UnknownSchema


def bring_to_head(connection: Connection) -> None:
    """Apply the missing migrations.

    Raises UnknownSchema when the database is newer than the program.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current == scripts.get_current_head():
        return
    if current is not None and current not in {s.revision for s in scripts.walk_revisions()}:
        raise UnknownSchema(
            fr=f"La base de données est à la version {current}, que ce programme ne connaît pas : "
            "mettez le programme à jour. Rien n'a été changé.",
            en=f"The database is at version {current}, which this program does not know: "
            "update the program. Nothing was changed.",
        )
    command.upgrade(config, "head")
