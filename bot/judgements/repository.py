"""Every query on judgements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.judgements.tables import JudgementRow

CHUNK = 500


def by_id(session: Session, judgement_id: int, *, lock: bool = False) -> JudgementRow | None:
    query = select(JudgementRow).where(JudgementRow.id == judgement_id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def by_occasion(session: Session, subject: str, occasion: str) -> JudgementRow | None:
    query = select(JudgementRow).where(JudgementRow.subject == subject, JudgementRow.occasion == occasion)
    return session.scalars(query).one_or_none()


def latest_of(session: Session, subject: str) -> JudgementRow | None:
    query = select(JudgementRow).where(JudgementRow.subject == subject)
    return session.scalars(query.order_by(JudgementRow.asked_at.desc(), JudgementRow.id.desc()).limit(1)).one_or_none()


def latest_unanswered(session: Session, citizen: str, since: datetime) -> JudgementRow | None:
    """The question asked last of ``citizen`` after ``since``, where it has no answer yet."""
    query = select(JudgementRow).where(JudgementRow.citizen == citizen, JudgementRow.asked_at >= since)
    row = session.scalars(query.order_by(JudgementRow.asked_at.desc(), JudgementRow.id.desc()).limit(1)).one_or_none()
    return row if row is not None and row.level is None else None


def levels(session: Session, occasions: Sequence[str]) -> dict[str, int]:
    """Occasion → level, of those that were answered."""
    found: dict[str, int] = {}
    for start in range(0, len(occasions), CHUNK):
        wanted = JudgementRow.occasion.in_(occasions[start : start + CHUNK])
        query = select(JudgementRow.occasion, JudgementRow.level).where(wanted, JudgementRow.level.is_not(None))
        found |= {occasion: level for occasion, level in session.execute(query) if level is not None}
    return found
