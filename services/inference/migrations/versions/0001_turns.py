"""Agents, conversations, messages and turns, with outbox and Idempotency-Keys."""

from alembic import op

from runtime import row_security

revision = "0001_turns"
down_revision = None

SERVICE = "inference"

TABLES = (
    """CREATE TABLE agent (
        tenant_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, persona text NOT NULL,
        instructions text NOT NULL, model text NOT NULL, fallbacks text[] NOT NULL,
        autonomy text NOT NULL, is_default boolean NOT NULL,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, deleted_at timestamptz,
        PRIMARY KEY (tenant_id, id))""",
    "CREATE UNIQUE INDEX agent_default ON agent (tenant_id) WHERE is_default AND deleted_at IS NULL",
    """CREATE TABLE conversation (
        tenant_id uuid NOT NULL, id uuid NOT NULL, agent_id uuid NOT NULL, status text NOT NULL, channel text NOT NULL,
        customer text NOT NULL, epoch integer NOT NULL DEFAULT 0, message_count integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, agent_id) REFERENCES agent (tenant_id, id))""",
    "CREATE INDEX conversation_activity ON conversation (tenant_id, updated_at DESC, id DESC)",
    """CREATE TABLE message (
        tenant_id uuid NOT NULL, id uuid NOT NULL, conversation_id uuid NOT NULL, author text NOT NULL,
        content text NOT NULL, sources jsonb NOT NULL DEFAULT '[]', created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation (tenant_id, id))""",
    "CREATE INDEX message_order ON message (tenant_id, conversation_id, created_at, id)",
    """CREATE TABLE turn (
        tenant_id uuid NOT NULL, id uuid NOT NULL, conversation_id uuid NOT NULL, customer_message_id uuid NOT NULL,
        client_message_id uuid NOT NULL, agent_id uuid NOT NULL, options jsonb NOT NULL, state text NOT NULL,
        attempt integer NOT NULL DEFAULT 0, lease_until timestamptz, is_stop_asked boolean NOT NULL DEFAULT false,
        enqueued_at timestamptz NOT NULL, times_enqueued integer NOT NULL DEFAULT 1,
        finish_reason text, categories text[] NOT NULL DEFAULT '{}', error_code text,
        model text, prompt_tokens integer NOT NULL DEFAULT 0, completion_tokens integer NOT NULL DEFAULT 0,
        is_usage_estimated boolean NOT NULL DEFAULT false, confidence double precision NOT NULL DEFAULT 0,
        accepted_at timestamptz NOT NULL, ended_at timestamptz,
        PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, client_message_id),
        FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation (tenant_id, id),
        FOREIGN KEY (tenant_id, customer_message_id) REFERENCES message (tenant_id, id),
        FOREIGN KEY (tenant_id, agent_id) REFERENCES agent (tenant_id, id))""",
    "CREATE INDEX turn_open ON turn (tenant_id, accepted_at) WHERE state NOT IN ('completed', 'failed')",
    "CREATE INDEX turn_stuck ON turn (enqueued_at) WHERE state IN ('accepted', 'running')",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table in ("agent", "conversation", "message", "turn"):
        for statement in row_security.protect(SERVICE, table):
            op.execute(statement)
    for statement in (
        *row_security.grant_relay(
            SERVICE,
            "turn",
            select="tenant_id, id, state, lease_until, enqueued_at, times_enqueued",
            update="enqueued_at, times_enqueued",
        ),
        *row_security.outbox(SERVICE),
        *row_security.idempotency(SERVICE),
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in ("idempotency", "outbox", "turn", "message", "conversation", "agent"):
        op.execute(f"DROP TABLE {table}")
