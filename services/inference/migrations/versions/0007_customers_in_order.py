"""A customer's message takes its time inside the lock, as a person's does.

Its transaction begins before it waits there. A message that waited behind a person's sorted before it, so that whoever
had read their own message seemed to have read the customer's too.
"""

from alembic import op

from runtime import row_security

revision = "0007_customers_in_order"
down_revision = "0006_turn_functions"

SERVICE = "inference"

ACCEPT = f"""
BEGIN
    SELECT t.id, t.conversation_id, t.customer_message_id, t.state
    INTO message_id, conversation_id, customer_message_id, state
    FROM turn t WHERE t.client_message_id = new_client_message;
    IF FOUND THEN
        is_duplicate := true;
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT count(*) FILTER (WHERE t.state <> 'queued'), count(*) FILTER (WHERE t.state = 'queued')
    INTO running, queued
    FROM turn t WHERE t.state NOT IN ('completed', 'failed');
    state := CASE WHEN running < running_limit THEN 'accepted' WHEN queued < queued_limit THEN 'queued' END;
    is_duplicate := false;
    IF state IS NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF is_new THEN
        SELECT a.id INTO agent_id FROM agent a
        WHERE a.deleted_at IS NULL AND (a.id = new_agent OR (new_agent IS NULL AND a.is_default));
    ELSE
        SELECT a.id, c.status = 'resolved' INTO agent_id, is_resolved FROM conversation c
        JOIN agent a ON (a.tenant_id, a.id) = (c.tenant_id, coalesce(new_agent, c.agent_id))
        WHERE c.id = new_conversation AND (new_agent IS NULL OR a.deleted_at IS NULL);
    END IF;
    IF NOT FOUND OR is_resolved THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF is_new THEN
        INSERT INTO conversation (tenant_id, id, agent_id, status, channel, customer, message_count, created_at,
            updated_at)
        VALUES (tenant, new_conversation, accept_turn.agent_id, 'active', 'chat', new_customer, 1, now(), now());
    ELSE
        UPDATE conversation SET message_count = message_count + 1, updated_at = now() WHERE id = new_conversation;
    END IF;
    INSERT INTO message (tenant_id, id, conversation_id, author, content, created_at)
    VALUES (tenant, new_question, new_conversation, 'customer', new_content, clock_timestamp());
    INSERT INTO turn (tenant_id, id, conversation_id, customer_message_id, client_message_id, agent_id, options, state,
        enqueued_at, accepted_at)
    VALUES (tenant, new_turn, new_conversation, new_question, new_client_message, accept_turn.agent_id,
        new_options::jsonb, accept_turn.state, now(), now());
    kept := ARRAY[
        {row_security.filled_in("said_bodies[1]", "agent_id", "accept_turn.agent_id")},
        CASE accept_turn.state WHEN 'accepted' THEN said_bodies[2] END];
    {row_security.KEEP_SAID}
    RETURN NEXT;
END"""  # noqa: S608 - put together from constants


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in row_security.function(
        SERVICE,
        "accept_turn",
        """new_client_message uuid, new_conversation uuid, is_new boolean, new_turn uuid, new_question uuid,
            new_agent uuid, new_content text, new_options text, new_customer text, running_limit integer,
            queued_limit integer, """
        + row_security.SAID,
        """is_duplicate boolean, message_id uuid, conversation_id uuid, customer_message_id uuid, agent_id uuid,
            is_resolved boolean, state text, running bigint, queued bigint, kept bytea[]""",
        ACCEPT,
    ):
        op.execute(statement)


def downgrade() -> None:
    """Nothing: the version before calls the same function with the same parameters, and reads the same columns."""
