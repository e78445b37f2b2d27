"""What a policy does with personal data and secrets; versions kept before say what was so for them by default."""

from alembic import op

revision = "0002_personal_data_actions"
down_revision = "0001_policies_and_decisions"

COLUMNS = {"iban_action": "off", "email_action": "off", "phone_action": "off", "secrets_action": "redact"}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    # The defaults stay: a replica of the version before writes rows without these columns.
    for column, default in COLUMNS.items():
        op.execute(f"ALTER TABLE policy_version ADD COLUMN {column} text NOT NULL DEFAULT '{default}'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE policy_version DROP COLUMN {column}")
