"""Every query on the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from bot.matters.additions import Addition, AdditionKind
from bot.matters.spool import Entry
from bot.matters.tables import CatalogueAddition, CatalogueContent, CatalogueEntry, CatalogueHead, CatalogueVersion
from bot.text import normalise

CHUNK = 500
"""Rows of one statement; SQLite and PostgreSQL both limit the parameters of a statement."""

Item = TypeVar("Item")


class Kind(StrEnum):
    GUIDES = "guides"
    POWERS = "powers"


@dataclass(frozen=True)
class Found:
    """An entry with its content's hash, in a version of the catalogue."""

    code: str
    digest: str
    valid_from: date | None
    valid_to: date | None
    version: str
    published_at: datetime


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """``items`` in lists of at most ``size``."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def _current(kind: Kind) -> ColumnElement[bool]:
    return (CatalogueEntry.kind == kind) & CatalogueEntry.until_id.is_(None)


# Composed once: to compose a statement costs several times what it takes to run it.
_VERSION_ID = select(CatalogueHead.version_id).where(CatalogueHead.kind == bindparam("of"))
_FIND = (
    select(
        CatalogueEntry.code,
        CatalogueEntry.digest,
        CatalogueEntry.valid_from,
        CatalogueEntry.valid_to,
        CatalogueVersion.label,
        CatalogueVersion.published_at,
    )
    .join(CatalogueVersion, CatalogueVersion.id == bindparam("version"))
    .where(
        CatalogueEntry.kind == bindparam("of"),
        CatalogueEntry.code == bindparam("code"),
        CatalogueEntry.since_id <= CatalogueVersion.id,
        or_(CatalogueEntry.until_id.is_(None), CatalogueEntry.until_id > CatalogueVersion.id),
    )
)


def head(session: Session, kind: Kind, *, lock: bool = False) -> CatalogueHead:
    query = select(CatalogueHead).where(CatalogueHead.kind == kind)
    return session.scalars(query.with_for_update() if lock else query).one()


def current_version(session: Session, kind: Kind) -> CatalogueVersion | None:
    version_id = head(session, kind).version_id
    return None if version_id is None else session.get_one(CatalogueVersion, version_id)


def versions(session: Session, kind: Kind) -> Sequence[CatalogueVersion]:
    """All versions, the newest first."""
    query = select(CatalogueVersion).where(CatalogueVersion.kind == kind).order_by(CatalogueVersion.id.desc())
    return session.scalars(query).all()


def labels_like(session: Session, kind: Kind, prefix: str) -> int:
    """How many versions' labels begin with ``prefix``."""
    query = select(func.count()).where(CatalogueVersion.kind == kind, CatalogueVersion.label.startswith(prefix))
    return session.scalar(query) or 0


def current_digests(session: Session, kind: Kind) -> dict[str, str]:
    """The content's hash of every current code."""
    query = select(CatalogueEntry.code, CatalogueEntry.digest).where(_current(kind)).order_by(CatalogueEntry.id)
    return {row.code: row.digest for row in session.execute(query)}


def version_id(session: Session, kind: Kind) -> int | None:
    """Which version is current, at the least cost: every answer asks."""
    return session.execute(_VERSION_ID, {"of": kind.value}).scalar_one()


def find(session: Session, kind: Kind, code: str, version: int) -> Found | None:
    """The entry ``code`` had in ``version``."""
    row = session.execute(_FIND, {"of": kind.value, "code": code, "version": version}).one_or_none()
    return None if row is None else Found(*row)


def digest_in(session: Session, kind: Kind, code: str, version: CatalogueVersion) -> str | None:
    """The content's hash that ``code`` had in ``version``."""
    query = select(CatalogueEntry.digest).where(
        CatalogueEntry.kind == kind,
        CatalogueEntry.code == code,
        CatalogueEntry.since_id <= version.id,
        or_(CatalogueEntry.until_id.is_(None), CatalogueEntry.until_id > version.id),
    )
    return session.scalars(query).one_or_none()


def version_named(session: Session, kind: Kind, label: str) -> CatalogueVersion | None:
    query = select(CatalogueVersion).where(CatalogueVersion.kind == kind, CatalogueVersion.label == label)
    return session.scalars(query).one_or_none()


def body(session: Session, digest: str) -> str:
    return session.scalars(select(CatalogueContent.body).where(CatalogueContent.digest == digest)).one()


def bodies(session: Session, digests: Sequence[str]) -> dict[str, str]:
    """The contents of ``digests`` (at most a chunk of them)."""
    query = select(CatalogueContent.digest, CatalogueContent.body).where(CatalogueContent.digest.in_(digests))
    return {row.digest: row.body for row in session.execute(query)}


def search(
    session: Session,
    kind: Kind,
    words: str,
    department: str | None,
    item_kind: str | None,
    day: date | None,
    offset: int,
    limit: int,
) -> tuple[Sequence[CatalogueEntry], int]:
    """Current entries that hold every one of ``words`` (in name, alias or code), and how many there are.

    ``day``: only entries in force then. Names that begin with the words come first.
    """
    wanted = _current(kind)
    terms = normalise(words).lower().split()
    for term in terms:
        wanted &= or_(CatalogueEntry.searched.contains(term, autoescape=True), func.lower(CatalogueEntry.code) == term)
    if department:
        wanted &= CatalogueEntry.department == department
    if item_kind:
        wanted &= CatalogueEntry.item_kind == item_kind
    if day is not None:
        wanted &= or_(CatalogueEntry.valid_from.is_(None), CatalogueEntry.valid_from <= day)
        wanted &= or_(CatalogueEntry.valid_to.is_(None), CatalogueEntry.valid_to >= day)
    total = session.scalar(select(func.count()).select_from(CatalogueEntry).where(wanted)) or 0
    order: list[Any] = [CatalogueEntry.id]
    if terms:
        order.insert(0, CatalogueEntry.searched.startswith(" ".join(terms), autoescape=True).desc())
    rows = session.scalars(select(CatalogueEntry).where(wanted).order_by(*order).offset(offset).limit(limit)).all()
    return rows, total


def count(session: Session, kind: Kind) -> int:
    return session.scalar(select(func.count()).select_from(CatalogueEntry).where(_current(kind))) or 0


def departments(session: Session, kind: Kind) -> dict[str, int]:
    """How many current entries each department has, the largest first."""
    query = (
        select(CatalogueEntry.department, func.count().label("number"))
        .where(_current(kind))
        .group_by(CatalogueEntry.department)
        .order_by(func.count().desc(), CatalogueEntry.department)
    )
    return {row.department: row.number for row in session.execute(query)}


def missing_contents(session: Session, digests: Iterable[str]) -> set[str]:
    """Which of ``digests`` are not stored."""
    missing: set[str] = set()
    for chunk in chunks(digests):
        known = session.scalars(select(CatalogueContent.digest).where(CatalogueContent.digest.in_(chunk)))
        missing |= set(chunk).difference(known)
    return missing


def add_contents(session: Session, contents: Iterable[tuple[str, str]]) -> None:
    session.execute(insert(CatalogueContent), [{"digest": digest, "body": body} for digest, body in contents])


def sweep_contents(session: Session) -> int:
    """Removes contents no entry refers to (an import that came to nothing); returns how many."""
    used = exists().where(CatalogueEntry.digest == CatalogueContent.digest)
    result = session.execute(delete(CatalogueContent).where(~used))
    return int(getattr(result, "rowcount", 0))


def end_entries(session: Session, kind: Kind, codes: Iterable[str], version_id: int) -> None:
    """Ends the current entries of ``codes`` with the version ``version_id``."""
    for chunk in chunks(codes):
        session.execute(
            update(CatalogueEntry)
            .where(_current(kind), CatalogueEntry.code.in_(chunk))
            .values(until_id=version_id)
            .execution_options(synchronize_session=False)
        )


def add_entries(session: Session, kind: Kind, entries: Iterable[Entry], version_id: int) -> None:
    for chunk in chunks(entries):
        rows = [{"kind": kind.value, "since_id": version_id, **asdict(entry)} for entry in chunk]
        session.execute(insert(CatalogueEntry), rows)


def additions(session: Session, codes: Collection[str] | None = None) -> list[Addition]:
    """What editors added, of all guides or of ``codes``, in the order it was added."""
    query = select(CatalogueAddition).order_by(CatalogueAddition.id)
    if codes is not None:
        query = query.where(CatalogueAddition.code.in_(codes))
    return [Addition(row.code, AdditionKind(row.kind), row.text, row.answer) for row in session.scalars(query)]


def recent_additions(session: Session, most: int) -> Sequence[CatalogueAddition]:
    """What editors added, the latest first."""
    return session.scalars(select(CatalogueAddition).order_by(CatalogueAddition.id.desc()).limit(most)).all()


def keep_addition(session: Session, addition: Addition, version_id: int, by: str, at: datetime) -> None:
    """Keeps an addition; one of the same text is replaced."""
    drop_addition(session, addition)
    values = {"answer": addition.answer, "added_at": at, "added_by": by, "since_id": version_id}
    session.add(CatalogueAddition(code=addition.code, kind=addition.kind.value, text=addition.text, **values))


def drop_addition(session: Session, addition: Addition) -> None:
    """Takes an addition away, if it is there."""
    row = CatalogueAddition
    same = (row.code == addition.code) & (row.kind == addition.kind.value) & (row.text == addition.text)
    session.execute(delete(row).where(same))
