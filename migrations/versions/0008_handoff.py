"""Hand-off to a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Column by column: SQLite's way of rebuilding a table would take the turns and the log with it.
    held = sa.CheckConstraint("holder IN ('bot', 'waiting', 'person', 'closed')", name=op.f("ck_conversations_holder"))
    op.add_column("conversations", sa.Column("holder", sa.String(10), held, nullable=False, server_default="bot"))
    for name in ("holder_version", "person_event"):
        op.add_column("conversations", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.add_column("conversation_turns", sa.Column("event", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("queue", sa.String(40), nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("operator_id", sa.Integer),
        sa.Column("wanted_id", sa.Integer),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("position", sa.Integer),
        sa.Column("noticed", sa.Boolean, nullable=False),
        sa.Column("taken_at", UtcDateTime),
        sa.Column("first_reply_at", UtcDateTime),
        sa.Column("unanswered_since", UtcDateTime),
        sa.Column("reminded_at", UtcDateTime),
        sa.Column("seen_event", sa.Integer, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("outcome", sa.String(20)),
        sa.PrimaryKeyConstraint("id", name="pk_handoffs"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_handoffs_conversation_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["accounts.id"], name="fk_handoffs_operator_id"),
        sa.ForeignKeyConstraint(["wanted_id"], ["accounts.id"], name="fk_handoffs_wanted_id"),
        sa.CheckConstraint("kind IN ('live', 'message')", name=op.f("ck_handoffs_kind")),
        sa.CheckConstraint("state IN ('waiting', 'person', 'done')", name=op.f("ck_handoffs_state")),
    )
    for columns in (["conversation_id"], ["state", "queue"], ["operator_id", "state"], ["ended_at"]):
        op.create_index("ix_handoffs_" + "_".join(columns), "handoffs", columns)
    op.create_table(
        "handoff_notes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("handoff_id", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_handoff_notes"),
        sa.ForeignKeyConstraint(
            ["handoff_id"], ["handoffs.id"], name="fk_handoff_notes_handoff_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_handoff_notes_handoff_id", "handoff_notes", ["handoff_id"])
    op.create_table(
        "presences",
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(80), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_presences"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_presences_account_id", ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('online', 'away', 'offline')", name=op.f("ck_presences_state")),
    )


def downgrade() -> None:
    op.drop_table("presences")
    op.drop_table("handoff_notes")
    op.drop_table("handoffs")
    op.drop_column("conversation_turns", "event")
    for name in ("person_event", "holder_version", "holder"):
        op.drop_column("conversations", name)
