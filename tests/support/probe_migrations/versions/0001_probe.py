"""A schema like a service's, with nothing of a business in it: what the runtime's own tests run on."""

from alembic import op

from runtime import row_security

revision = "0001_probe"
down_revision = None

SERVICE = "probe"


WRITE_DOWN = f"""
BEGIN
    INSERT INTO note (tenant_id, id, body) VALUES (whose, new_id, words) ON CONFLICT DO NOTHING;
    SELECT count(*) INTO seen FROM note;
    PERFORM pg_sleep(pause_s);
    kept := ARRAY[said_bodies[1], CASE WHEN seen > 1 THEN said_bodies[2] END];
    {row_security.KEEP_SAID}
    RETURN NEXT;
END"""  # noqa: S608 - put together from constants
PARAMETERS = f"whose uuid, new_id uuid, words text, pause_s float8, {row_security.SAID}"


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
        row_security.OUTBOX_REFUSALS,
        *row_security.inbox(SERVICE),
        *row_security.idempotency(SERVICE),
        *row_security.function(SERVICE, "write_down", PARAMETERS, "seen bigint, kept bytea[]", WRITE_DOWN),
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION write_down")
    for table in ("idempotency", "inbox", "outbox", "errand", "note"):
        op.execute(f"DROP TABLE {table}")
