"""Which file what is found of a document was read from: its newest one may be one that cannot be read.

What failed before its kind was told is of an unknown kind, and no longer plain text.
"""

from alembic import op

revision = "0015_found_file"
down_revision = "0014_document_came_of"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (
        "ALTER TABLE document ADD COLUMN found_filename text, ADD COLUMN found_size_bytes bigint",
        # FORCE binds the owner, who runs this, too.
        "ALTER TABLE document NO FORCE ROW LEVEL SECURITY",
        """UPDATE document SET found_filename = filename, found_size_bytes = size_bytes
            WHERE state = 'ready' AND error_code IS NULL""",
        """UPDATE document SET media_type = 'application/octet-stream'
            WHERE state = 'failed' AND media_type = 'text/plain'""",
        "ALTER TABLE document FORCE ROW LEVEL SECURITY",
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE document DROP COLUMN found_filename, DROP COLUMN found_size_bytes")
