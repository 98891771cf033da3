"""Every query on cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from bot.cases.tables import CaseAttemptRow, CaseFeedRow, CaseFollowerRow, CaseLinkRow, CaseRequestRow, CaseRow
from bot.store.inserting import insert_new

CHUNK = 500
MOST_CANDIDATES = 5
"""Numbers that are one without their Han: more than a few would let codes be tried at many cases at once."""


_CANDIDATES = (
    select(CaseRow)
    .where(CaseRow.plain == bindparam("plain"))
    .order_by((CaseRow.folded == bindparam("folded")).desc(), CaseRow.id)
    .limit(MOST_CANDIDATES)
)
_ATTEMPTS = select(CaseAttemptRow).where(CaseAttemptRow.key.in_(bindparam("keys", expanding=True)))


def by_folded(session: Session, folded: str, *, lock: bool = False) -> CaseRow | None:
    query = select(CaseRow).where(CaseRow.folded == folded)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def candidates(session: Session, folded: str, plain: str) -> Sequence[CaseRow]:
    """The case of that number, and those whose number is the same without Han."""
    # A number and the same one without its Han have one ``plain``: one walk of its index finds both, and takes as long
    # for a number that is not there.
    rows = session.scalars(_CANDIDATES, {"folded": folded, "plain": plain}).all()
    return [row for row in rows if row.folded == folded] or rows


def by_id(session: Session, case_id: int, *, lock: bool = False) -> CaseRow | None:
    query = select(CaseRow).where(CaseRow.id == case_id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def by_foldeds(session: Session, foldeds: Sequence[str]) -> dict[str, CaseRow]:
    found: dict[str, CaseRow] = {}
    for start in range(0, len(foldeds), CHUNK):
        query = select(CaseRow).where(CaseRow.folded.in_(foldeds[start : start + CHUNK]))
        found |= {row.folded: row for row in session.scalars(query)}
    return found


def sources(session: Session, foldeds: Sequence[str]) -> dict[str, str]:
    """Folded number → source, of those that are there."""
    found: dict[str, str] = {}
    for start in range(0, len(foldeds), CHUNK):
        query = select(CaseRow.folded, CaseRow.source).where(CaseRow.folded.in_(foldeds[start : start + CHUNK]))
        found |= dict(session.execute(query).tuples())
    return found


def numbers_of_source(session: Session, source: str) -> Sequence[str]:
    return session.scalars(select(CaseRow.folded).where(CaseRow.source == source)).all()


def remove(session: Session, foldeds: Iterable[str]) -> int:
    listed = list(foldeds)
    for start in range(0, len(listed), CHUNK):
        session.execute(delete(CaseRow).where(CaseRow.folded.in_(listed[start : start + CHUNK])))
    return len(listed)


def count(session: Session, source: str | None = None) -> int:
    query = select(func.count()).select_from(CaseRow)
    return session.scalar(query if source is None else query.where(CaseRow.source == source)) or 0


def finished_before(session: Session, moment: datetime, limit: int) -> Sequence[CaseRow]:
    query = select(CaseRow).where(CaseRow.finished_at < moment)
    return session.scalars(query.order_by(CaseRow.finished_at).limit(limit)).all()


def not_sealed_with(session: Session, after: int, limit: int) -> Sequence[CaseRow]:
    """Rows by id, for a walk over all of them."""
    return session.scalars(select(CaseRow).where(CaseRow.id > after).order_by(CaseRow.id).limit(limit)).all()


# -- who may ask without a code ------------------------------------------------------------------------------------


def link(session: Session, citizen: str, case_id: int, now: datetime) -> bool:
    """True where the link is new."""
    return insert_new(session, CaseLinkRow, {"citizen": citizen, "case_id": case_id, "created_at": now})


def linked(session: Session, citizen: str, limit: int) -> Sequence[CaseRow]:
    """The citizen's cases, those that changed last first."""
    query = select(CaseRow).join(CaseLinkRow).where(CaseLinkRow.citizen == citizen)
    return session.scalars(query.order_by(CaseRow.updated_at.desc(), CaseRow.id.desc()).limit(limit)).all()


def citizens_of(session: Session, case_id: int) -> Sequence[str]:
    """Who proved that the case is his, the latest first."""
    query = select(CaseLinkRow.citizen).where(CaseLinkRow.case_id == case_id)
    return session.scalars(query.order_by(CaseLinkRow.created_at.desc(), CaseLinkRow.citizen)).all()


def unlink(session: Session, citizen: str) -> int:
    """Removes every link of the citizen; how many there were."""
    gone = session.scalars(delete(CaseLinkRow).where(CaseLinkRow.citizen == citizen).returning(CaseLinkRow.case_id))
    return len(gone.all())


def follow(session: Session, case_id: int, conversation_id: str, now: datetime) -> None:
    if not insert_new(
        session, CaseFollowerRow, {"case_id": case_id, "conversation_id": conversation_id, "seen_at": now}
    ):
        row = session.get(CaseFollowerRow, (case_id, conversation_id))
        if row is not None:
            row.seen_at = now


def followed_since(session: Session, case_id: int, conversation_id: str, moment: datetime) -> bool:
    row = session.get(CaseFollowerRow, (case_id, conversation_id))
    return row is not None and row.seen_at >= moment


def followers(session: Session, case_id: int, since: datetime) -> Sequence[str]:
    """Conversations in which the case was shown after ``since``."""
    query = select(CaseFollowerRow.conversation_id).where(
        CaseFollowerRow.case_id == case_id, CaseFollowerRow.seen_at >= since
    )
    return session.scalars(query.order_by(CaseFollowerRow.conversation_id)).all()


# -- wrong codes ---------------------------------------------------------------------------------------------------


def one_at_a_time(session: Session, key: str) -> None:
    """Lets no other transaction with the same ``key`` go on before this one ends."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(select(func.pg_advisory_xact_lock(int(key[:15], 16))))


def attempts(session: Session, keys: Sequence[str]) -> dict[str, CaseAttemptRow]:
    """The counts that there are, by key."""
    return {row.key: row for row in session.scalars(_ATTEMPTS, {"keys": list(keys)})}


def counted(session: Session, key: str, now: datetime) -> CaseAttemptRow:
    """The count of ``key``, locked until the transaction ends; made where there is none."""
    insert_new(session, CaseAttemptRow, {"key": key, "failures": 0, "updated_at": now})
    query = select(CaseAttemptRow).where(CaseAttemptRow.key == key).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def remove_attempts_before(session: Session, moment: datetime) -> None:
    session.execute(delete(CaseAttemptRow).where(CaseAttemptRow.updated_at < moment))


# -- requests and feeds --------------------------------------------------------------------------------------------


def request_of(session: Session, case_id: int, occasion: str) -> CaseRequestRow | None:
    query = select(CaseRequestRow).where(CaseRequestRow.case_id == case_id, CaseRequestRow.occasion == occasion)
    return session.scalars(query).one_or_none()


def request_by_receipt(session: Session, receipt: str, *, lock: bool = False) -> CaseRequestRow | None:
    query = select(CaseRequestRow).where(CaseRequestRow.receipt == receipt)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def feed(session: Session, source: str) -> CaseFeedRow | None:
    return session.get(CaseFeedRow, source)


def feeds(session: Session) -> Sequence[CaseFeedRow]:
    return session.scalars(select(CaseFeedRow).order_by(CaseFeedRow.source)).all()


def chunks(items: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    chunk: list[str] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
