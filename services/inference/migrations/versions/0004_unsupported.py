"""What an agent does with sentences that the documents do not bear out."""

from alembic import op

revision = "0004_unsupported"
down_revision = "0003_gaps"

SERVICE = "inference"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    # The version that still runs names its columns: it makes agents that are as they were.
    op.execute("ALTER TABLE agent ADD COLUMN unsupported text NOT NULL DEFAULT 'mark'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE agent DROP COLUMN unsupported")
