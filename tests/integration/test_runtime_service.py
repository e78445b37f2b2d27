"""The life of a service: ready when it can work, not ready when it cannot, and an end in order. Shown by learning."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from contracts import subjects
from contracts.auth import BUSINESS_REGISTERED, BusinessRegistered
from contracts.ids import TenantId, uuid7
from contracts.learning import GET_STATS, GetStats
from runtime.bus import Bus
from runtime.tenancy import TenantScope
from tests.support.children import bound
from tests.support.platform import Platform, eventually
from tests.support.ports import free_ports
from tests.support.probe import connection, frozen

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


@dataclass
class Process:
    """One service, started beside the platform."""

    child: "asyncio.subprocess.Process"
    port: int
    session: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, str]:
        try:
            async with self.session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            return 0, ""

    async def is_ready(self) -> bool:
        return (await self.get("/health/ready"))[0] == 200

    async def is_refusing(self) -> bool:
        return (await self.get("/health/ready"))[0] == 503


async def start(platform: Platform, service: str, session: aiohttp.ClientSession) -> Process:
    port = free_ports(1)
    child = await asyncio.create_subprocess_exec(
        *bound("-m", f"{service}_service"),
        env={**os.environ, **platform.env(service, port)},
        stdout=asyncio.subprocess.PIPE,
    )
    process = Process(child, port, session)
    await eventually(process.is_ready)
    return process


async def logged(process: Process) -> list[dict[str, Any]]:
    """Every line it logged until its end."""
    said, _ = await process.child.communicate()
    return [json.loads(line) for line in said.splitlines()]


@pytest.fixture
async def learning(platform: Platform) -> AsyncIterator[Process]:
    async with aiohttp.ClientSession() as session:
        process = await start(platform, "learning", session)
        try:
            yield process
        finally:
            if process.child.returncode is None:
                process.child.send_signal(signal.SIGTERM)
            await logged(process)


async def stats(platform: Platform, scope: TenantScope) -> int:
    """How often the fact of the test was counted: rows of learning's figures for the tenant."""
    async with connection(platform.postgres_url("lumora")) as admin:
        return int(await admin.fetchval("SELECT count(*) FROM learning.inbox WHERE tenant_id = $1", scope.tenant_id))


async def test_ready_metrics_and_an_orderly_end(learning: Process) -> None:
    assert json.loads((await learning.get("/health/live"))[1]) == {"alive": True}
    status, body = await learning.get("/health")
    assert status == 200
    dependencies = json.loads(body)["dependencies"]
    assert {name: found["ok"] for name, found in dependencies.items()} == {"nats": True, "postgres": True}
    assert "runtime_deliveries_total" in (await learning.get("/metrics"))[1]
    learning.child.send_signal(signal.SIGTERM)
    await eventually(learning.is_refusing)
    assert (await learning.get("/health/live"))[0] == 200
    lines = await logged(learning)
    assert learning.child.returncode == 0
    assert [line["event"] for line in lines] == ["service.ready", "service.draining", "service.stopped"]
    assert {line["service"] for line in lines} == {"learning"}


async def test_a_fact_that_comes_twice_counts_once(platform: Platform, learning: Process) -> None:
    assert learning.child.returncode is None
    scope = TenantScope(TenantId(uuid7()), "user:1")
    event_id = str(uuid7())
    auth = Bus("auth", platform.nats_url, platform.seed("auth"))
    gateway = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    for bus in (auth, gateway):
        await bus.connect()
    subject = subjects.fact(BUSINESS_REGISTERED, scope.tenant_id, scope.tenant_id)
    body = BusinessRegistered(tenant_id=scope.tenant_id).dump()
    for message_id in ("a", "b"):
        headers = {"Event-Id": event_id, "Nats-Msg-Id": f"{event_id}:{message_id}"}
        await auth.publish(subject, body, stream="EVENTS", headers=headers)
    await eventually(lambda: stats(platform, scope))
    assert (await gateway.request(GET_STATS, GetStats(), scope)).conversations == 0
    for bus in (auth, gateway):
        await bus.stop()
    assert await stats(platform, scope) == 1


@pytest.mark.parametrize("part", ["nats", "postgres"])
async def test_not_ready_while_a_part_hangs_and_alive_all_the_time(
    platform: Platform, learning: Process, part: str
) -> None:
    with frozen(platform, part):
        await eventually(learning.is_refusing)
        dependencies = json.loads((await learning.get("/health/ready"))[1])["dependencies"]
        assert not dependencies[part]["ok"]
        assert (await learning.get("/health/live"))[0] == 200
    await eventually(learning.is_ready)


async def test_a_service_comes_back_by_itself_after_its_servers_were_killed(
    platform: Platform, learning: Process
) -> None:
    for part in ("nats", "postgres"):
        server = platform.processes(part)[0]
        server.kill()
        server.wait(10)
    await eventually(learning.is_refusing)
    await eventually(learning.is_ready, timeout_s=60)
    assert learning.child.returncode is None


async def test_a_second_signal_ends_it_at_once(learning: Process) -> None:
    learning.child.send_signal(signal.SIGTERM)
    await eventually(learning.is_refusing)
    learning.child.send_signal(signal.SIGTERM)
    assert await learning.child.wait() == 1
