"""What every turn does, as functions: accepted, leased, kept and completed in one round trip each (ADR 0023).

Whoever changes one makes it anew in a later migration, under a new name if parameters or columns change: replicas of
the version before still call this one.
"""

from alembic import op

from runtime import row_security

revision = "0006_turn_functions"
down_revision = "0005_hand_off"

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
    VALUES (tenant, new_question, new_conversation, 'customer', new_content, now());
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

LEASE = """
DECLARE
    asked_at timestamptz;
    question_id uuid;
    message_count integer;
BEGIN
    UPDATE turn t SET state = 'running', attempt = t.attempt + 1, lease_until = now() + make_interval(secs => lease_s)
    FROM conversation c, agent a, message q
    WHERE t.id = wanted AND t.state IN ('accepted', 'running') AND (t.lease_until IS NULL OR t.lease_until < now())
        AND (c.tenant_id, c.id) = (t.tenant_id, t.conversation_id) AND (a.tenant_id, a.id) = (t.tenant_id, t.agent_id)
        AND (q.tenant_id, q.id) = (t.tenant_id, t.customer_message_id)
    RETURNING t.state, t.conversation_id, t.agent_id, t.attempt, t.is_stop_asked, t.options::text, c.epoch,
        c.status, c.is_told, c.message_count, q.content, q.created_at, q.id,
        a.name, a.persona, a.instructions, a.model, a.fallbacks, a.unsupported, a.updated_at,
        extract(epoch FROM now() - t.accepted_at)::float8
    INTO state, conversation_id, agent_id, attempt, is_stop_asked, options, epoch,
        status, is_told, message_count, question, asked_at, question_id,
        name, persona, instructions, model, fallbacks, unsupported, agent_updated_at, waited_s;
    IF NOT FOUND THEN
        SELECT t.state INTO state FROM turn t WHERE t.id = wanted;
    ELSIF message_count > 1 THEN
        SELECT array_agg(said.author ORDER BY said.created_at, said.id),
            array_agg(said.content ORDER BY said.created_at, said.id)
        INTO authors, contents
        FROM (
            SELECT m.author, m.content, m.created_at, m.id FROM message m
            WHERE m.conversation_id = lease_turn.conversation_id AND m.created_at <= asked_at AND m.id <> question_id
                AND m.content <> ''
            ORDER BY m.created_at DESC, m.id DESC LIMIT history_limit) said;
    END IF;
    RETURN NEXT;
END"""

EXTEND = """
BEGIN
    UPDATE turn t SET lease_until = now() + make_interval(secs => lease_s)
    WHERE t.id = wanted AND t.attempt = its_attempt AND t.state = 'running'
    RETURNING t.is_stop_asked INTO is_stop_asked;
    IF FOUND THEN
        RETURN NEXT;
    END IF;
END"""

COMPLETE = f"""
BEGIN
    UPDATE turn t SET state = 'completed', lease_until = NULL, ended_at = now(), finish_reason = its_finish_reason,
        categories = its_categories, model = its_model, prompt_tokens = its_prompt_tokens,
        completion_tokens = its_completion_tokens, is_usage_estimated = is_estimated, confidence = its_confidence
    WHERE t.id = wanted AND t.attempt = its_attempt AND t.state NOT IN ('completed', 'failed')
        AND (its_epoch IS NULL OR its_epoch = (
            SELECT c.epoch FROM conversation c WHERE (c.tenant_id, c.id) = (t.tenant_id, t.conversation_id)))
    RETURNING t.conversation_id, t.agent_id, t.customer_message_id, t.ended_at
    INTO conversation_id, agent_id, customer_message_id, ended_at;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO message (tenant_id, id, conversation_id, author, content, sources, created_at)
    VALUES (tenant, wanted, complete_turn.conversation_id, 'machine', its_content, its_sources::jsonb, now());
    UPDATE conversation c SET message_count = c.message_count + 1, updated_at = now()
    WHERE c.id = complete_turn.conversation_id;
    IF its_trace IS NOT NULL THEN
        INSERT INTO trace (tenant_id, id, conversation_id, body)
        VALUES (tenant, wanted, complete_turn.conversation_id, its_trace::jsonb) ON CONFLICT DO NOTHING;
    END IF;
    IF gap_reason IS NOT NULL THEN
        INSERT INTO gap_question (tenant_id, id, conversation_id, question, reason)
        VALUES (tenant, wanted, complete_turn.conversation_id, gap_question, gap_reason) ON CONFLICT DO NOTHING;
    END IF;
    UPDATE turn SET state = 'accepted', enqueued_at = now()
    WHERE id = (
        SELECT id FROM turn WHERE state = 'queued' ORDER BY accepted_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id INTO next_id;
    kept := ARRAY[
        said_bodies[1],
        CASE WHEN next_id IS NOT NULL THEN {row_security.filled_in("said_bodies[2]", "message_id", "next_id")} END];
    {row_security.KEEP_SAID}
    RETURN NEXT;
END"""  # noqa: S608 - put together from constants

FUNCTIONS = (
    *row_security.function(
        SERVICE,
        "accept_turn",
        """new_client_message uuid, new_conversation uuid, is_new boolean, new_turn uuid, new_question uuid,
            new_agent uuid, new_content text, new_options text, new_customer text, running_limit integer,
            queued_limit integer, """
        + row_security.SAID,
        """is_duplicate boolean, message_id uuid, conversation_id uuid, customer_message_id uuid, agent_id uuid,
            is_resolved boolean, state text, running bigint, queued bigint, kept bytea[]""",
        ACCEPT,
    ),
    *row_security.function(
        SERVICE,
        "lease_turn",
        "wanted uuid, lease_s float8, history_limit integer",
        """state text, conversation_id uuid, agent_id uuid, attempt integer, is_stop_asked boolean, options text,
            epoch integer, status text, is_told boolean, question text, name text,
            persona text, instructions text, model text, fallbacks text[],
            unsupported text, agent_updated_at timestamptz, waited_s float8, authors text[], contents text[]""",
        LEASE,
    ),
    *row_security.function(
        SERVICE,
        "extend_lease",
        "wanted uuid, its_attempt integer, lease_s float8",
        "is_stop_asked boolean",
        EXTEND,
    ),
    *row_security.function(
        SERVICE,
        "complete_turn",
        """wanted uuid, its_attempt integer, its_epoch integer, its_finish_reason text, its_categories text[],
            its_model text, its_prompt_tokens integer, its_completion_tokens integer, is_estimated boolean,
            its_confidence float8, its_content text, its_sources text, its_trace text, gap_question text,
            gap_reason text, """
        + row_security.SAID,
        """conversation_id uuid, agent_id uuid, customer_message_id uuid, ended_at timestamptz, next_id uuid,
            kept bytea[]""",
        COMPLETE,
    ),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in FUNCTIONS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in ("accept_turn", "lease_turn", "extend_lease", "complete_turn"):
        op.execute(f"DROP FUNCTION {name}")
