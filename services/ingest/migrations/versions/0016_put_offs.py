"""How often a document was put off, by cause.

`put_off` stays for processes of the build before, which write it; nothing reads it any more.
"""

from alembic import op

revision = "0016_put_offs"
down_revision = "0015_found_file"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE document ADD COLUMN put_offs jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE document DROP COLUMN put_offs")
