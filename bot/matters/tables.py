"""The catalogue's rows. A content is stored once; a version is the set of entries that were current while it was.

An entry lives from the version that brought it (``since_id``) until the one that changed or retired it (``until_id``).
So publishing costs as much as it changes, and every earlier version can still be read.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class CatalogueVersion(Base):
    """One publication of guides or of powers. ``label`` is what an answer names, such as 20261122.1."""

    __tablename__ = "catalogue_versions"
    __table_args__ = (
        UniqueConstraint("kind", "label"),
        CheckConstraint("kind IN ('guides', 'powers')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    label: Mapped[str] = mapped_column(String(24))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_by: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    added: Mapped[int]
    changed: Mapped[int]
    retired: Mapped[int]


class CatalogueHead(Base):
    """Which version is current: one row a kind, locked while a version is published."""

    __tablename__ = "catalogue_heads"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    version_id: Mapped[int | None] = mapped_column(ForeignKey("catalogue_versions.id"))


class CatalogueContent(Base):
    """A guide or power in full, as canonical JSON under its SHA-256."""

    __tablename__ = "catalogue_contents"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class CatalogueEntry(Base):
    """One item of the catalogue while it stayed the same, with what it is listed and searched by."""

    __tablename__ = "catalogue_entries"
    __table_args__ = (
        Index(
            "uq_catalogue_entries_current",
            "kind",
            "code",
            unique=True,
            sqlite_where=text("until_id IS NULL"),
            postgresql_where=text("until_id IS NULL"),
        ),
        Index("ix_catalogue_entries_kind_code", "kind", "code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(ForeignKey("catalogue_contents.digest"), index=True)
    since_id: Mapped[int] = mapped_column(ForeignKey("catalogue_versions.id"))
    until_id: Mapped[int | None] = mapped_column(ForeignKey("catalogue_versions.id"))
    name: Mapped[str] = mapped_column(String(500))
    searched: Mapped[str] = mapped_column(String(500))
    department: Mapped[str] = mapped_column(String(500))
    item_kind: Mapped[str] = mapped_column(String(500))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class CatalogueAddition(Base):
    """What an editor added to a guide, kept beside it so that the next import of the guides does not lose it.

    ``kind``: alias, question, faq or not (a question the matter must not answer); ``answer`` belongs to an faq.
    """

    __tablename__ = "catalogue_additions"
    __table_args__ = (
        UniqueConstraint("code", "kind", "text"),
        CheckConstraint("kind IN ('alias', 'question', 'faq', 'not')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(500))
    answer: Mapped[str | None] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by: Mapped[str] = mapped_column(String(80))
    since_id: Mapped[int] = mapped_column(ForeignKey("catalogue_versions.id"))
