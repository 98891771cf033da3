"""Cases, their notifications and judgements, API keys; who talks in a conversation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "judgements",
    "notifications",
    "case_feeds",
    "case_requests",
    "case_attempts",
    "case_followers",
    "case_links",
    "cases",
    "api_keys",
)


def upgrade() -> None:
    op.add_column("conversations", sa.Column("citizen", sa.String(160)))
    op.add_column("conversations", sa.Column("origin", sa.String(64)))
    op.create_index("ix_conversations_citizen", "conversations", ["citizen"])
    _keys()
    _cases()
    _beside_cases()
    _told_and_judged()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("ix_conversations_citizen", "conversations")
    with op.batch_alter_table("conversations") as table:
        table.drop_column("origin")
        table.drop_column("citizen")


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("used_at", UtcDateTime),
        sa.Column("revoked_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("name", name="uq_api_keys_name"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("folded", sa.String(64), nullable=False),
        sa.Column("plain", sa.String(64), nullable=False),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("code_index", sa.String(64)),
        sa.Column("id_index", sa.String(64)),
        sa.Column("phone_index", sa.String(64)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("source_updated_at", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("folded", name="uq_cases_folded"),
    )
    op.create_index("ix_cases_plain", "cases", ["plain"])
    op.create_index("ix_cases_source", "cases", ["source"])
    op.create_index("ix_cases_finished_at", "cases", ["finished_at"])


def _beside_cases() -> None:
    op.create_table(
        "case_links",
        sa.Column("citizen", sa.String(160), nullable=False),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("citizen", "case_id", name="pk_case_links"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_links_case_id", ondelete="CASCADE"),
    )
    op.create_table(
        "case_followers",
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "conversation_id", name="pk_case_followers"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_followers_case_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_case_followers_conversation_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "case_attempts",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", UtcDateTime),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_case_attempts"),
    )
    op.create_index("ix_case_attempts_updated_at", "case_attempts", ["updated_at"])
    op.create_table(
        "case_requests",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("occasion", sa.String(40), nullable=False),
        sa.Column("receipt", sa.String(40), nullable=False),
        sa.Column("complaint", sa.String(64)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_requests"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_requests_case_id", ondelete="CASCADE"),
        sa.UniqueConstraint("case_id", "occasion", name="uq_case_requests_case_id_occasion"),
        sa.UniqueConstraint("receipt", name="uq_case_requests_receipt"),
        sa.CheckConstraint("kind IN ('delay')", name=op.f("ck_case_requests_kind")),
    )
    op.create_table(
        "case_feeds",
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("cursor", UtcDateTime),
        sa.Column("read_at", UtcDateTime, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("trouble", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_case_feeds"),
    )


def _told_and_judged() -> None:
    op.create_table(
        "notifications",
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("template", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("channel", sa.String(20)),
        sa.Column("reference", sa.String(120)),
        sa.Column("reason", sa.Text),
        sa.Column("tries", sa.JSON, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime),
        sa.PrimaryKeyConstraint("key", name="pk_notifications"),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'refused', 'unsure')", name=op.f("ck_notifications_state")
        ),
    )
    op.create_index("ix_notifications_subject", "notifications", ["subject"])
    op.create_index("ix_notifications_created_at", "notifications", ["created_at"])
    op.create_table(
        "judgements",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("occasion", sa.String(80), nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("unit", sa.String(500), nullable=False),
        sa.Column("person", sa.String(500)),
        sa.Column("citizen", sa.String(160)),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("level", sa.Integer),
        sa.Column("comment", sa.LargeBinary),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("channel", sa.String(20)),
        sa.Column("first_level", sa.Integer),
        sa.Column("changed_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_judgements"),
        sa.UniqueConstraint("subject", "occasion", name="uq_judgements_subject_occasion"),
        sa.CheckConstraint("level BETWEEN 1 AND 5", name=op.f("ck_judgements_level")),
        sa.CheckConstraint("first_level BETWEEN 1 AND 5", name=op.f("ck_judgements_first_level")),
    )
    for column in ("unit", "citizen", "asked_at"):
        op.create_index(f"ix_judgements_{column}", "judgements", [column])
