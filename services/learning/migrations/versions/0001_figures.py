"""Figures by day, and the inbox."""

from alembic import op

from runtime import row_security

revision = "0001_figures"
down_revision = None

SERVICE = "learning"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE daily_figure (
            tenant_id uuid NOT NULL, day date NOT NULL, name text NOT NULL, amount bigint NOT NULL,
            PRIMARY KEY (tenant_id, day, name))"""
    )
    for statement in (
        *row_security.protect(SERVICE, "daily_figure", app="SELECT, INSERT, UPDATE"),
        *row_security.inbox(SERVICE),
        *row_security.outbox(SERVICE),
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in ("outbox", "inbox", "daily_figure"):
        op.execute(f"DROP TABLE {table}")
