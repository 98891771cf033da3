"""The role of the auditor."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BEFORE = ("administrator", "editor", "operator", "department", "supervisor")


def upgrade() -> None:
    _allow(*BEFORE, "auditor")


def downgrade() -> None:
    op.execute("DELETE FROM accounts WHERE role = 'auditor'")
    _allow(*BEFORE)


def _allow(*roles: str) -> None:
    listed = ", ".join(f"'{role}'" for role in roles)
    with op.batch_alter_table("accounts") as table:
        table.drop_constraint(op.f("ck_accounts_role"), type_="check")
        table.create_check_constraint(op.f("ck_accounts_role"), f"role IN ({listed})")
