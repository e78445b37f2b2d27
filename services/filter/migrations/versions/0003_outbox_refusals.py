"""Outbox rows that the broker refuses wait by themselves (ADR 0033)."""

from alembic import op

from runtime import row_security

revision = "0003_outbox_refusals"
down_revision = "0002_personal_data_actions"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(row_security.OUTBOX_REFUSALS)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE outbox DROP COLUMN refusals, DROP COLUMN due_at")
