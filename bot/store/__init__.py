"""The store: one SQL database (SQLite or PostgreSQL), units of work, the outbox and the audit trail."""

from bot.store.engine import make_engine
from bot.store.unit_of_work import Store, UnitOfWork

__all__ = ["Store", "UnitOfWork", "make_engine"]
