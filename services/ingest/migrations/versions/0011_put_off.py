"""When a document is tried again that could not be read for now, and how often that was."""

from alembic import op

revision = "0011_put_off"
down_revision = "0010_index_use"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(
        "ALTER TABLE document ADD COLUMN try_again_at timestamptz, ADD COLUMN put_off integer NOT NULL DEFAULT 0"
    )
    op.execute("GRANT SELECT (try_again_at), UPDATE (try_again_at) ON document TO ingest_relay")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE document DROP COLUMN try_again_at, DROP COLUMN put_off")
