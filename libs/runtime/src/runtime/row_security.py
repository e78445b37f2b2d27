"""DDL for migrations: row security, grants, and the tables that every service with events has.

A migration runs as the service's owner role. Handlers run as `<service>_app` and see one tenant; outbox relay and
reconciler run as `<service>_relay` and see, in the few tables granted to them, every tenant. FORCE binds the owner too.
"""

TENANT = "(SELECT nullif(current_setting('app.tenant', true), '')::uuid)"
"""The transaction's tenant; it is '' (not NULL) after an earlier SET LOCAL, where a bare ::uuid would raise."""


OWN_ROWS = f"tenant_id = {TENANT}"


def protect(service: str, table: str, *, app: str = "SELECT, INSERT, UPDATE, DELETE") -> list[str]:
    """Statements that bind `table` to one tenant a transaction and grant `app` rights to the handlers."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} TO {service}_app USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})",
        f"GRANT {app} ON {table} TO {service}_app",
    ]


def grant_relay(service: str, table: str, *, select: str, update: str) -> list[str]:
    """Let the relay role look after work rows of every tenant: `select` and `update` name the columns it may touch."""
    return [
        f"CREATE POLICY relay_read ON {table} FOR SELECT TO {service}_relay USING (true)",
        f"CREATE POLICY relay_write ON {table} FOR UPDATE TO {service}_relay USING (true) WITH CHECK (true)",
        f"GRANT SELECT ({select}), UPDATE ({update}) ON {table} TO {service}_relay",
    ]


def grant_expiry(service: str, table: str, *, age: str) -> list[str]:
    """Let the relay role delete old rows of every tenant: it sees whose they are, and the column with their age."""
    return [
        f"CREATE POLICY relay_age ON {table} FOR SELECT TO {service}_relay USING (true)",
        f"CREATE POLICY relay_expire ON {table} FOR DELETE TO {service}_relay USING (true)",
        f"GRANT SELECT (tenant_id, id, {age}), DELETE ON {table} TO {service}_relay",
    ]


def outbox(service: str) -> list[str]:
    """The outbox; the relay reads and deletes the rows of every tenant."""
    return [
        """CREATE TABLE outbox (
            id uuid NOT NULL, tenant_id uuid NOT NULL, subject text NOT NULL, stream text NOT NULL,
            schema_name text NOT NULL, body bytea NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id))""",
        "CREATE INDEX outbox_age ON outbox (created_at)",
        "CREATE INDEX outbox_id ON outbox (id)",
        *protect(service, "outbox", app="SELECT, INSERT"),
        f"CREATE POLICY relay ON outbox TO {service}_relay USING (true)",
        # SELECT … FOR UPDATE asks for the right to update too, beside what is noted of a row that the broker refuses.
        f"GRANT SELECT, UPDATE, DELETE ON outbox TO {service}_relay",
    ]


OUTBOX_REFUSALS = """ALTER TABLE outbox
    ADD COLUMN refusals integer NOT NULL DEFAULT 0, ADD COLUMN due_at timestamptz"""
"""How often the broker refused a row, and when it is tried again; a row that was never refused has no `due_at`.

A change after `outbox` in a schema of its own: the relay of the version before does not know the columns.
"""


def inbox(service: str) -> list[str]:
    """The inbox: which event this consumer handled already."""
    return [
        """CREATE TABLE inbox (
            tenant_id uuid NOT NULL, consumer text NOT NULL, event_id uuid NOT NULL,
            handled_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, consumer, event_id))""",
        *protect(service, "inbox", app="SELECT, INSERT"),
    ]


def idempotency(service: str) -> list[str]:
    """Idempotency-Keys with their first answers."""
    return [
        """CREATE TABLE idempotency (
            tenant_id uuid NOT NULL, key text NOT NULL, body_sha256 text NOT NULL, answer bytea,
            created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, key))""",
        *protect(service, "idempotency"),
    ]


SAID = "said_ids uuid[], said_subjects text[], said_streams text[], said_schemas text[], said_bodies bytea[]"
"""The last parameters of a function that says something; see `runtime.db.Database.call`."""
KEEP_SAID = """
    INSERT INTO outbox (tenant_id, id, subject, stream, schema_name, body)
    SELECT tenant, * FROM unnest(said_ids, said_subjects, said_streams, said_schemas, kept)
        AS said (id, subject, stream, schema_name, body) WHERE said.body IS NOT NULL;
"""
"""Put the bodies in `kept` into the outbox, but for those that are NULL."""
KEEP_SAID_ONCE = KEEP_SAID.replace(";", " ON CONFLICT DO NOTHING;")
"""The same, for a function that does the same when it runs twice: then the row may be there from the first time."""


def filled_in(body: str, field: str, value: str) -> str:
    """The SQL of a body with a field that only the database knows; facts and jobs are JSON of ids and small words."""
    return f"convert_to((convert_from({body}, 'UTF8')::jsonb || jsonb_build_object('{field}', {value}))::text, 'UTF8')"


def function(service: str, name: str, parameters: str, row: str, body: str) -> list[str]:
    """Statements that make a function for `runtime.db.Database.call`, which says whose rows it sees.

    It has the rights of who calls it, so that row policies hold inside; `tenant` is its first parameter. Names in a
    statement are columns; a parameter must have another.
    """
    return [
        f"""CREATE OR REPLACE FUNCTION {name}(tenant uuid, {parameters}) RETURNS TABLE ({row}) LANGUAGE plpgsql AS $$
            #variable_conflict use_column
            {body}$$""",
        f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {name} TO {service}_app",
    ]
