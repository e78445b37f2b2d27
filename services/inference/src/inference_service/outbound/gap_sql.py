"""The statements of knowledge gaps, parameters in the order written below."""

UNSORTED = "SELECT id, question FROM gap_question WHERE gap_id IS NULL ORDER BY asked_at, id LIMIT $1"

STILL_UNSORTED = "SELECT id FROM gap_question WHERE gap_id IS NULL AND id = ANY($1::uuid[])"

GROUPS = "SELECT id, language, question, centre, count FROM gap ORDER BY last_seen DESC LIMIT $1"

# A closed gap that is asked again was not closed by its document; one that a person dismissed stays dismissed.
WRITE = """
    INSERT INTO gap AS g (tenant_id, id, question, language, centre, count, state, first_seen, last_seen)
    VALUES ($1, $2, $3, $4, $5::real[], $6, 'open', now(), now())
    ON CONFLICT (tenant_id, id) DO UPDATE SET centre = excluded.centre, count = excluded.count, last_seen = now(),
        state = CASE g.state WHEN 'resolved' THEN 'open' ELSE g.state END
"""
"""tenant, gap, question, language, centre, count."""

SORT = """
    UPDATE gap_question q SET gap_id = s.gap_id, question = s.question
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS s (id, gap_id, question)
    WHERE q.id = s.id AND q.gap_id IS NULL
"""
"""questions, their gaps, their texts as they are shown."""

LIST = """
    SELECT id, question, language, count, state, document_id, first_seen, last_seen FROM gap
    WHERE ($1::text IS NULL OR state = $1) AND ($2::timestamptz IS NULL OR (last_seen, id) < ($2, $3::uuid))
    ORDER BY last_seen DESC, id DESC LIMIT $4
"""
"""state, last_seen and id of the cursor, limit."""

GET = """
    SELECT id, question, language, count, state, document_id, first_seen, last_seen FROM gap WHERE id = $1
"""

EXAMPLES = """
    SELECT g.id AS gap_id, q.id, q.conversation_id, q.question, q.reason, q.asked_at
    FROM unnest($1::uuid[]) AS g (id) CROSS JOIN LATERAL (
        SELECT * FROM gap_question WHERE gap_id = g.id ORDER BY asked_at DESC LIMIT $2) q
"""
"""gaps, how many of each."""

CLOSE = "UPDATE gap SET state = $2, document_id = $3 WHERE id = $1 RETURNING id"
"""gap, state, document."""

TENANTS_WAITING = "SELECT DISTINCT tenant_id FROM gap_question WHERE gap_id IS NULL LIMIT $1"
"""For the relay role."""
