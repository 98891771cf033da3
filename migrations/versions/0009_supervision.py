"""Supervision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("complaints", sa.Column("counted", sa.JSON))
    for name in ("sign_version", "reply_version", "close_version"):
        op.add_column("complaints", sa.Column(name, sa.Integer, nullable=False, server_default="1"))
    op.add_column("complaints", sa.Column("handler", sa.String(80)))
    op.add_column("complaints", sa.Column("replied_at", UtcDateTime))
    # An answer is a reply; what was answered before must not be asked for a first word.
    op.execute("UPDATE complaints SET replied_at = answered_at WHERE answered_at IS NOT NULL")
    op.create_index("ix_complaints_state_sign_due_at", "complaints", ["state", "sign_due_at"])
    op.create_index("ix_complaints_state_reply_due_at", "complaints", ["state", "reply_due_at"])
    _alarms()
    _notices()
    _callbacks()
    _rectifications()


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("complaint_id", sa.Integer, nullable=False),
        sa.Column("clock", sa.String(10), nullable=False),
        sa.Column("item", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("serial", sa.Integer, nullable=False),
        sa.Column("department", sa.String(500)),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("raised_at", UtcDateTime, nullable=False),
        sa.Column("raised_by", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("answer_due_at", UtcDateTime),
        sa.Column("answer", sa.Text),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("answered_by", sa.String(80)),
        sa.Column("revoked_at", UtcDateTime),
        sa.Column("revoked_by", sa.String(80)),
        sa.Column("revoke_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
        sa.UniqueConstraint(
            "complaint_id", "clock", "item", "version", "level", "serial",
            name="uq_alarms_complaint_id_clock_item_version_level_serial",
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name="fk_alarms_complaint_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "clock IN ('dispatch', 'sign', 'reply', 'close', 'rectify', 'callback')", name=op.f("ck_alarms_clock")
        ),
        sa.CheckConstraint("level BETWEEN 1 AND 7", name=op.f("ck_alarms_level")),
    )  # fmt: skip
    op.create_index("ix_alarms_raised_at", "alarms", ["raised_at"])
    op.create_index("ix_alarms_department_raised_at", "alarms", ["department", "raised_at"])


def _notices() -> None:
    op.create_table(
        "alarm_notices",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("department", sa.String(500), nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime),
        sa.Column("seen_by", sa.String(80)),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_notices"),
        sa.UniqueConstraint("key", name="uq_alarm_notices_key"),
        sa.CheckConstraint("role IN ('handler', 'head', 'operator', 'supervisor')", name=op.f("ck_alarm_notices_role")),
    )
    op.create_index("ix_alarm_notices_role_department_at", "alarm_notices", ["role", "department", "at"])
    op.create_table(
        "alarm_recipients",
        sa.Column("alarm_id", sa.Integer, nullable=False),
        sa.Column("notice_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("alarm_id", "notice_id", name="pk_alarm_recipients"),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name="fk_alarm_recipients_alarm_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["alarm_notices.id"], name="fk_alarm_recipients_notice_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_alarm_recipients_notice_id", "alarm_recipients", ["notice_id"])


def _callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("complaint_id", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(10), nullable=False),
        sa.Column("occasion", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(12)),
        sa.Column("note", sa.LargeBinary),
        sa.Column("done_at", UtcDateTime),
        sa.Column("done_by", sa.String(80)),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
        sa.UniqueConstraint("complaint_id", "reason", "occasion", name="uq_callbacks_complaint_id_reason_occasion"),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name="fk_callbacks_complaint_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("reason IN ('poor', 'answer')", name=op.f("ck_callbacks_reason")),
        sa.CheckConstraint("state IN ('open', 'done')", name=op.f("ck_callbacks_state")),
        sa.CheckConstraint(
            "outcome IN ('satisfied', 'dissatisfied', 'unreachable', 'void')", name=op.f("ck_callbacks_outcome")
        ),
    )
    op.create_index("ix_callbacks_state_due_at", "callbacks", ["state", "due_at"])


def _rectifications() -> None:
    op.create_table(
        "rectifications",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("complaint_id", sa.Integer, nullable=False),
        sa.Column("judgement_id", sa.Integer, nullable=False),
        sa.Column("unit", sa.String(500), nullable=False),
        sa.Column("person", sa.String(500)),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("report", sa.Text),
        sa.Column("submitted_at", UtcDateTime),
        sa.Column("submitted_by", sa.String(80)),
        sa.Column("returned_for", sa.Text),
        sa.Column("accepted_at", UtcDateTime),
        sa.Column("accepted_by", sa.String(80)),
        sa.PrimaryKeyConstraint("id", name="pk_rectifications"),
        sa.UniqueConstraint("judgement_id", name="uq_rectifications_judgement_id"),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name="fk_rectifications_complaint_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["judgement_id"], ["judgements.id"], name="fk_rectifications_judgement_id"),
        sa.CheckConstraint("state IN ('open', 'submitted', 'accepted')", name=op.f("ck_rectifications_state")),
    )
    for columns in (["complaint_id"], ["state", "due_at"], ["unit", "state"]):
        op.create_index("ix_rectifications_" + "_".join(columns), "rectifications", columns)


def downgrade() -> None:
    for table in ("rectifications", "callbacks", "alarm_recipients", "alarm_notices", "alarms"):
        op.drop_table(table)
    for column in ("reply_due_at", "sign_due_at"):
        op.drop_index(f"ix_complaints_state_{column}", "complaints")
    for name in ("replied_at", "handler", "close_version", "reply_version", "sign_version", "counted"):
        op.drop_column("complaints", name)
