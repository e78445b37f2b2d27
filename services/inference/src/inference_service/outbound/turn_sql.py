"""The statements of a turn's way, for the driver itself: one round trip each, parameters in the order written below."""

ROOM = """
    SELECT t.id, t.conversation_id, t.customer_message_id, t.state,
        (SELECT count(*) FROM turn WHERE state IN ('accepted', 'running')) AS running,
        (SELECT count(*) FROM turn WHERE state = 'queued') AS queued
    FROM (SELECT 1) one LEFT JOIN turn t ON t.client_message_id = $1
"""
"""client_message_id."""

_STORE = """
    question AS (
        INSERT INTO message (tenant_id, id, conversation_id, author, content, created_at)
        SELECT $1, $3, $2, 'customer', $6, now() FROM chosen),
    opened AS (
        INSERT INTO turn (tenant_id, id, conversation_id, customer_message_id, client_message_id, agent_id, options,
            state, enqueued_at, accepted_at)
        SELECT $1, $4, $2, $3, $5, chosen.id, $7::text::jsonb, $8, now(), now() FROM chosen)
    SELECT * FROM chosen
"""

BEGIN_CONVERSATION = f"""
    WITH chosen AS (
        SELECT id FROM agent
        WHERE deleted_at IS NULL AND (id = $9::uuid OR ($9::uuid IS NULL AND is_default))),
    begun AS (
        INSERT INTO conversation (tenant_id, id, agent_id, status, channel, customer, message_count, created_at,
            updated_at)
        SELECT $1, $2, chosen.id, 'active', 'chat', $10, 1, now(), now() FROM chosen),
    {_STORE}
"""  # noqa: S608 - put together from constants
"""tenant, conversation, question, turn, client_message_id, content, options, state, agent, customer."""

CONTINUE_CONVERSATION = f"""
    WITH continued AS (
        UPDATE conversation SET message_count = message_count + 1, updated_at = now() WHERE id = $2
        RETURNING agent_id, status),
    chosen AS (
        SELECT a.id, continued.status FROM continued JOIN agent a ON a.id = coalesce($9::uuid, continued.agent_id)
        WHERE $9::uuid IS NULL OR a.deleted_at IS NULL),
    {_STORE}
"""  # noqa: S608 - put together from constants
"""tenant, conversation, question, turn, client_message_id, content, options, state, agent."""

LEASE = """
    UPDATE turn t SET state = 'running', attempt = t.attempt + 1, lease_until = now() + make_interval(secs => $2)
    FROM conversation c, agent a, message q
    WHERE t.id = $1 AND t.state IN ('accepted', 'running') AND (t.lease_until IS NULL OR t.lease_until < now())
        AND (c.tenant_id, c.id) = (t.tenant_id, t.conversation_id) AND (a.tenant_id, a.id) = (t.tenant_id, t.agent_id)
        AND (q.tenant_id, q.id) = (t.tenant_id, t.customer_message_id)
    RETURNING t.conversation_id, t.agent_id, t.attempt, t.is_stop_asked, t.options::text AS options, c.epoch,
        c.status, c.is_told, c.message_count, q.content AS question, q.created_at AS asked_at, q.id AS question_id,
        a.name, a.persona, a.instructions, a.model, a.fallbacks, a.unsupported, a.updated_at AS agent_updated_at,
        extract(epoch FROM now() - t.accepted_at)::float8 AS waited_s
"""
"""turn, lease in seconds."""

STATE = "SELECT state FROM turn WHERE id = $1"

HISTORY = """
    SELECT author, content FROM message
    WHERE conversation_id = $1 AND created_at <= $2 AND id <> $3 AND content <> ''
    ORDER BY created_at DESC, id DESC LIMIT $4
"""
"""conversation, asked_at, question, limit."""

EXTEND = """
    UPDATE turn SET lease_until = now() + make_interval(secs => $3)
    WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING is_stop_asked
"""
RELEASE = """
    UPDATE turn SET lease_until = NULL, enqueued_at = now() + make_interval(secs => $3)
    WHERE id = $1 AND attempt = $2 AND state = 'running'
"""
"""turn, attempt, seconds until its job comes again: the reconciler takes it for lost only after that."""


def _promote(condition: str) -> str:
    """Let the tenant's oldest waiting turn in."""
    return f"""
        UPDATE turn SET state = 'accepted', enqueued_at = now()
        WHERE id = (
            SELECT id FROM turn WHERE state = 'queued' AND {condition}
            ORDER BY accepted_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id
    """  # noqa: S608 - put together from constants


PROMOTE = _promote("true")

COMPLETE = f"""
    WITH ended AS (
        UPDATE turn SET state = 'completed', lease_until = NULL, ended_at = now(), finish_reason = $5,
            categories = $6, model = $7, prompt_tokens = $8, completion_tokens = $9, is_usage_estimated = $10,
            confidence = $11
        WHERE id = $2 AND attempt = $3 AND state NOT IN ('completed', 'failed')
            AND ($4::integer IS NULL OR $4 = (
                SELECT epoch FROM conversation c WHERE (c.tenant_id, c.id) = (turn.tenant_id, turn.conversation_id)))
        RETURNING conversation_id, agent_id, customer_message_id, ended_at),
    answer AS (
        INSERT INTO message (tenant_id, id, conversation_id, author, content, sources, created_at)
        SELECT $1, $2, conversation_id, 'machine', $12, $13::text::jsonb, now() FROM ended),
    touched AS (
        UPDATE conversation c SET message_count = message_count + 1, updated_at = now()
        FROM ended WHERE c.id = ended.conversation_id),
    traced AS (
        INSERT INTO trace (tenant_id, id, conversation_id, body)
        SELECT $1, $2, conversation_id, $14::text::jsonb FROM ended WHERE $14::text IS NOT NULL
        ON CONFLICT DO NOTHING),
    promoted AS ({_promote("id <> $2 AND EXISTS (SELECT FROM ended)")})
    SELECT conversation_id, agent_id, customer_message_id, ended_at, (SELECT id FROM promoted) AS next_id FROM ended
"""  # noqa: S608 - put together from constants
"""tenant, turn, attempt, epoch, finish_reason, categories, model, prompt and completion tokens, is_estimated,
confidence, content, sources, trace. One round trip for all; the turn that ends here may itself have been queued."""

FAIL = """
    UPDATE turn SET state = 'failed', error_code = $2, lease_until = NULL, ended_at = now()
    WHERE id = $1 AND state NOT IN ('completed', 'failed') AND ($3::integer IS NULL OR attempt = $3)
    RETURNING conversation_id, agent_id
"""
"""turn, code, attempt."""

ASK_STOP = """
    UPDATE turn SET is_stop_asked = true WHERE id = $1 AND state NOT IN ('completed', 'failed')
    RETURNING coalesce(lease_until > now(), false) AS is_leased, attempt
"""

GET = """
    SELECT t.*, coalesce(t.lease_until > now(), false) AS is_leased, coalesce(m.content, '') AS content,
        coalesce(m.sources::text, '[]') AS sources
    FROM turn t LEFT JOIN message m ON (m.tenant_id, m.id) = (t.tenant_id, t.id)
    WHERE t.id = $1
"""

GET_TRACE = "SELECT body::text FROM trace WHERE id = $1 AND conversation_id = $2"
"""turn, conversation."""
