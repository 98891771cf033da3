"""The board over a million complaints: figures by month, whose answer a call is about, indexes to count by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NARROWED = ["kind", "category", "area", "urgent"]
INCLUDED = {"filed": NARROWED, "answered": ["held_late_by", "due_at", "extensions", *NARROWED]}
FIGURES = ("filed", "on_time", "extended", "late", "returned", "judged", "satisfied", "asked", "resolved")


def upgrade() -> None:
    op.create_table(
        "board_months",
        sa.Column("dimension", sa.String(12), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("value", sa.String(500), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in FIGURES),
        sa.PrimaryKeyConstraint("dimension", "day", "value", name="pk_board_months"),
    )
    op.add_column("callbacks", sa.Column("unit", sa.String(500)))
    op.execute(
        "UPDATE callbacks SET unit = (SELECT department FROM complaints WHERE complaints.id = callbacks.complaint_id)"
    )
    op.drop_index("ix_callbacks_done_at", "callbacks")
    op.create_index("ix_callbacks_done_at", "callbacks", ["done_at", "outcome", "unit", "complaint_id"])
    for name, include in INCLUDED.items():
        op.drop_index(f"ix_complaints_department_{name}", "complaints")
        op.create_index(
            f"ix_complaints_department_{name}",
            "complaints",
            ["department", f"{name}_at", "id"],
            postgresql_include=include,
        )
    op.create_index("ix_complaints_counted", "complaints", ["id", "department", "held_late_by", *NARROWED])
    op.execute("DELETE FROM board_marks WHERE name = 'days'")  # everything that is kept is counted anew


def downgrade() -> None:
    op.execute("DELETE FROM board_marks WHERE name = 'days'")
    op.drop_index("ix_complaints_counted", "complaints")
    for name in INCLUDED:
        op.drop_index(f"ix_complaints_department_{name}", "complaints")
        op.create_index(
            f"ix_complaints_department_{name}",
            "complaints",
            ["department", f"{name}_at", "id"],
            postgresql_include=[],
        )
    op.drop_index("ix_callbacks_done_at", "callbacks")
    op.create_index("ix_callbacks_done_at", "callbacks", ["done_at"])
    op.drop_column("callbacks", "unit")
    op.drop_table("board_months")
