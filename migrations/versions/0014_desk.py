"""The desk: marks of delivery, reading and typing; tags, offers and callers of a call for a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("tags", "passed"):
        op.add_column("handoffs", sa.Column(name, sa.JSON, nullable=False, server_default="[]"))
    op.add_column("handoffs", sa.Column("offered_until", UtcDateTime))
    op.add_column("handoffs", sa.Column("caller", sa.LargeBinary))
    op.add_column("handoffs", sa.Column("caller_index", sa.String(64)))
    op.create_index("ix_handoffs_caller_index", "handoffs", ["caller_index"])
    op.create_table(
        "conversation_marks",
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("delivered", sa.Integer, nullable=False),
        sa.Column("seen", sa.Integer, nullable=False),
        sa.Column("citizen_types_until", UtcDateTime),
        sa.Column("person_types_until", UtcDateTime),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_conversation_marks"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_conversation_marks_conversation_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("conversation_marks")
    op.drop_index("ix_handoffs_caller_index", "handoffs")
    for name in ("caller_index", "caller", "offered_until", "passed", "tags"):
        op.drop_column("handoffs", name)
