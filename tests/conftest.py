"""Fixtures that every part of the system needs: a standing clock and a migrated store."""

from tests.bot.conftest import clock, sqlite_engine, store

__all__ = ["clock", "sqlite_engine", "store"]
