"""What every attempt at a document does, as functions: say how far it is, and give the lease back (ADR 0043).

Whoever changes one makes it anew in a later migration, under a new name if parameters or columns change: replicas of
the version before still call this one.
"""

from alembic import op

from runtime import row_security

revision = "0018_attempt_functions"
down_revision = "0017_failed_content"

SERVICE = "ingest"

ADVANCE = f"""
BEGIN
    UPDATE document SET state = its_state, progress = its_progress, expected_at = its_expected_at,
        lease_until = now() + make_interval(secs => lease_s), updated_at = now(),
        error_code = NULL, error_detail = NULL, error_page = NULL, try_again_at = NULL
    WHERE tenant_id = tenant AND id = wanted AND generation = its_generation AND attempt = its_attempt
        AND state NOT IN ('ready', 'failed');
    IF NOT FOUND THEN
        RETURN;
    END IF;
    kept := said_bodies;
    {row_security.KEEP_SAID_ONCE}
    RETURN NEXT;
END"""  # noqa: S608 - put together from constants

RELEASE = """
BEGIN
    UPDATE document SET lease_until = NULL, updated_at = now()
    WHERE tenant_id = tenant AND id = wanted AND generation = its_generation
        AND (attempt = its_attempt OR (attempt = its_attempt + 1 AND state = 'deleting'));
    is_released := FOUND;
    RETURN NEXT;
END"""

FUNCTIONS = (
    *row_security.function(
        SERVICE,
        "advance_document",
        """wanted uuid, its_generation integer, its_attempt integer, its_state text, its_progress float8,
            its_expected_at timestamptz, lease_s float8, """
        + row_security.SAID,
        "kept bytea[]",
        ADVANCE,
    ),
    *row_security.function(
        SERVICE,
        "release_document",
        "wanted uuid, its_generation integer, its_attempt integer",
        "is_released boolean",
        RELEASE,
    ),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in FUNCTIONS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in ("advance_document", "release_document"):
        op.execute(f"DROP FUNCTION {name}")
