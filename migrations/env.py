"""Alembic's way into the schema: every module ``bot.<noun>.tables`` and the store's own tables."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from bot.settings import load_settings
from bot.store.engine import WRITES, make_engine
from bot.store.schema import metadata


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata(), render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("请连接数据库运行迁移（不支持 --sql）。")
given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = make_engine(load_settings())
    with engine.execution_options(**{WRITES: True}).begin() as own:
        run(own)
    engine.dispose()
