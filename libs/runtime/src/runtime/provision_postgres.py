"""Makes a service's Postgres roles and schema (as administrator, once) and brings its tables up to date (as owner).

Roles of a service: `<s>_owner` migrates, `<s>_app` serves, `<s>_relay` looks after outbox and work rows, `<s>_lookup`
(NOLOGIN) owns the SECURITY DEFINER functions that find something before the tenant is known. None is superuser or
BYPASSRLS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

LOGIN_ROLES = ("owner", "app", "relay")
VERSION_TABLE = "alembic_version"


@dataclass(frozen=True)
class Schema:
    """A service's schema and where its migrations are."""

    service: str
    migrations: Path


async def make_roles(admin_url: str, service: str, passwords: Mapping[str, str]) -> None:
    """Idempotent. `passwords` by role name (`auth_app`): an existing role gets the given one."""
    connection = await asyncpg.connect(admin_url)
    try:
        for kind in LOGIN_ROLES:
            await _make_role(connection, f"{service}_{kind}", passwords[f"{service}_{kind}"])
        await _make_role(connection, f"{service}_lookup", None)
        await connection.execute(f"GRANT {service}_lookup TO {service}_owner")
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {service}_owner")
        await connection.execute(f"GRANT USAGE ON SCHEMA {service} TO {service}_app, {service}_relay, {service}_lookup")
        await connection.execute(f"GRANT CREATE ON SCHEMA {service} TO {service}_lookup")
        for kind in LOGIN_ROLES:
            await connection.execute(f"ALTER ROLE {service}_{kind} SET search_path = {service}")
        await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    finally:
        await connection.close()


async def _make_role(connection: "asyncpg.Connection", name: str, password: str | None) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
        await connection.execute(f"CREATE ROLE {name} NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
    if password is None:
        return
    quoted = await connection.fetchval("SELECT quote_literal($1)", password)
    await connection.execute(f"ALTER ROLE {name} LOGIN PASSWORD {quoted}")


async def is_current(owner_url: str, schema: Schema) -> bool:
    """Is the newest migration applied? Asks the database alone, so that a start with nothing to do imports nothing."""
    newest = max(path.stem for path in (schema.migrations / "versions").glob("[0-9]*.py"))
    connection = await asyncpg.connect(owner_url)
    try:
        found = await connection.fetchval("SELECT to_regclass($1)", f"{schema.service}.{VERSION_TABLE}")
        if found is None:
            return False
        version: str | None = await connection.fetchval(f"SELECT version_num FROM {schema.service}.{VERSION_TABLE}")  # noqa: S608 - our own name
        return version == newest
    finally:
        await connection.close()


def migrate(owner_url: str, schema: Schema) -> None:
    """Apply what is missing. Revision ids are the file names: `0001_first_tables`."""
    from alembic import command  # noqa: PLC0415 - heavy, needed only when something changed
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(schema.migrations))
    config.attributes["url"] = owner_url
    config.attributes["schema"] = schema.service
    command.upgrade(config, "head")
