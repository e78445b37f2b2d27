"""NATS and Postgres of a running platform, with the stored secrets: streams, consumers, migrations."""

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from contracts import streams
from lumora import plan
from lumora.data_folder import DataFolder
from lumora.doctor.finding import Finding, broken, ok
from lumora.embedded.postgres import SUPERUSER
from lumora.ports import LOOPBACK
from lumora.prepare import migrations_of
from runtime import nats_permissions
from runtime.provision_postgres import Schema, is_current

_ANSWER_WITHIN_S = 10.0
_RESTART = "restart the platform (`lumora down`, `lumora up`)"


async def servers(data: DataFolder) -> AsyncIterator[Finding]:
    """Both servers, from what the data folder holds."""
    try:
        ports = json.loads(data.ports.read_text(encoding="utf-8"))
        kept = json.loads(data.secrets.read_text(encoding="utf-8"))
        nats_port, seed = int(ports["nats"]), kept["nkeys"]["provisioner"]["seed"]
        postgres_port, password = int(ports["postgres"]), kept["passwords"][SUPERUSER]
    except (OSError, ValueError, KeyError, TypeError):
        yield broken("servers' keys", f"ports.json or secrets.json in {data.path} cannot be read: put copies back.")
        return
    async for finding in broker(nats_port, seed):
        yield finding
    async for finding in database(f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{postgres_port}/{plan.DATABASE}"):
        yield finding


async def broker(port: int, seed: str) -> AsyncIterator[Finding]:
    """Sign in to NATS with the provisioner's seed, and look for what is declared."""
    connection = Client()
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            await connection.connect(
                f"nats://{LOOPBACK}:{port}",
                nkeys_seed_str=seed,
                inbox_prefix=nats_permissions.inbox_prefix("provisioner").encode(),
                allow_reconnect=False,
                connect_timeout=3,
                error_cb=_quiet,
            )
        yield ok("nats", f"port {port}")
        yield await declared(connection.jetstream(timeout=3))
    except (OSError, TimeoutError, ValueError, nats.errors.Error) as error:
        # nkeys raises ValueErrors of its own for a damaged seed.
        yield broken("nats", f"NATS does not let us in on port {port} ({type(error).__name__}): {_RESTART}.")
    finally:
        await connection.close()


async def _quiet(_error: Exception) -> None:
    """The finding says it; the client would log it too."""


async def declared(jetstream: JetStreamContext) -> Finding:
    """Every stream and consumer of the contracts."""
    missing = []
    try:
        for stream in streams.streams():
            try:
                await jetstream.stream_info(stream.name)
            except NotFoundError:
                missing.append(stream.name)
        for consumer in streams.consumers():
            try:
                await jetstream.consumer_info(consumer.stream, consumer.name)
            except NotFoundError:
                missing.append(f"{consumer.stream}/{consumer.name}")
    except (nats.errors.Error, APIError, TimeoutError) as error:
        return broken("streams", f"JetStream does not answer ({type(error).__name__}): {_RESTART}.")
    if missing:
        told = f"Missing: {', '.join(missing)}; the operator makes them within seconds, so if it does not, {_RESTART}."
        return broken("streams", told)
    return ok("streams", f"{len(streams.streams())} streams and {len(streams.consumers())} consumers")


async def database(url: str) -> AsyncIterator[Finding]:
    """Sign in to Postgres as its administrator, and compare each schema with its migrations."""
    try:
        connection = await asyncpg.connect(url, timeout=_ANSWER_WITHIN_S)
        await connection.close()
    except asyncpg.InvalidPasswordError:
        yield broken("postgres login", "Postgres refuses the stored password: put a copy of its secrets.json back.")
        return
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        yield broken("postgres login", f"Postgres does not let us in ({type(error).__name__}): {_RESTART}.")
        return
    yield ok("postgres login", "the stored password is accepted")
    behind = []
    for service in plan.WITH_DATABASE:
        migrations = migrations_of(service)
        if migrations is not None and not await is_current(url, Schema(service, migrations)):
            behind.append(service)
    if behind:
        yield broken("migrations", f"Not applied in {', '.join(behind)}: {_RESTART}, which applies them.")
    else:
        yield ok("migrations", "current")
