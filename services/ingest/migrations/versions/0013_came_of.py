"""What a document came of: the archive that it was in, and where there, or the page that led to it.

Pages said it in `web_page.site_id`, which processes of the version before still read and write: it stays until a later
migration, and nothing is written there any more.
"""

from alembic import op

revision = "0013_came_of"
down_revision = "0012_above_and_pages"

AS_OWNER = (
    # FORCE binds the owner, who runs this, too.
    "ALTER TABLE document NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE web_page NO FORCE ROW LEVEL SECURITY",
)
AS_EVERYBODY = (
    "ALTER TABLE web_page FORCE ROW LEVEL SECURITY",
    "ALTER TABLE document FORCE ROW LEVEL SECURITY",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (
        "ALTER TABLE document ADD COLUMN came_of uuid, ADD COLUMN path text",
        "ALTER TABLE web_page ALTER COLUMN site_id DROP NOT NULL",
        *AS_OWNER,
        """UPDATE document AS d SET came_of = w.site_id FROM web_page AS w
            WHERE w.tenant_id = d.tenant_id AND w.document_id = d.id AND w.site_id <> w.document_id""",
        *AS_EVERYBODY,
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (
        *AS_OWNER,
        """UPDATE web_page AS w SET site_id = coalesce(d.came_of, d.id) FROM document AS d
            WHERE d.tenant_id = w.tenant_id AND d.id = w.document_id""",
        *AS_EVERYBODY,
        "ALTER TABLE web_page ALTER COLUMN site_id SET NOT NULL",
        "ALTER TABLE document DROP COLUMN came_of, DROP COLUMN path",
    ):
        op.execute(statement)
