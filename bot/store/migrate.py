"""Bringing the database to the present schema, in-process."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from bot.settings import Settings
from bot.store.engine import WRITES, make_engine
from bot.store.faults import explaining

SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"


def upgrade(source: Settings | Engine) -> None:
    """Runs every migration that the database lacks, in one transaction where the database can.

    Raises StorageFull or Unavailable when the database refuses.
    """
    engine = source if isinstance(source, Engine) else make_engine(source)
    try:
        with explaining(), engine.execution_options(**{WRITES: True}).begin() as connection:
            config = configuration()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        if engine is not source:
            engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the database has the schema this program was written for."""
    with explaining(), engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return present == ScriptDirectory.from_config(configuration()).get_current_head()


def configuration() -> Config:
    """Alembic's configuration, independent of the working folder."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
