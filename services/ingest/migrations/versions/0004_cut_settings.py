"""How a business wants its documents cut, and how each was."""

from alembic import op

from runtime import row_security

revision = "0004_cut_settings"
down_revision = "0003_notes"

SERVICE = "ingest"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (
        # {passage_tokens, overlap} of the current generation; null means the default, which was all there was before.
        "ALTER TABLE document ADD COLUMN cut_by jsonb",
        "CREATE TABLE knowledge_settings (tenant_id uuid NOT NULL, cut_by jsonb NOT NULL, PRIMARY KEY (tenant_id))",
        *row_security.protect(SERVICE, "knowledge_settings"),
        # The relay role finds the documents that are not cut as their business wants it.
        f"CREATE POLICY relay_read ON knowledge_settings FOR SELECT TO {SERVICE}_relay USING (true)",
        f"GRANT SELECT (tenant_id, cut_by) ON knowledge_settings TO {SERVICE}_relay",
        f"GRANT SELECT (cut_by) ON document TO {SERVICE}_relay",
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TABLE knowledge_settings")
    op.execute("ALTER TABLE document DROP COLUMN cut_by")
