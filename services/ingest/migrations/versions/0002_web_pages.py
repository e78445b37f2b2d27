"""Documents that are fetched from the web: where from, how far their links are followed, when to look again."""

from alembic import op

from runtime import row_security

revision = "0002_web_pages"
down_revision = "0001_documents"

SERVICE = "ingest"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (
        "ALTER TABLE document ADD COLUMN url text",
        """CREATE UNIQUE INDEX document_url ON document (tenant_id, url)
            WHERE state NOT IN ('failed', 'deleting') AND url IS NOT NULL""",
        """CREATE TABLE web_page (
            tenant_id uuid NOT NULL, document_id uuid NOT NULL, site_id uuid NOT NULL,
            depth integer NOT NULL, etag text, last_modified text, look_again_at timestamptz,
            PRIMARY KEY (tenant_id, document_id),
            FOREIGN KEY (tenant_id, document_id) REFERENCES document (tenant_id, id) ON DELETE CASCADE)""",
        "CREATE INDEX web_page_site ON web_page (tenant_id, site_id)",
        "CREATE INDEX web_page_due ON web_page (look_again_at) WHERE look_again_at IS NOT NULL",
        *row_security.protect(SERVICE, "web_page"),
        # The relay role finds the pages that are due, without their addresses.
        *row_security.grant_relay(
            SERVICE, "web_page", select="tenant_id, document_id, look_again_at", update="look_again_at"
        ),
        # A page has no content before it was fetched.
        "DROP INDEX document_content",
        """CREATE UNIQUE INDEX document_content ON document (tenant_id, sha256)
            WHERE state NOT IN ('failed', 'deleting') AND sha256 <> ''""",
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TABLE web_page")
    op.execute("ALTER TABLE document DROP COLUMN url")
