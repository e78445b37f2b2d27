"""Questions that found nothing good, and the groups they are gathered in."""

from alembic import op

from runtime import row_security

revision = "0003_gaps"
down_revision = "0002_traces"

SERVICE = "inference"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (
        """CREATE TABLE gap (
            tenant_id uuid NOT NULL, id uuid NOT NULL, question text NOT NULL, language text NOT NULL,
            centre real[] NOT NULL, count integer NOT NULL,
            state text NOT NULL CHECK (state IN ('open', 'resolved', 'dismissed')), document_id uuid,
            first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id))""",
        "CREATE INDEX gap_latest ON gap (tenant_id, last_seen DESC, id DESC)",
        "CREATE INDEX gap_age ON gap (last_seen)",
        """CREATE TABLE gap_question (
            tenant_id uuid NOT NULL, id uuid NOT NULL, conversation_id uuid NOT NULL, question text NOT NULL,
            reason text NOT NULL, gap_id uuid, asked_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, id) REFERENCES turn (tenant_id, id) ON DELETE CASCADE,
            FOREIGN KEY (tenant_id, gap_id) REFERENCES gap (tenant_id, id) ON DELETE CASCADE)""",
        "CREATE INDEX gap_question_latest ON gap_question (tenant_id, gap_id, asked_at DESC)",
        "CREATE INDEX gap_question_unsorted ON gap_question (asked_at) WHERE gap_id IS NULL",
        "CREATE INDEX gap_question_age ON gap_question (asked_at)",
        *row_security.protect(SERVICE, "gap"),
        *row_security.protect(SERVICE, "gap_question"),
        *row_security.grant_expiry(SERVICE, "gap", age="last_seen"),
        *row_security.grant_expiry(SERVICE, "gap_question", age="asked_at"),
        # Whose questions wait to be gathered.
        f"GRANT SELECT (gap_id) ON gap_question TO {SERVICE}_relay",
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TABLE gap_question")
    op.execute("DROP TABLE gap")
