"""Complaints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATES = (
    "filed", "dispatched", "signed", "paused", "returned", "answered", "reviewed", "closed", "reopened", "merged",
    "withdrawn",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "complaints",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("code_index", sa.String(64), nullable=False),
        sa.Column("request_index", sa.String(64)),
        sa.Column("request_digest", sa.String(64)),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("category", sa.String(120), nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("location", sa.String(200)),
        sa.Column("anonymous", sa.Boolean, nullable=False),
        sa.Column("case_number", sa.String(64)),
        sa.Column("attachments", sa.JSON, nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("citizen", sa.String(160)),
        sa.Column("conversation_id", sa.String(64)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("department", sa.String(500)),
        sa.Column("co_departments", sa.JSON, nullable=False),
        sa.Column("power", sa.String(64)),
        sa.Column("basis", sa.Text),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("candidates", sa.JSON, nullable=False),
        sa.Column("duplicate_of_id", sa.Integer),
        sa.Column("merged_into_id", sa.Integer),
        sa.Column("filed_at", UtcDateTime, nullable=False),
        sa.Column("sign_due_at", UtcDateTime, nullable=False),
        sa.Column("reply_due_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("return_until", UtcDateTime, nullable=False),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("paused_at", UtcDateTime),
        sa.Column("returns", sa.Integer, nullable=False),
        sa.Column("extension_asked", sa.Boolean, nullable=False),
        sa.Column("extensions", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("encoder", sa.String(120), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_complaints"),
        sa.UniqueConstraint("number", name="uq_complaints_number"),
        sa.UniqueConstraint("request_index", name="uq_complaints_request_index"),
        sa.ForeignKeyConstraint(["duplicate_of_id"], ["complaints.id"], name="fk_complaints_duplicate_of_id"),
        sa.ForeignKeyConstraint(["merged_into_id"], ["complaints.id"], name="fk_complaints_merged_into_id"),
        sa.CheckConstraint("state IN ('" + "', '".join(STATES) + "')", name=op.f("ck_complaints_state")),
    )
    for columns in (
        ["citizen"], ["duplicate_of_id"], ["merged_into_id"], ["filed_at"], ["closed_at"], ["state", "due_at"],
        ["department", "state"],
    ):  # fmt: skip
        op.create_index("ix_complaints_" + "_".join(columns), "complaints", columns)
    op.create_table(
        "complaint_events",
        sa.Column("complaint_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("before", sa.String(12)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", "number", name="pk_complaint_events"),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name="fk_complaint_events_complaint_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "complaint_attempts",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", UtcDateTime),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_complaint_attempts"),
    )
    op.create_index("ix_complaint_attempts_updated_at", "complaint_attempts", ["updated_at"])


def downgrade() -> None:
    op.drop_table("complaint_attempts")
    op.drop_table("complaint_events")
    op.drop_table("complaints")
