"""What the supervision board counts by: place, the unit that was late, indexes over parts, figures kept by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('filed', 'dispatched', 'signed', 'paused', 'returned', 'reopened')")
TRIAGE = sa.text("state IN ('filed', 'returned', 'reopened')")
REVIEW = sa.text("state IN ('answered', 'reviewed')")
COUNTED = ["department", "held_late_by", "state", "urgent", "kind", "category", "area", "extension_asked", "extensions"]
INDEXES = [
    ("open", ["due_at", "id"], OPEN, COUNTED),
    ("open_department", ["department", "due_at", "id"], OPEN, []),
    ("triage", ["due_at", "id"], TRIAGE, []),
    ("review", ["answered_at", "id"], REVIEW, []),
    ("held_late_by", ["held_late_by", "due_at", "id"], sa.text("held_late_by IS NOT NULL"), []),
    ("filed", ["filed_at", "id"], None, COUNTED),
    ("answered", ["answered_at", "id"], None, [*COUNTED, "due_at"]),
    ("department_filed", ["department", "filed_at", "id"], None, []),
    ("department_answered", ["department", "answered_at", "id"], None, []),
    ("category_filed", ["category", "filed_at", "id"], None, []),
    ("area_filed", ["area", "filed_at", "id"], None, []),
]


def upgrade() -> None:
    op.add_column("complaints", sa.Column("area", sa.String(40)))
    op.add_column("complaints", sa.Column("held_late_by", sa.String(500)))
    op.drop_index("ix_complaints_filed_at", "complaints")
    for name, columns, where, include in INDEXES:
        op.create_index(
            f"ix_complaints_{name}",
            "complaints",
            columns,
            sqlite_where=where,
            postgresql_where=where,
            postgresql_include=include,
        )
    op.create_index("ix_complaint_events_at", "complaint_events", ["at"])
    returned = sa.text("act = 'return'")
    op.create_index(
        "ix_complaint_events_returned",
        "complaint_events",
        ["at"],
        sqlite_where=returned,
        postgresql_where=returned,
        postgresql_include=[],
    )
    op.create_index("ix_judgements_answered_at", "judgements", ["answered_at"])
    op.create_index("ix_callbacks_done_at", "callbacks", ["done_at"])
    op.create_table(
        "board_days",
        sa.Column("dimension", sa.String(12), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("value", sa.String(500), nullable=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in (
                "filed",
                "on_time",
                "extended",
                "late",
                "returned",
                "judged",
                "satisfied",
                "asked",
                "resolved",
            )
        ),
        sa.PrimaryKeyConstraint("dimension", "day", "value", name="pk_board_days"),
    )
    op.create_table(
        "board_marks",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("at", UtcDateTime),
        sa.PrimaryKeyConstraint("name", name="pk_board_marks"),
    )
    op.create_table(
        "hot_spots",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("recent", sa.Integer, nullable=False),
        sa.Column("before", sa.Integer, nullable=False),
        sa.Column("first_at", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
        sa.Column("days", sa.JSON, nullable=False),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("departments", sa.JSON, nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("members", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hot_spots"),
    )


def downgrade() -> None:
    for table in ("hot_spots", "board_marks", "board_days"):
        op.drop_table(table)
    op.drop_index("ix_callbacks_done_at", "callbacks")
    op.drop_index("ix_judgements_answered_at", "judgements")
    op.drop_index("ix_complaint_events_returned", "complaint_events")
    op.drop_index("ix_complaint_events_at", "complaint_events")
    for name, *_ in reversed(INDEXES):
        op.drop_index(f"ix_complaints_{name}", "complaints")
    op.create_index("ix_complaints_filed_at", "complaints", ["filed_at"])
    op.drop_column("complaints", "held_late_by")
    op.drop_column("complaints", "area")
