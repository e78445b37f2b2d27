"""Find the conversations that people have, or that wait for one. Those that nobody took over are not in it: the way of
a turn pays nothing for it."""

from runtime import migration_index

revision = "0009_conversation_hands"
down_revision = "0008_outbox_refusals"

ON = "conversation (tenant_id, status, updated_at DESC, id DESC) WHERE status <> 'active'"


def upgrade() -> None:
    migration_index.build("conversation_hands", ON)


def downgrade() -> None:
    migration_index.drop("conversation_hands")
