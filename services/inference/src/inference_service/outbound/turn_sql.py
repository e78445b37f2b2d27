"""The rarer statements of a turn's way, for the driver itself, parameters in the order written below."""

STATE = "SELECT state FROM turn WHERE id = $1"

RELEASE = """
    UPDATE turn SET lease_until = NULL, enqueued_at = now() + make_interval(secs => $3)
    WHERE id = $1 AND attempt = $2 AND state = 'running'
"""
"""turn, attempt, seconds until its job comes again: the reconciler takes it for lost only after that."""


PROMOTE = """
    UPDATE turn SET state = 'accepted', enqueued_at = now()
    WHERE id = (SELECT id FROM turn WHERE state = 'queued' ORDER BY accepted_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
"""Let the tenant's oldest waiting turn in."""

FAIL = """
    UPDATE turn SET state = 'failed', error_code = $2, lease_until = NULL, ended_at = now()
    WHERE id = $1 AND state NOT IN ('completed', 'failed') AND ($3::integer IS NULL OR attempt = $3)
    RETURNING conversation_id, agent_id
"""
"""turn, code, attempt."""

ASK_STOP = """
    UPDATE turn SET is_stop_asked = true WHERE id = $1 AND state NOT IN ('completed', 'failed')
    RETURNING coalesce(lease_until > now(), false) AS is_leased, attempt, conversation_id, agent_id
"""

GET = """
    SELECT t.*, coalesce(t.lease_until > now(), false) AS is_leased, coalesce(m.content, '') AS content,
        coalesce(m.sources::text, '[]') AS sources
    FROM turn t LEFT JOIN message m ON (m.tenant_id, m.id) = (t.tenant_id, t.id)
    WHERE t.id = $1
"""

GET_TRACE = "SELECT body::text FROM trace WHERE id = $1 AND conversation_id = $2"
"""turn, conversation."""
