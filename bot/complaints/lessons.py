"""What the acts of people on complaints tell of the right unit: the lessons of the decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from bot.complaints import repository
from bot.complaints.model import Act
from index.memory import Lesson

LESSON_ACTS = (Act.DISPATCH, Act.SIGN, Act.RETURN, Act.TAKE_BACK, Act.CORRECT)
"""What says which unit is right, or that what was said before no longer counts."""
MOST_ACTS = 6_000
"""Latest acts that are learned from: those on some two thousand complaints."""
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Decided:
    """A complaint that people decided about. ``triaged``: somebody chose or refused, not only signed for it."""

    number: str
    text: str
    location: str | None
    triaged: bool
    lesson: Lesson


@dataclass(frozen=True, slots=True)
class Said:
    """One act on a complaint: by whom, about which unit."""

    act: str
    actor: str
    department: str | None


def concluded(acts: Iterable[Said]) -> tuple[str | None, frozenset[str], bool]:
    """The unit that is right after ``acts`` in their order, those that returned it, and whether somebody chose."""
    right: str | None = None
    wrong: set[str] = set()
    triaged = False
    for said in acts:
        match said.act:
            case Act.CORRECT:
                right, wrong, triaged = None, set(), False
            case Act.DISPATCH if said.actor != SYSTEM and said.department:
                right, triaged = said.department, True
                wrong.discard(said.department)
            case Act.SIGN if said.department:
                right = said.department
                wrong.discard(said.department)
            case Act.RETURN if said.department:
                right, triaged = None, True
                wrong.add(said.department)
            case Act.TAKE_BACK:
                right = None
    return right, frozenset(wrong), triaged


def decided(session: Session, encoder: str, until: datetime) -> list[Decided]:
    """What people decided up to ``until``, by the complaints with vectors of ``encoder``; the oldest first."""
    acts = [act.value for act in LESSON_ACTS]
    rows = repository.acts_on_complaints(session, acts, encoder, until, MOST_ACTS)
    made = (_decided(list(some)) for _, some in groupby(rows, key=lambda row: row.id))
    return [each for each in made if each is not None]


def _decided(rows: Sequence[Any]) -> Decided | None:
    """None where nothing is concluded."""
    right, wrong, triaged = concluded(Said(row.act, row.actor, row.details.get("department")) for row in rows)
    if right is None and not wrong:
        return None
    row = rows[0]
    vector = np.frombuffer(row.vector, np.float16).astype(np.float32)
    return Decided(row.number, row.text, row.location, triaged, Lesson(vector, right, wrong))
