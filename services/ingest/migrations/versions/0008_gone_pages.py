"""Since when a page of the web is not there any more."""

from alembic import op

revision = "0008_gone_pages"
down_revision = "0007_expected_at"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE web_page ADD COLUMN gone_since timestamptz")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE web_page DROP COLUMN gone_since")
