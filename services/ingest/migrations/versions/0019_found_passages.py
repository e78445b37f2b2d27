"""Read the passages that a search found by a function: one round trip, for which a customer waits (ADR 0043).

Passages by their ids, then the document of each: joined freely, and while statistics are not there yet, Postgres begins
with all documents of the business and reads every passage of each.
"""

from alembic import op

from runtime import row_security

revision = "0019_found_passages"
down_revision = "0018_attempt_functions"

FOUND = """
BEGIN
    RETURN QUERY
    WITH p AS MATERIALIZED (SELECT * FROM passage WHERE tenant_id = tenant AND id = ANY(wanted))
    SELECT p.id, p.document_id, d.title, p.n, p.start_offset, p.end_offset, p.heading, p.lead, p.body, p.page,
        p.language, p.above, p.pages
    FROM p CROSS JOIN LATERAL (
        SELECT title FROM document
        WHERE tenant_id = tenant AND id = p.document_id AND state <> 'deleting' LIMIT 1) d;
END"""

FUNCTION = row_security.function(
    "ingest",
    "found_passages",
    "wanted uuid[]",
    """id uuid, document_id uuid, title text, n integer, start integer, "end" integer, heading text, lead text,
        body text, page integer, language text, above text, pages jsonb""",
    FOUND,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in FUNCTION:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP FUNCTION found_passages")
