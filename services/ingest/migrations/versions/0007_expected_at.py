"""When a document will be ready."""

from alembic import op

revision = "0007_expected_at"
down_revision = "0006_tags"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE document ADD COLUMN expected_at timestamptz")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE document DROP COLUMN expected_at")
