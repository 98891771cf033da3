"""The whole schema: a noun's tables count as soon as ``bot/<noun>/tables.py`` exists."""

from __future__ import annotations

import importlib
from pathlib import Path

from sqlalchemy import MetaData

import bot
from bot.store import audit, outbox  # noqa: F401  (their tables)
from bot.store.base import Base


def metadata() -> MetaData:
    """The metadata with every table of every noun."""
    for path in sorted(Path(bot.__file__).parent.glob("*/tables.py")):
        importlib.import_module(f"bot.{path.parent.name}.tables")
    return Base.metadata
