"""Every query of learning. Holds no rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session

from bot.conversations.tables import ConversationRow, EventRow
from bot.learning.model import Stage
from bot.learning.tables import CaseRow, ChangeRow, DraftRow, EvaluationRow, GroupRow, LearningMark, QuestionRow
from bot.store.inserting import insert_new

# -- listening ---------------------------------------------------------------------------------------------------------


def heard_until(session: Session) -> datetime | None:
    return session.scalar(select(LearningMark.heard_until))


def locked_mark(session: Session) -> LearningMark:
    """The mark, made where there is none; nobody else moves it until the transaction ends."""
    insert_new(session, LearningMark, {"id": 1, "heard_until": None})
    return session.scalars(select(LearningMark).with_for_update()).one()


def touched(session: Session, since: datetime, until: datetime, after: str, most: int) -> list[Row[Any]]:
    """Ids and times of conversations something happened to in that time, in order of time and id.

    ``after``: of those at ``since`` itself only the ones with a greater id.
    """
    row = ConversationRow
    later = (row.updated_at > since) | ((row.updated_at == since) & (row.id > after))
    query = select(row.id, row.updated_at).where(later, row.updated_at >= since, row.updated_at <= until, row.turns > 0)
    return list(session.execute(query.order_by(row.updated_at, row.id).limit(most)))


def logs(session: Session, conversation_ids: Collection[str], longest: int) -> dict[str, list[EventRow]]:
    """The logs of these conversations, of each the latest lines, oldest first."""
    row = EventRow
    query = (
        select(row)
        .join(ConversationRow, ConversationRow.id == row.conversation_id)
        .where(row.conversation_id.in_(conversation_ids), row.number > ConversationRow.last_event - longest)
        .order_by(row.conversation_id, row.number)
    )
    found: dict[str, list[EventRow]] = {}
    for event in session.scalars(query):
        found.setdefault(event.conversation_id, []).append(event)
    return found


def known(session: Session, conversation_ids: Collection[str]) -> dict[tuple[str, int], QuestionRow]:
    """The questions kept of these conversations, by conversation and line."""
    query = select(QuestionRow).where(QuestionRow.conversation_id.in_(conversation_ids))
    return {(row.conversation_id, row.event): row for row in session.scalars(query)}


def growing(session: Session, encoder: str, done_since: datetime, most: int) -> list[Row[Any]]:
    """Groups that a question may join, the latest: id, sum and number of vectors, stage, when it was decided on.

    Of those published only the ones decided on since then.
    """
    row = GroupRow
    fits = (row.stage != Stage.DONE) | (row.decided_at >= done_since)
    query = select(row.id, row.total, row.size, row.stage, row.decided_at).where(row.encoder == encoder, fits)
    return list(session.execute(query.order_by(row.last_at.desc(), row.id.desc()).limit(most)))


def locked_groups(session: Session, ids: Collection[int]) -> dict[int, GroupRow]:
    query = select(GroupRow).where(GroupRow.id.in_(ids)).order_by(GroupRow.id).with_for_update()
    return {row.id: row for row in session.scalars(query)}


# -- the review list ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which groups, and where the page begins."""

    stage: Stage
    order: str
    """size or latest."""
    page: int
    cause: str = ""


def groups(session: Session, wanted: Wanted, size: int) -> tuple[Sequence[GroupRow], int]:
    """One page of groups and how many there are in all."""
    fits = GroupRow.stage == wanted.stage
    if wanted.cause:
        fits &= GroupRow.id.in_(select(QuestionRow.group_id).where(QuestionRow.cause == wanted.cause))
    total = session.scalar(select(func.count()).select_from(GroupRow).where(fits)) or 0
    column = GroupRow.size if wanted.order == "size" else GroupRow.last_at
    query = select(GroupRow).where(fits).order_by(column.desc(), GroupRow.id.desc())
    return session.scalars(query.offset((wanted.page - 1) * size).limit(size)).all(), total


def stages(session: Session) -> dict[str, int]:
    """How many groups there are in each stage."""
    query = select(GroupRow.stage, func.count()).group_by(GroupRow.stage)
    return {row[0]: row[1] for row in session.execute(query)}


def latest_questions(session: Session, group_ids: Collection[int], each: int) -> dict[int, list[QuestionRow]]:
    """The latest questions of each group."""
    rank = func.row_number().over(partition_by=QuestionRow.group_id, order_by=[QuestionRow.at.desc(), QuestionRow.id])
    ranked = select(QuestionRow.id, rank.label("place")).where(QuestionRow.group_id.in_(group_ids)).subquery()
    query = select(QuestionRow).join(ranked, ranked.c.id == QuestionRow.id).where(ranked.c.place <= each)
    found: dict[int, list[QuestionRow]] = {}
    for row in session.scalars(query.order_by(QuestionRow.at.desc(), QuestionRow.id)):
        found.setdefault(row.group_id, []).append(row)
    return found


def causes(session: Session, group_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many questions of each group are there for which cause."""
    query = select(QuestionRow.group_id, QuestionRow.cause, func.count()).where(QuestionRow.group_id.in_(group_ids))
    found: dict[int, dict[str, int]] = {}
    for group, cause, number in session.execute(query.group_by(QuestionRow.group_id, QuestionRow.cause)):
        found.setdefault(group, {})[cause] = number
    return found


def group(session: Session, group_id: int) -> GroupRow | None:
    return session.get(GroupRow, group_id)


def locked_group(session: Session, group_id: int) -> GroupRow | None:
    return session.scalars(select(GroupRow).where(GroupRow.id == group_id).with_for_update()).one_or_none()


# -- the draft ---------------------------------------------------------------------------------------------------------


def open_draft(session: Session, *, lock: bool = False) -> DraftRow | None:
    query = select(DraftRow).where(DraftRow.state == "open")
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def begin_draft(session: Session, now: datetime) -> DraftRow:
    """The open draft, locked; made where there is none."""
    insert_new(session, DraftRow, {"state": "open", "version": 0, "opened_at": now})
    found = open_draft(session, lock=True)
    if found is None:
        raise LookupError("the draft was closed meanwhile")
    return found


def changes(session: Session, draft_id: int) -> list[ChangeRow]:
    return list(session.scalars(select(ChangeRow).where(ChangeRow.draft_id == draft_id).order_by(ChangeRow.id)))


def latest_evaluation(session: Session, draft_id: int) -> EvaluationRow | None:
    query = select(EvaluationRow).where(EvaluationRow.draft_id == draft_id).order_by(EvaluationRow.id.desc()).limit(1)
    return session.scalars(query).one_or_none()


def claim_evaluation(session: Session, now: datetime, until: datetime) -> EvaluationRow | None:
    """The oldest evaluation that waits, or whose worker is gone, claimed until then."""
    row = EvaluationRow
    waits = (row.state == "queued") | ((row.state == "running") & (row.until < now))
    query = select(row).where(waits).order_by(row.id).limit(1).with_for_update(skip_locked=True)
    found = session.scalars(query).one_or_none()
    if found is not None:
        found.state, found.until, found.attempt = "running", until, found.attempt + 1
        found.done, found.trouble = 0, None
    return found


def advance(session: Session, evaluation_id: int, attempt: int, values: dict[str, Any]) -> bool:
    """Writes ``values``; False where another worker has the evaluation by now."""
    changed = session.scalars(
        update(EvaluationRow)
        .where(EvaluationRow.id == evaluation_id, EvaluationRow.attempt == attempt, EvaluationRow.state == "running")
        .values(**values)
        .returning(EvaluationRow.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return changed is not None


def published_drafts(session: Session, most: int) -> Sequence[DraftRow]:
    """What was published, the latest first."""
    query = select(DraftRow).where(DraftRow.state == "published").order_by(DraftRow.id.desc()).limit(most)
    return session.scalars(query).all()


# -- regression cases --------------------------------------------------------------------------------------------------


def cases(session: Session, most: int | None = None) -> Sequence[CaseRow]:
    """The regression cases in force, the latest first."""
    query = select(CaseRow).where(CaseRow.retired_at.is_(None)).order_by(CaseRow.id.desc())
    return session.scalars(query if most is None else query.limit(most)).all()


def count_cases(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(CaseRow).where(CaseRow.retired_at.is_(None))) or 0


def locked_case(session: Session, case_id: int) -> CaseRow | None:
    query = select(CaseRow).where(CaseRow.id == case_id, CaseRow.retired_at.is_(None))
    return session.scalars(query.with_for_update()).one_or_none()


def cases_of(session: Session, key: str, code: str) -> list[CaseRow]:
    """The cases in force of one text and one matter, whatever they say of it."""
    mine = (CaseRow.matter == code) | (CaseRow.never == code)
    query = select(CaseRow).where(CaseRow.key == key, CaseRow.retired_at.is_(None), mine)
    return list(session.scalars(query))


# -- retention ---------------------------------------------------------------------------------------------------------


def clear_before(session: Session, moment: datetime, most: int) -> int:
    """Removes questions asked before ``moment``, at most so many, and groups that are empty then."""
    ids = list(session.scalars(select(QuestionRow.id).where(QuestionRow.at < moment).limit(most)))
    if ids:
        emptier = set(session.scalars(select(QuestionRow.group_id).where(QuestionRow.id.in_(ids))))
        session.execute(delete(QuestionRow).where(QuestionRow.id.in_(ids)))
        left = select(QuestionRow.group_id).where(QuestionRow.group_id.in_(emptier))
        session.execute(delete(GroupRow).where(GroupRow.id.in_(emptier), GroupRow.id.not_in(left)))
    return len(ids)
