"""A schema like a service's, with nothing of a business in it: what the runtime's own tests run on."""

from alembic import op

from runtime import row_security

revision = "0001_probe"
down_revision = None

SERVICE = "probe"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE note (tenant_id uuid NOT NULL, id uuid NOT NULL, body text NOT NULL, PRIMARY KEY (tenant_id, id))"
    )
    op.execute(
        """CREATE TABLE errand (
            tenant_id uuid NOT NULL, id uuid NOT NULL, state text NOT NULL DEFAULT 'open', lease_until timestamptz,
            enqueued_at timestamptz NOT NULL, times_enqueued integer NOT NULL DEFAULT 1, PRIMARY KEY (tenant_id, id))"""
    )
    for statement in (
        *row_security.protect(SERVICE, "note"),
        *row_security.protect(SERVICE, "errand"),
        *row_security.grant_relay(
            SERVICE,
            "errand",
            select="tenant_id, id, state, lease_until, enqueued_at, times_enqueued",
            update="enqueued_at, times_enqueued",
        ),
        *row_security.outbox(SERVICE),
        *row_security.inbox(SERVICE),
        *row_security.idempotency(SERVICE),
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in ("idempotency", "inbox", "outbox", "errand", "note"):
        op.execute(f"DROP TABLE {table}")
