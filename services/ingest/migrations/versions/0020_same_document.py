"""Tell by a function whether what arrives is here already: one round trip instead of four (ADR 0043)."""

from alembic import op

from runtime import row_security

revision = "0020_same_document"
down_revision = "0019_found_passages"

# Apart, and with all that the index of contents says of its rows: otherwise each document of the business is read.
ITSELF = "tenant_id = tenant AND id = arrived"
IN_USE = "tenant_id = tenant AND sha256 = its_sha256 AND sha256 <> '' AND state NOT IN ('failed', 'deleting')"
# The rows before their content, as a new version locks them, or both would wait for each other; and who deletes one
# that is here already is done, or waits for us. Each statement sees what was committed while the one before it waited.
SAME = f"""
BEGIN
    PERFORM 1 FROM document WHERE {ITSELF} FOR UPDATE;
    PERFORM 1 FROM document WHERE {IN_USE} FOR UPDATE;
    IF is_upload THEN
        SELECT id INTO failed_id FROM document
        WHERE tenant_id = tenant AND sha256 = its_sha256 AND state = 'failed' AND came_of IS NULL AND url IS NULL
        ORDER BY id DESC LIMIT 1 FOR UPDATE;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(tenant || '/' || its_sha256, 0));
    same_id := coalesce((SELECT id FROM document WHERE {ITSELF}), (SELECT id FROM document WHERE {IN_USE}));
    RETURN NEXT;
END"""  # noqa: S608 - put together from constants

FUNCTION = row_security.function(
    "ingest",
    "same_document",
    "arrived uuid, its_sha256 text, is_upload boolean",
    "same_id uuid, failed_id uuid",
    SAME,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in FUNCTION:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP FUNCTION same_document")
