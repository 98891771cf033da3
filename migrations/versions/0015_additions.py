"""What editors add to guides, kept beside them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue_additions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("added_at", UtcDateTime, nullable=False),
        sa.Column("added_by", sa.String(80), nullable=False),
        sa.Column("since_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_additions"),
        sa.UniqueConstraint("code", "kind", "text", name="uq_catalogue_additions_code_kind_text"),
        sa.CheckConstraint("kind IN ('alias', 'question', 'faq', 'not')", name="kind"),
        sa.ForeignKeyConstraint(["since_id"], ["catalogue_versions.id"], name="fk_catalogue_additions_since_id"),
    )


def downgrade() -> None:
    op.drop_table("catalogue_additions")
