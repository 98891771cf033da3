"""The migrations build exactly the schema that the tables declare, on each kind of database."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from bot.store.engine import WRITES
from bot.store.migrate import configuration, is_current, upgrade
from bot.store.schema import metadata


def test_no_drift_between_migrations_and_tables(any_engine: Engine) -> None:
    with any_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata()) == []


def test_upgrading_twice_changes_nothing(any_engine: Engine) -> None:
    assert is_current(any_engine)
    upgrade(any_engine)
    assert is_current(any_engine)


def test_an_empty_database_is_not_current(any_empty_engine: Engine) -> None:
    assert not is_current(any_empty_engine)


def test_there_is_one_line_of_migrations() -> None:
    assert len(ScriptDirectory.from_config(configuration()).get_heads()) == 1


def test_every_migration_can_be_taken_back(any_engine: Engine) -> None:
    with any_engine.execution_options(**{WRITES: True}).begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert set(inspect(any_engine).get_table_names()) <= {"alembic_version"}


def test_the_hand_offs_columns_leave_conversations_as_they_were(any_empty_engine: Engine) -> None:
    now = "2026-11-22 10:00:00+00:00"
    with any_empty_engine.execution_options(**{WRITES: True}).begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        connection.exec_driver_sql(
            "INSERT INTO conversations (id, channel, created_at, updated_at, focus, turns, last_event) "
            f"VALUES ('c', 'api', '{now}', '{now}', '{{}}', 1, 1)"
        )
        connection.exec_driver_sql(
            "INSERT INTO conversation_events (conversation_id, number, kind, at, payload) "
            f"VALUES ('c', 1, 'citizen', '{now}', '{{}}')"
        )
    upgrade(any_empty_engine)
    with any_empty_engine.connect() as connection:
        kept = "SELECT c.holder, c.holder_version, e.kind FROM conversations c JOIN conversation_events e ON 1 = 1"
        assert connection.exec_driver_sql(kept).all() == [("bot", 0, "citizen")]
