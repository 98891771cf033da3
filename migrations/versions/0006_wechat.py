"""The Official Account: messages taken in, window and tokens; attachments of conversations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wechat_inbox",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("openid", sa.String(64), nullable=False),
        sa.Column("message", sa.JSON, nullable=False),
        sa.Column("arrived_at", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("delivery", sa.String(10)),
        sa.Column("answer", sa.JSON),
        sa.Column("parts_sent", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("lease_until", UtcDateTime, nullable=False),
        sa.Column("fault", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_wechat_inbox"),
        sa.UniqueConstraint("identity", name="uq_wechat_inbox_identity"),
        sa.CheckConstraint("state IN ('open', 'ready', 'sending', 'done')", name=op.f("ck_wechat_inbox_state")),
        sa.CheckConstraint("delivery IN ('passive', 'service', 'held', 'none')", name=op.f("ck_wechat_inbox_delivery")),
    )
    op.create_index("ix_wechat_inbox_arrived_at", "wechat_inbox", ["arrived_at"])
    op.create_index("ix_wechat_inbox_state_lease_until", "wechat_inbox", ["state", "lease_until"])
    op.create_index("ix_wechat_inbox_openid_state", "wechat_inbox", ["openid", "state"])
    op.create_table(
        "wechat_citizens",
        sa.Column("openid", sa.String(64), nullable=False),
        sa.Column("followed", sa.Boolean, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.Column("conversation_id", sa.String(64)),
        sa.Column("offered", sa.JSON),
        sa.Column("message_until", UtcDateTime),
        sa.Column("message_left", sa.Integer, nullable=False),
        sa.Column("action_until", UtcDateTime),
        sa.Column("action_left", sa.Integer, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("last_refusal", sa.String(40)),
        sa.PrimaryKeyConstraint("openid", name="pk_wechat_citizens"),
    )
    op.create_index("ix_wechat_citizens_seen_at", "wechat_citizens", ["seen_at"])
    op.create_table(
        "wechat_consents",
        sa.Column("openid", sa.String(64), nullable=False),
        sa.Column("template_id", sa.String(64), nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("told_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("openid", "template_id", name="pk_wechat_consents"),
    )
    op.create_table(
        "wechat_tokens",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("fetches", sa.Integer, nullable=False),
        sa.Column("fetching_by", sa.String(32)),
        sa.Column("fetching_until", UtcDateTime),
        sa.PrimaryKeyConstraint("app_id", name="pk_wechat_tokens"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("source", sa.String(128), nullable=False),
        sa.Column("citizen", sa.String(160), nullable=False),
        sa.Column("conversation_id", sa.String(64)),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("media_type", sa.String(40)),
        sa.Column("size", sa.Integer),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("digest", sa.String(64)),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        sa.Column("label", sa.String(300)),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
        sa.UniqueConstraint("source", name="uq_attachments_source"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_attachments_conversation_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('picture', 'place')", name=op.f("ck_attachments_kind")),
    )
    op.create_index("ix_attachments_conversation_id", "attachments", ["conversation_id"])
    op.create_index("ix_attachments_citizen", "attachments", ["citizen"])


def downgrade() -> None:
    for table in ("attachments", "wechat_tokens", "wechat_consents", "wechat_citizens", "wechat_inbox"):
        op.drop_table(table)
