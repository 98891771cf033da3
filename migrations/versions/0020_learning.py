"""Learning from what was not known: groups of questions, the draft and its evaluations, regression cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")
KEPT = sa.text("retired_at IS NULL")


def _moment(name: str, *, needed: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime, nullable=not needed)


def _text(name: str, length: int, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=not needed)


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer, nullable=False)


def upgrade() -> None:
    op.create_table(
        "learning_mark", _number("id"), _moment("heard_until"), sa.PrimaryKeyConstraint("id", name="pk_learning_mark")
    )
    op.create_table(
        "learning_groups",
        _number("id"),
        _text("stage", 10),
        _number("version"),
        _text("title", 300),
        _number("size"),
        _moment("first_at", needed=True),
        _moment("last_at", needed=True),
        _text("encoder", 120),
        sa.Column("total", sa.LargeBinary, nullable=False),
        _text("reason", 200, needed=False),
        _text("decided_by", 80, needed=False),
        _moment("decided_at"),
        sa.PrimaryKeyConstraint("id", name="pk_learning_groups"),
        sa.CheckConstraint("stage IN ('open', 'drafted', 'done', 'dismissed')", name="stage"),
    )
    op.create_index("ix_learning_groups_stage_size", "learning_groups", ["stage", "size", "id"])
    op.create_index("ix_learning_groups_stage_last_at", "learning_groups", ["stage", "last_at", "id"])
    op.create_table(
        "learning_questions",
        _number("id"),
        _text("conversation_id", 64),
        _number("event"),
        _number("group_id"),
        _moment("at", needed=True),
        _text("cause", 10),
        _text("text", 300),
        sa.Column("said", sa.Text, nullable=False),
        _text("matter", 64, needed=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("candidates", sa.JSON, nullable=False),
        _text("then", 64, needed=False),
        sa.Column("answer", sa.Text, nullable=False),
        _text("answered_by", 80),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learning_questions"),
        sa.UniqueConstraint("conversation_id", "event", name="uq_learning_questions_conversation_id_event"),
        sa.CheckConstraint("cause IN ('unknown', 'unclear', 'corrected', 'edited')", name="cause"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_learning_questions_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["learning_groups.id"], name="fk_learning_questions_group_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_learning_questions_at", "learning_questions", ["at"])
    op.create_index("ix_learning_questions_group_id", "learning_questions", ["group_id"])
    op.create_table(
        "learning_drafts",
        _number("id"),
        _text("state", 10),
        _number("version"),
        _moment("opened_at", needed=True),
        _moment("closed_at"),
        _text("closed_by", 80, needed=False),
        _text("published", 24, needed=False),
        sa.PrimaryKeyConstraint("id", name="pk_learning_drafts"),
        sa.CheckConstraint("state IN ('open', 'published', 'discarded')", name="state"),
    )
    op.create_index(
        "uq_learning_drafts_open", "learning_drafts", ["state"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "learning_changes",
        _number("id"),
        _number("draft_id"),
        sa.Column("group_id", sa.Integer),
        _text("act", 10),
        _text("kind", 10),
        _text("code", 64),
        _text("text", 500),
        sa.Column("answer", sa.Text),
        sa.Column("examples", sa.JSON, nullable=False),
        _text("by", 80),
        _moment("at", needed=True),
        sa.PrimaryKeyConstraint("id", name="pk_learning_changes"),
        sa.CheckConstraint("act IN ('alias', 'question', 'faq', 'not', 'withdraw')", name="act"),
        sa.CheckConstraint("kind IN ('alias', 'question', 'faq', 'not')", name="kind"),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["learning_drafts.id"], name="fk_learning_changes_draft_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["learning_groups.id"], name="fk_learning_changes_group_id", ondelete="SET NULL"
        ),
    )
    for column in ("draft_id", "group_id"):
        op.create_index(f"ix_learning_changes_{column}", "learning_changes", [column])
    op.create_table(
        "learning_evaluations",
        _number("id"),
        _number("draft_id"),
        _text("digest", 64),
        _text("base", 24),
        _text("state", 10),
        _text("asked_by", 80),
        _moment("asked_at", needed=True),
        _number("attempt"),
        _moment("until"),
        _moment("ended_at"),
        *(_number(name) for name in ("done", "total", "better", "worse", "unchanged")),
        _text("trouble", 500, needed=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learning_evaluations"),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["learning_drafts.id"], name="fk_learning_evaluations_draft_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_learning_evaluations_draft_id", "learning_evaluations", ["draft_id"])
    op.create_index("ix_learning_evaluations_state_id", "learning_evaluations", ["state", "id"])
    op.create_table(
        "learning_cases",
        _number("id"),
        _text("key", 64),
        _text("text", 300),
        _text("matter", 64),
        _text("never", 64),
        _text("since", 24),
        _text("added_by", 80),
        _moment("added_at", needed=True),
        _moment("retired_at"),
        _text("retired_by", 80, needed=False),
        sa.PrimaryKeyConstraint("id", name="pk_learning_cases"),
    )
    op.create_index(
        "uq_learning_cases_kept",
        "learning_cases",
        ["key", "matter", "never"],
        unique=True,
        sqlite_where=KEPT,
        postgresql_where=KEPT,
    )


def downgrade() -> None:
    for table in ("cases", "evaluations", "changes", "drafts", "questions", "groups", "mark"):
        op.drop_table(f"learning_{table}")
