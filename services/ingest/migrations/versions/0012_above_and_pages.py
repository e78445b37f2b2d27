"""The headings directly before a passage, and where pages begin in it: passages that are there say neither."""

from alembic import op

revision = "0012_above_and_pages"
down_revision = "0011_put_off"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(
        "ALTER TABLE passage ADD COLUMN above text NOT NULL DEFAULT '', ADD COLUMN pages jsonb NOT NULL DEFAULT '[]'"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE passage DROP COLUMN above, DROP COLUMN pages")
