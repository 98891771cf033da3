"""Rows kept for reading: figures by day, hot spots, and as of when they are. Everything here can be made anew."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class _Figures:
    """What happened to one ``value`` (a unit, a category, a place …) of a ``dimension``; see figures.py."""

    dimension: Mapped[str] = mapped_column(String(12), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    value: Mapped[str] = mapped_column(String(500), primary_key=True)
    filed: Mapped[int]
    on_time: Mapped[int]
    extended: Mapped[int]
    late: Mapped[int]
    returned: Mapped[int]
    judged: Mapped[int]
    satisfied: Mapped[int]
    asked: Mapped[int]
    resolved: Mapped[int]


class BoardDayRow(_Figures, Base):
    """What happened on one day."""

    __tablename__ = "board_days"


class BoardMonthRow(_Figures, Base):
    """The sums of a month's days; ``day`` is its first."""

    __tablename__ = "board_months"


class BoardMarkRow(Base):
    """As of when something is kept; None: not yet made."""

    __tablename__ = "board_marks"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HotSpotRow(Base):
    """One cluster of similar complaints. ``members`` are ids of complaints; ``texts`` are masked."""

    __tablename__ = "hot_spots"

    id: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    size: Mapped[int]
    recent: Mapped[int]
    before: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    days: Mapped[list[list[Any]]] = mapped_column(JSON)
    areas: Mapped[list[list[Any]]] = mapped_column(JSON)
    departments: Mapped[list[list[Any]]] = mapped_column(JSON)
    texts: Mapped[list[str]] = mapped_column(JSON)
    members: Mapped[list[int]] = mapped_column(JSON)
