"""Versions of policies, decisions, and the outbox."""

from alembic import op

from runtime import row_security

revision = "0001_policies_and_decisions"
down_revision = None

SERVICE = "filter"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE policy_version (
            tenant_id uuid NOT NULL, version integer NOT NULL CHECK (version > 0), terms text[] NOT NULL,
            terms_action text NOT NULL, cards_action text NOT NULL, window_chars integer NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, version))"""
    )
    op.execute(
        """CREATE TABLE decision (
            tenant_id uuid NOT NULL, message_id uuid NOT NULL, attempt integer NOT NULL,
            conversation_id uuid NOT NULL, policy_version integer NOT NULL, is_blocked boolean NOT NULL,
            found jsonb NOT NULL, decided_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, message_id, attempt))"""
    )
    op.execute("CREATE INDEX decision_age ON decision (tenant_id, decided_at)")
    for statement in (
        *row_security.protect(SERVICE, "policy_version", app="SELECT, INSERT"),
        *row_security.protect(SERVICE, "decision", app="SELECT, INSERT"),
        *row_security.outbox(SERVICE),
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in ("outbox", "decision", "policy_version"):
        op.execute(f"DROP TABLE {table}")
