"""The statements of a conversation that changes hands, parameters in the order written below."""

STATUS = "SELECT status FROM conversation WHERE id = $1"

STANDING = "SELECT status, epoch, reason, assignee, is_told FROM conversation WHERE id = $1 FOR UPDATE"

MOVE = """
    UPDATE conversation SET status = $2, epoch = $3, reason = $4, assignee = $5, is_told = $6, updated_at = now()
    WHERE id = $1
"""
"""conversation, status, epoch, reason, assignee, is_told."""

RUNNING = "SELECT id FROM turn WHERE conversation_id = $1 AND state = 'running'"

SEEN = """
    SELECT created_at FROM message WHERE conversation_id = $1 AND id = $2
    UNION ALL SELECT created_at FROM note WHERE conversation_id = $1 AND id = $2
"""
UNSEEN = """
    SELECT id FROM message WHERE conversation_id = $1 AND author = 'customer' AND (created_at, id) > ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT 1
"""
"""conversation, when what was seen was written, its id."""

WRITE = """
    WITH counted AS (
        UPDATE conversation SET message_count = message_count + 1, updated_at = now() WHERE id = $2)
    INSERT INTO message (tenant_id, id, conversation_id, author, content, person, created_at)
    VALUES ($1, $3, $2, 'person', $4, $5, clock_timestamp()) RETURNING created_at
"""
NOTE = """
    INSERT INTO note (tenant_id, id, conversation_id, content, person, created_at)
    VALUES ($1, $3, $2, $4, $5, clock_timestamp()) RETURNING created_at
"""
"""Both: tenant, conversation, message, content, person."""
