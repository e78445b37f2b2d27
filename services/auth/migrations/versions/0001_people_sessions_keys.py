"""Businesses, members, sessions, API keys, signing keys, and the lookups before the tenant is known."""

from alembic import op

from runtime import row_security

revision = "0001_people_sessions_keys"
down_revision = None

SERVICE = "auth"

TABLES = (
    """CREATE TABLE business (
        tenant_id uuid NOT NULL, name text NOT NULL, industry text NOT NULL, created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id))""",
    # One e-mail signs in to one business, so it is unique over all of them: registering tells that anyway.
    """CREATE TABLE member (
        tenant_id uuid NOT NULL REFERENCES business, id uuid NOT NULL, email text NOT NULL UNIQUE,
        password_hash text NOT NULL, role text NOT NULL CHECK (role IN ('owner', 'admin', 'support', 'viewer')),
        created_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, id))""",
    """CREATE TABLE session_family (
        tenant_id uuid NOT NULL, id uuid NOT NULL, member_id uuid NOT NULL, created_at timestamptz NOT NULL,
        revoked_at timestamptz, PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) ON DELETE CASCADE)""",
    """CREATE TABLE refresh_token (
        tenant_id uuid NOT NULL, id uuid NOT NULL, family_id uuid NOT NULL, member_id uuid NOT NULL,
        token_sha256 bytea NOT NULL UNIQUE, expires_at timestamptz NOT NULL, used_at timestamptz,
        used_by text NOT NULL DEFAULT '', PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, family_id) REFERENCES session_family (tenant_id, id) ON DELETE CASCADE)""",
    "CREATE INDEX session_family_member ON session_family (tenant_id, member_id)",
    "CREATE INDEX refresh_token_family ON refresh_token (tenant_id, family_id)",
    "CREATE INDEX refresh_token_member ON refresh_token (tenant_id, member_id, expires_at)",
    """CREATE TABLE api_key (
        tenant_id uuid NOT NULL REFERENCES business, id uuid NOT NULL, name text NOT NULL, prefix text NOT NULL,
        key_sha256 bytea NOT NULL UNIQUE, scopes text[] NOT NULL, created_at timestamptz NOT NULL,
        expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz, PRIMARY KEY (tenant_id, id))""",
    # Of no tenant: no row security, and reachable by the handlers' role alone.
    """CREATE TABLE signing_key (
        kid text NOT NULL PRIMARY KEY, x text NOT NULL, y text NOT NULL, sealed_private bytea NOT NULL,
        created_at timestamptz NOT NULL)""",
    "GRANT SELECT, INSERT, DELETE ON signing_key TO auth_app",
)

# FORCE binds a table's owner too, so these belong to `auth_lookup`, which has a policy and the columns it needs.
LOOKUPS = {
    "member_by_email(wanted text)": (
        "TABLE (tenant_id uuid, id uuid, email text, password_hash text, role text, created_at timestamptz)",
        """SELECT m.tenant_id, m.id, m.email, m.password_hash, m.role, m.created_at
        FROM auth.member m WHERE m.email = wanted""",
    ),
    "refresh_token_by_sha256(wanted bytea)": (
        """TABLE (tenant_id uuid, id uuid, family_id uuid, member_id uuid, expires_at timestamptz,
        used_at timestamptz, used_by text, is_revoked boolean)""",
        """SELECT t.tenant_id, t.id, t.family_id, t.member_id, t.expires_at, t.used_at, t.used_by,
        f.revoked_at IS NOT NULL
        FROM auth.refresh_token t JOIN auth.session_family f ON (f.tenant_id, f.id) = (t.tenant_id, t.family_id)
        WHERE t.token_sha256 = wanted""",
    ),
    "api_key_by_sha256(wanted bytea)": (
        """TABLE (tenant_id uuid, id uuid, name text, prefix text, scopes text[], created_at timestamptz,
        expires_at timestamptz, last_used_at timestamptz)""",
        """SELECT k.tenant_id, k.id, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, k.last_used_at
        FROM auth.api_key k WHERE k.key_sha256 = wanted AND k.revoked_at IS NULL""",
    ),
}
LOOKED_UP = ("member", "refresh_token", "session_family", "api_key")


def upgrade() -> None:
    for statement in (*TABLES, *_protection(), *_lookups()):
        op.execute(statement)


def _protection() -> list[str]:
    return [
        *row_security.protect(SERVICE, "business", app="SELECT, INSERT, UPDATE"),
        *row_security.protect(SERVICE, "member"),
        *row_security.protect(SERVICE, "session_family"),
        *row_security.protect(SERVICE, "refresh_token"),
        *row_security.protect(SERVICE, "api_key"),
        *row_security.outbox(SERVICE),
        *row_security.idempotency(SERVICE),
    ]


def _lookups() -> list[str]:
    statements = []
    for table in LOOKED_UP:
        statements += [
            f"CREATE POLICY lookup ON {table} FOR SELECT TO auth_lookup USING (true)",
            f"GRANT SELECT ON {table} TO auth_lookup",
        ]
    for signature, (result, body) in LOOKUPS.items():
        kind = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp"
        statements += [
            f"CREATE FUNCTION {signature} RETURNS {result} {kind} AS $$ {body} $$",
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {signature} TO auth_app",
            f"ALTER FUNCTION {signature} OWNER TO auth_lookup",
        ]
    return statements


def downgrade() -> None:
    for signature in LOOKUPS:
        op.execute(f"DROP FUNCTION {signature}")
    for table in ("idempotency", "outbox", "signing_key", "api_key", "refresh_token", "session_family", "member"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP TABLE business")
