"""Counting the facts of a batch is one function: a whole transaction in one round trip (ADR 0023)."""

from alembic import op

from runtime import row_security

revision = "0003_count_facts"
down_revision = "0002_outbox_refusals"

SERVICE = "learning"

# Both in one order, so that two transactions never wait for each other's rows crosswise.
COUNT = """
BEGIN
    RETURN QUERY
    WITH first AS (
        INSERT INTO inbox (tenant_id, consumer, event_id)
        SELECT tenant, heard_by, heard FROM (SELECT DISTINCT unnest(all_heard) AS heard) AS h ORDER BY heard
        ON CONFLICT DO NOTHING RETURNING event_id),
    raised AS (
        INSERT INTO daily_figure (tenant_id, day, name, amount)
        SELECT tenant, on_day, counter, sum(raised_by)
        FROM unnest(of_events, counters, amounts) AS one (of_event, counter, raised_by)
        JOIN first ON first.event_id = of_event
        GROUP BY counter ORDER BY counter
        ON CONFLICT (tenant_id, day, name) DO UPDATE SET amount = daily_figure.amount + excluded.amount)
    SELECT count(*) FROM first;
END"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in row_security.function(
        SERVICE,
        "count_facts",
        "on_day date, heard_by text, all_heard uuid[], of_events uuid[], counters text[], amounts bigint[]",
        "counted bigint",
        COUNT,
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION count_facts")
