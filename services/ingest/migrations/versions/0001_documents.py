"""Documents and their passages, outbox and idempotency keys."""

from alembic import op

from runtime import row_security

revision = "0001_documents"
down_revision = None

SERVICE = "ingest"


def upgrade() -> None:
    for statement in (
        """CREATE TABLE document (
            tenant_id uuid NOT NULL, id uuid NOT NULL,
            title text NOT NULL, filename text NOT NULL, media_type text NOT NULL,
            size_bytes bigint NOT NULL, sha256 text NOT NULL,
            state text NOT NULL CHECK (state IN
                ('received', 'parsing', 'chunking', 'embedding', 'ready', 'failed', 'deleting')),
            progress double precision NOT NULL DEFAULT 0, pages integer NOT NULL DEFAULT 0,
            passages integer NOT NULL DEFAULT 0, language text,
            error_code text, error_detail text, error_page integer,
            generation integer NOT NULL DEFAULT 1, attempt integer NOT NULL DEFAULT 0,
            lease_until timestamptz,
            enqueued_at timestamptz NOT NULL DEFAULT now(), enqueued integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id))""",
        # One document for each content; a failed one may be sent again, one that is being deleted does not count.
        """CREATE UNIQUE INDEX document_content ON document (tenant_id, sha256)
            WHERE state NOT IN ('failed', 'deleting')""",
        "CREATE INDEX document_unfinished ON document (enqueued_at) WHERE state NOT IN ('ready', 'failed')",
        """CREATE TABLE passage (
            tenant_id uuid NOT NULL, id uuid NOT NULL, document_id uuid NOT NULL, generation integer NOT NULL,
            n integer NOT NULL, start_offset integer NOT NULL, end_offset integer NOT NULL,
            heading text NOT NULL, lead text NOT NULL, body text NOT NULL, page integer, language text,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, document_id) REFERENCES document (tenant_id, id) ON DELETE CASCADE)""",
        "CREATE INDEX passage_document ON passage (tenant_id, document_id, n)",
        *row_security.protect(SERVICE, "document"),
        *row_security.protect(SERVICE, "passage"),
        # The relay role runs the reconciler, and compares the vector index with what should be in it.
        *row_security.grant_relay(
            SERVICE,
            "document",
            select="tenant_id, id, state, lease_until, enqueued_at, enqueued, generation, passages",
            update="enqueued_at, enqueued",
        ),
        *row_security.outbox(SERVICE),
        *row_security.idempotency(SERVICE),
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in ("idempotency", "outbox", "passage", "document"):
        op.execute(f"DROP TABLE {table}")
