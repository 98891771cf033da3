"""The role of a unit's head."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BEFORE = ("administrator", "editor", "operator", "department", "supervisor", "auditor")
NOW = ("administrator", "editor", "operator", "department", "head", "supervisor", "auditor")


def upgrade() -> None:
    _allow(NOW)


def downgrade() -> None:
    op.execute("DELETE FROM accounts WHERE role = 'head'")
    _allow(BEFORE)


def _allow(roles: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{role}'" for role in roles)
    with op.batch_alter_table("accounts") as table:
        table.drop_constraint(op.f("ck_accounts_role"), type_="check")
        table.create_check_constraint(op.f("ck_accounts_role"), f"role IN ({listed})")
