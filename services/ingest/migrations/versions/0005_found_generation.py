"""The relay role may see which reading of a document is found: it can be older than the newest one, if that failed."""

from alembic import op

revision = "0005_found_generation"
down_revision = "0004_cut_settings"

SERVICE = "ingest"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"CREATE POLICY relay_read ON passage FOR SELECT TO {SERVICE}_relay USING (true)")
    op.execute(f"GRANT SELECT (tenant_id, document_id, generation) ON passage TO {SERVICE}_relay")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"REVOKE ALL ON passage FROM {SERVICE}_relay")
    op.execute("DROP POLICY relay_read ON passage")
