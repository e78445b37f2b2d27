"""Words by which a business tells its documents apart."""

from alembic import op

revision = "0006_tags"
down_revision = "0005_found_generation"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    # The default stays: a replica of the version before writes rows without it.
    op.execute("ALTER TABLE document ADD COLUMN tags text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE document DROP COLUMN tags")
