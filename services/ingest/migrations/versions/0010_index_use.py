"""Which collections of a vector server are in use by processes that may be of different builds."""

from alembic import op

revision = "0010_index_use"
down_revision = "0009_outbox_refusals"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("CREATE TABLE index_use (collection text NOT NULL PRIMARY KEY, used_at timestamptz NOT NULL)")
    op.execute("GRANT SELECT, INSERT, UPDATE ON index_use TO ingest_app")


def downgrade() -> None:
    op.execute("DROP TABLE index_use")
