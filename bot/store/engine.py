"""Making the engine: what must be told to each database so that both keep the same promises."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import ConfigurationError
from bot.settings import Settings

WRITES = "wenban_writes"
"""Execution option of a connection that will write: on SQLite its transactions begin by taking the write lock."""

BUSY_SECONDS = 15
"""How long a writer of another process is waited for on SQLite."""


def make_engine(source: Settings | str) -> Engine:
    """The engine for ``source`` (settings or a URL). The folder of an SQLite file is created.

    Raises ConfigurationError where the URL is no database we support.
    """
    url = _parsed(source.database_url if isinstance(source, Settings) else source)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    engine = create_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True, json_serializer=_json)
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigurationError(
            "设置 WENBAN_DATABASE_URL 不是可用的数据库地址。",
            remedy="请使用 sqlite:///路径 或 postgresql+psycopg://用户:口令@主机/库名。",
            details=[{"setting": "WENBAN_DATABASE_URL"}],
        )
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    return url


def _sqlite(url: URL) -> Engine:
    if url.database in {None, "", ":memory:"}:
        raise ConfigurationError(
            "不支持内存中的 SQLite 数据库：多个进程要共用同一个库。",
            remedy="请把 WENBAN_DATABASE_URL 设为一个文件，例如 sqlite:///var/wenban.db。",
        )
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, json_serializer=_json, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgres(connection: Any, _record: Any) -> None:
    # Our queries take milliseconds; compiling one takes a second, and a table without statistics yet is enough for it.
    connection.execute("SET jit = off")
    connection.execute("SET datestyle = ISO")  # a day as text is read back
    connection.commit()


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads and then writes cannot be promoted once another has written: take the lock at once.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
