"""The catalogue of guides and powers, in versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue_versions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("label", sa.String(24), nullable=False),
        sa.Column("published_at", UtcDateTime, nullable=False),
        sa.Column("published_by", sa.String(80), nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("retired", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_versions"),
        sa.UniqueConstraint("kind", "label", name="uq_catalogue_versions_kind_label"),
        sa.CheckConstraint("kind IN ('guides', 'powers')", name=op.f("ck_catalogue_versions_kind")),
    )
    heads = op.create_table(
        "catalogue_heads",
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("version_id", sa.Integer),
        sa.PrimaryKeyConstraint("kind", name="pk_catalogue_heads"),
        sa.ForeignKeyConstraint(["version_id"], ["catalogue_versions.id"], name="fk_catalogue_heads_version_id"),
    )
    op.bulk_insert(heads, [{"kind": "guides", "version_id": None}, {"kind": "powers", "version_id": None}])
    op.create_table(
        "catalogue_contents",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_catalogue_contents"),
    )
    op.create_table(
        "catalogue_entries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("since_id", sa.Integer, nullable=False),
        sa.Column("until_id", sa.Integer),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("searched", sa.String(500), nullable=False),
        sa.Column("department", sa.String(500), nullable=False),
        sa.Column("item_kind", sa.String(500), nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_to", sa.Date),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_entries"),
        sa.ForeignKeyConstraint(["digest"], ["catalogue_contents.digest"], name="fk_catalogue_entries_digest"),
        sa.ForeignKeyConstraint(["since_id"], ["catalogue_versions.id"], name="fk_catalogue_entries_since_id"),
        sa.ForeignKeyConstraint(["until_id"], ["catalogue_versions.id"], name="fk_catalogue_entries_until_id"),
    )
    op.create_index("ix_catalogue_entries_digest", "catalogue_entries", ["digest"])
    op.create_index("ix_catalogue_entries_kind_code", "catalogue_entries", ["kind", "code"])
    current = sa.text("until_id IS NULL")
    op.create_index(
        "uq_catalogue_entries_current",
        "catalogue_entries",
        ["kind", "code"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )


def downgrade() -> None:
    op.drop_table("catalogue_entries")
    op.drop_table("catalogue_contents")
    op.drop_table("catalogue_heads")
    op.drop_table("catalogue_versions")
