"""Joining a complaint, following it without the code; when it happened and what is wished."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("complaints", sa.Column("happened", sa.String(100)))
    op.add_column("complaints", sa.Column("wish", sa.String(200)))
    op.add_column("complaints", sa.Column("joined", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "complaint_joiners",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("complaint_id", sa.Integer, nullable=False),
        sa.Column("request_index", sa.String(64)),
        sa.Column("code_index", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("attachments", sa.JSON, nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("citizen", sa.String(160)),
        sa.Column("conversation_id", sa.String(64)),
        sa.Column("joined_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_joiners"),
        sa.UniqueConstraint("request_index", name="uq_complaint_joiners_request_index"),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name="fk_complaint_joiners_complaint_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_complaint_joiners_complaint_id", "complaint_joiners", ["complaint_id"])
    op.create_table(
        "complaint_links",
        sa.Column("who", sa.String(180), nullable=False),
        sa.Column("complaint_id", sa.Integer, nullable=False),
        sa.Column("joiner_id", sa.Integer),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("who", "complaint_id", name="pk_complaint_links"),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name="fk_complaint_links_complaint_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["joiner_id"], ["complaint_joiners.id"], name="fk_complaint_links_joiner_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_complaint_links_complaint_id", "complaint_links", ["complaint_id"])


def downgrade() -> None:
    op.drop_table("complaint_links")
    op.drop_table("complaint_joiners")
    for name in ("joined", "wish", "happened"):
        op.drop_column("complaints", name)
