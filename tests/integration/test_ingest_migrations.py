"""ingest's migrations on rows that were there before them, in a database of their own."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from contracts.ids import uuid7
from runtime.provision_postgres import LOGIN_ROLES, make_roles
from tests.conventions.source import ROOT
from tests.support.platform import Platform
from tests.support.probe import connection

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

MIGRATIONS = ROOT / "services" / "ingest" / "migrations"
NAME = "lumora_before"
DOCUMENT = """
    INSERT INTO ingest.document (tenant_id, id, title, filename, media_type, size_bytes, sha256, state)
    VALUES ($1, $2, 'page', 'page', 'text/html', 1, $3, 'ready')
"""
PAGE = "INSERT INTO ingest.web_page (tenant_id, document_id, site_id, depth) VALUES ($1, $2, $3, 0)"


class Installation:
    """A database with the schema `ingest` alone."""

    def __init__(self, admin: "asyncpg.Connection", owner_url: str, migrations: Path) -> None:
        self.admin = admin
        self._config = Config()
        self._config.set_main_option("script_location", str(migrations))
        self._config.attributes |= {"url": owner_url, "schema": "ingest"}

    async def upgrade(self, revision: str) -> None:
        await asyncio.to_thread(command.upgrade, self._config, revision)

    async def downgrade(self, revision: str) -> None:
        await asyncio.to_thread(command.downgrade, self._config, revision)


@pytest.fixture
async def installation(platform: Platform, tmp_path: Path) -> AsyncIterator[Installation]:
    shutil.copytree(MIGRATIONS, tmp_path, dirs_exist_ok=True)
    passwords = {f"ingest_{kind}": _password(platform.postgres_url(f"ingest_{kind}")) for kind in LOGIN_ROLES}
    async with connection(platform.postgres_url("lumora")) as admin:
        await admin.execute(f"DROP DATABASE IF EXISTS {NAME}")
        await admin.execute(f"CREATE DATABASE {NAME}")
        await make_roles(_here(platform, "lumora"), "ingest", passwords)
        async with connection(_here(platform, "lumora")) as there:
            yield Installation(there, _here(platform, "ingest_owner"), tmp_path)
        await admin.execute(f"DROP DATABASE {NAME}")


def _password(url: str) -> str:
    found = urlsplit(url).password
    assert found is not None
    return found


def _here(platform: Platform, role: str) -> str:
    return urlsplit(platform.postgres_url(role))._replace(path=f"/{NAME}").geturl()


async def test_pages_say_what_they_came_of(installation: Installation) -> None:
    await installation.upgrade("0012_above_and_pages")
    admin, tenant, (site, page, later) = installation.admin, uuid7(), (uuid7(), uuid7(), uuid7())
    for document, origin in ((site, site), (page, site)):
        await admin.execute(DOCUMENT, tenant, document, str(document))
        await admin.execute(PAGE, tenant, document, origin)
    await installation.upgrade("head")
    assert await admin.fetchval("SELECT came_of FROM ingest.document WHERE id = $1", page) == site
    assert await admin.fetchval("SELECT came_of FROM ingest.document WHERE id = $1", site) is None
    forced = "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE oid = ANY($1::regclass[])"
    assert await admin.fetchval(forced, ["ingest.document", "ingest.web_page"])
    await admin.execute(DOCUMENT, tenant, later, str(later))
    await admin.execute("UPDATE ingest.document SET came_of = $2 WHERE id = $1", later, site)
    await admin.execute(PAGE, tenant, later, None)
    await installation.downgrade("0012_above_and_pages")
    rows = await admin.fetch("SELECT document_id, site_id FROM ingest.web_page")
    assert dict(rows) == {site: site, page: site, later: site}


async def test_what_is_found_says_its_file_and_what_failed_is_no_plain_text(installation: Installation) -> None:
    await installation.upgrade("0014_document_came_of")
    admin, tenant, (found, older, failed) = installation.admin, uuid7(), (uuid7(), uuid7(), uuid7())
    for document in (found, older, failed):
        await admin.execute(DOCUMENT, tenant, document, str(document))
    await admin.execute("UPDATE ingest.document SET error_code = 'unreadable_document' WHERE id = $1", older)
    await admin.execute("UPDATE ingest.document SET state = 'failed', media_type = 'text/plain' WHERE id = $1", failed)
    await installation.upgrade("0015_found_file")
    rows = await admin.fetch("SELECT id, found_filename, found_size_bytes, media_type FROM ingest.document")
    assert {tuple(row) for row in rows} == {
        (found, "page", 1, "text/html"),
        (older, None, None, "text/html"),
        (failed, None, None, "application/octet-stream"),
    }
    assert await admin.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'ingest.document'::regclass")
    await installation.downgrade("0014_document_came_of")
