"""Find the failed upload whose bytes come again, which every upload asks for."""

from runtime import migration_index

revision = "0017_failed_content"
down_revision = "0016_put_offs"


def upgrade() -> None:
    migration_index.build("document_failed_content", "document (tenant_id, sha256) WHERE state = 'failed'")


def downgrade() -> None:
    migration_index.drop("document_failed_content")
