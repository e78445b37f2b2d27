"""Why each answer was given: one bounded row beside the answer, thrown away when it is old."""

from alembic import op

from runtime import row_security

revision = "0002_traces"
down_revision = "0001_turns"

SERVICE = "inference"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (
        """CREATE TABLE trace (
            tenant_id uuid NOT NULL, id uuid NOT NULL, conversation_id uuid NOT NULL, body jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, id) REFERENCES turn (tenant_id, id) ON DELETE CASCADE)""",
        "CREATE INDEX trace_age ON trace (created_at)",
        *row_security.protect(SERVICE, "trace", app="SELECT, INSERT, DELETE"),
        *row_security.grant_expiry(SERVICE, "trace", age="created_at"),
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TABLE trace")
