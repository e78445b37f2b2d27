"""Who has a conversation and why, who wrote a message, and notes among people."""

from alembic import op

from runtime import row_security

revision = "0005_hand_off"
down_revision = "0004_unsupported"

SERVICE = "inference"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (
        # The version that still runs names its columns: its conversations stay with the machine.
        """ALTER TABLE conversation ADD COLUMN reason text NOT NULL DEFAULT '', ADD COLUMN assignee uuid,
            ADD COLUMN is_told boolean NOT NULL DEFAULT false""",
        "ALTER TABLE message ADD COLUMN person uuid",
        # A table of their own: what reads messages, for a customer or for a prompt, cannot meet a note.
        """CREATE TABLE note (
            tenant_id uuid NOT NULL, id uuid NOT NULL, conversation_id uuid NOT NULL, person uuid NOT NULL,
            content text NOT NULL, created_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation (tenant_id, id))""",
        "CREATE INDEX note_order ON note (tenant_id, conversation_id, created_at, id)",
        *row_security.protect(SERVICE, "note", app="SELECT, INSERT, DELETE"),
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TABLE note")
    op.execute("ALTER TABLE message DROP COLUMN person")
    op.execute("ALTER TABLE conversation DROP COLUMN reason, DROP COLUMN assignee, DROP COLUMN is_told")
