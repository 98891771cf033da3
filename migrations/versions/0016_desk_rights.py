"""The desk: who had a call, and how the citizen is addressed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handoffs", sa.Column("had", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("handoffs", sa.Column("salutation", sa.String(20), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("salutation", "had"):
        op.drop_column("handoffs", name)
