"""What the decision on complaints learned from the decisions of people, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relearnings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("reach", sa.Double, nullable=False),
        sa.Column("decisions", sa.Integer, nullable=False),
        sa.Column("right_before", sa.Integer, nullable=False),
        sa.Column("right_after", sa.Integer, nullable=False),
        sa.Column("undone_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_relearnings"),
    )


def downgrade() -> None:
    op.drop_table("relearnings")
