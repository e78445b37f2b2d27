"""Find what came of a document. What somebody brought in themselves came of none, and is not in it."""

from runtime import migration_index

revision = "0014_document_came_of"
down_revision = "0013_came_of"


def upgrade() -> None:
    migration_index.build("document_came_of", "document (tenant_id, came_of) WHERE came_of IS NOT NULL")


def downgrade() -> None:
    migration_index.drop("document_came_of")
