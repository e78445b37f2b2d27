"""One-shot at each start: writes nats.conf, then provisions NATS and Postgres. Run as `python -m lumora.prepare`.

It is a process of its own because the contracts, SQLAlchemy and the migrations it needs would stay in the
supervisor's memory for as long as the platform runs. nats.conf comes first: the supervisor starts NATS as soon as
`nats.configured` is logged, while this process waits for the servers.
"""

import asyncio
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import asyncpg
from nats import connect

from lumora import plan
from lumora.data_folder import DataFolder
from lumora.embedded import nats
from lumora.embedded.postgres import SUPERUSER
from lumora.embedded.secrets import Secrets, load_or_make
from lumora.ports import LOOPBACK
from runtime import logs, nats_permissions
from runtime.provision import Provisioner
from runtime.provision_postgres import Schema, is_current, make_roles, migrate

_SERVER_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.05
_TENANT_RUNNING = 8

_log = logs.get_logger()


def write_nats_configuration(folder: DataFolder, port: int) -> Secrets:
    """Store nats.conf with a user and its permissions for each service; returns the secrets."""
    users = nats_permissions.users()
    secrets = load_or_make(folder.secrets, users={*plan.nats_users(), *users}, roles=plan.postgres_roles())
    text = nats.configuration(port=port, store=folder.nats / "jetstream", secrets=secrets, users=users)
    nats.write_configuration(folder.nats, text)
    return secrets


class PostgresPreparation:
    """The services' roles, schemas and tables in the embedded Postgres."""

    def __init__(self, address: str, passwords: Mapping[str, str]) -> None:
        self._address = address
        self._passwords = passwords

    def _url(self, role: str, database: str = plan.DATABASE) -> str:
        return f"postgresql://{role}:{self._passwords[role]}@{self._address}/{database}"

    async def make_database(self) -> None:
        """Make the database when there is none, as soon as the server lets us in.

        Raises:
            TimeoutError: it does not.
        """
        async with asyncio.timeout(_SERVER_WITHIN_S):
            connection = await self._connect_patiently()
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", plan.DATABASE):
                await connection.execute(f"CREATE DATABASE {plan.DATABASE}")
        finally:
            await connection.close()

    async def _connect_patiently(self) -> "asyncpg.Connection":
        while True:
            try:
                return await asyncpg.connect(self._url(SUPERUSER, "postgres"))
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(_LOOK_EVERY_S)

    async def bring_up_to_date(self, service: str, migrations: Path) -> None:
        """Roles and schema once, then the migrations that are missing."""
        schema, superuser_url = Schema(service, migrations), self._url(SUPERUSER)
        if await is_current(superuser_url, schema):
            return
        await make_roles(superuser_url, service, self._passwords)
        # Alembic runs a loop of its own.
        await asyncio.to_thread(migrate, self._url(f"{service}_owner"), schema)
        _log.info("schema.migrated", schema=service)


def migrations_of(service: str) -> Path | None:
    """The service's migrations, found from its package; None when it has none."""
    spec = importlib.util.find_spec(plan.MODULES[service])
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parents[2] / "migrations"
    return folder if (folder / "env.py").is_file() else None


async def make_streams(port: int, seed: str) -> None:
    """Streams and consumers, so that every service finds what it listens on; the operator looks after them later.

    Raises:
        TimeoutError: NATS does not come up.
    """
    inbox = nats_permissions.inbox_prefix("provisioner")
    async with asyncio.timeout(_SERVER_WITHIN_S):
        while not await nats.is_up(port):  # noqa: ASYNC110 - another process comes up, nothing here can wait on it
            await asyncio.sleep(_LOOK_EVERY_S)
        connection = await connect(f"nats://{LOOPBACK}:{port}", nkeys_seed_str=seed, inbox_prefix=inbox.encode())
        try:
            running = int(os.environ.get("LUMORA_TENANT_RUNNING") or _TENANT_RUNNING)
            await Provisioner(connection, running_per_tenant=running).provision()
        finally:
            await connection.close()


async def prepare() -> None:
    """NATS's configuration first, then Postgres, then what is kept in NATS."""
    folder = DataFolder(Path(os.environ["LUMORA_DATA"]))
    nats_port = int(os.environ["LUMORA_NATS_PORT"])
    secrets = write_nats_configuration(folder, nats_port)
    _log.info("nats.configured")
    postgres = PostgresPreparation(f"{LOOPBACK}:{os.environ['LUMORA_POSTGRES_PORT']}", secrets.passwords)
    await postgres.make_database()
    for service in plan.WITH_DATABASE:
        migrations = migrations_of(service)
        if migrations is not None:
            await postgres.bring_up_to_date(service, migrations)
    await make_streams(nats_port, secrets.nkeys["provisioner"].seed)


if __name__ == "__main__":
    logs.configure("provision")
    asyncio.run(prepare())
