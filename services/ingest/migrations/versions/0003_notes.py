"""What the owner of a document should know of its reading."""

from alembic import op

revision = "0003_notes"
down_revision = "0002_web_pages"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    # A list of {page, reason}; the default stays: a replica of the version before writes rows without it.
    op.execute("ALTER TABLE document ADD COLUMN notes jsonb NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE document DROP COLUMN notes")
