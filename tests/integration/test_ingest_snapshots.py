"""`lumora snapshot`: a copy of the index that is older than Postgres, put back after the platform went on."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contracts import ingest
from contracts.ids import DocumentId
from runtime.bus import Bus
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from tests.support.ingest_process import HANGS, Ingest, asking, find, new_person, send, until, until_gone
from tests.support.platform import Platform, eventually
from tests.support.simulated_qdrant import SimulatedQdrant

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

RETURNS = b"# Returns\n\nYou may return an unused item within 30 days of delivery, with its bill."
NEWER = b"# Returns\n\nYou may return an unused item within 90 days of delivery, without any bill."
TENTS = b"# Tents\n\nThe Ridge tent weighs 1.9 kg and sleeps two."
STOVES = b"# Stoves\n\nThe Ember stove boils a litre of water in three minutes."
LAMPS = b"# Lamps\n\nThe Glow lamp shines for forty hours."


@dataclass
class House:
    """ingest as a process, which is stopped where its index must be free for a copy."""

    service: Ingest
    must_stop: bool

    async def start(self) -> None:
        self.service.start()
        await eventually(self.service.is_ready, timeout_s=60)

    def stop(self) -> None:
        assert self.service.end(signal.SIGTERM) == 0

    def is_private(self) -> bool:
        """Nobody else may read its copies."""
        kept = Path(self.service.environment["INGEST_SNAPSHOT_PATH"])
        return all(path.stat().st_mode & 0o077 == 0 for path in (kept, *kept.iterdir()))

    async def snapshot(self, *arguments: str, code: int = 0) -> Any:
        """What an operator types."""
        command = (sys.executable, "-m", "lumora", "snapshot", *arguments, "--json")
        child = await asyncio.create_subprocess_exec(
            *command, env=self.service.environment, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await child.communicate()
        assert child.returncode == code, told
        return json.loads(told)


@pytest.fixture(params=["in process", "on a server"])
async def house(request: pytest.FixtureRequest, platform: Platform, tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        if request.param == "in process":
            paths = {"INGEST_INDEX_PATH": str(tmp_path / "index"), "INGEST_SNAPSHOT_PATH": str(tmp_path / "snapshots")}
        else:
            server = await stack.enter_async_context(SimulatedQdrant(api_key="the key"))
            paths = {"INGEST_QDRANT_URL": server.url, "INGEST_QDRANT_API_KEY": "the key", **HANGS}
        service = Ingest(platform, **paths)
        stack.callback(service.kill)
        yield House(service, must_stop=request.param == "in process")


@pytest.fixture
async def bus(platform: Platform) -> AsyncIterator[Bus]:
    async with asking(platform) as bus:
        yield bus


async def test_an_older_copy_is_brought_up_to_what_was_added_changed_and_deleted_since(house: House, bus: Bus) -> None:
    scope = new_person()
    await house.start()
    changed, kept, gone = [await send(bus, house.service, scope, data) for data in (RETURNS, TENTS, STOVES)]
    for document in (changed, kept, gone):
        await until(bus, scope, document.id, "ready")
    if house.must_stop:
        assert (await house.snapshot("create", code=1))["error"]["detail"].startswith("Ingest has the index open")
        house.stop()
    made = await house.snapshot("create")
    assert [one["name"] for one in (await house.snapshot("list"))["items"]] == [made["name"]]
    if house.must_stop:
        assert house.is_private()
        await house.start()

    version = await send(bus, house.service, scope, NEWER, replaces=changed.id)
    assert version.id == changed.id
    added = await send(bus, house.service, scope, LAMPS)
    await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=gone.id), scope)
    await until_gone(bus, scope, gone.id)
    await until(bus, scope, added.id, "ready")
    await eventually(lambda: _says(bus, scope, "How many days to return an item?", changed.id, "90 days"), timeout_s=60)

    assert (await house.snapshot("restore", "nothing", code=1))["error"]["code"] == "no_snapshots"
    restored = await house.snapshot("restore", made["name"])
    assert restored["restored"] == made["name"]
    assert "ingest" in restored["next"]
    house.stop()
    await house.start()
    await eventually(lambda: _says(bus, scope, "How many days to return an item?", changed.id, "90 days"), timeout_s=60)
    await eventually(lambda: _says(bus, scope, "Which lamp shines longest?", added.id, "Glow"), timeout_s=60)
    await eventually(lambda: _says(bus, scope, "Which tent sleeps two?", kept.id, "Ridge"), timeout_s=60)
    found = {hit.document_id for hit in await find(bus, scope, "return item tent stove lamp litre")}
    assert found == {changed.id, kept.id, added.id}
    house.stop()


async def _says(bus: Bus, scope: TenantScope, question: str, document_id: DocumentId, words: str) -> bool:
    try:
        found = await find(bus, scope, question)
    except Unavailable:
        return False
    return bool(found) and found[0].document_id == document_id and words in found[0].text


async def test_the_platform_of_a_data_folder_is_found(platform: Platform, tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("INGEST_", "LUMORA_"))}
    for data, code, words in (
        (Path(platform.settings.data), 0, "snapshots."),
        (tmp_path, 1, "No platform has been started"),
    ):
        command = (sys.executable, "-m", "lumora", "snapshot", "list", "--data", str(data))
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(*command, env=bare, stdout=pipe, stderr=pipe)
        told, failed = await child.communicate()
        assert child.returncode == code
        assert words in (told + failed).decode()


async def _said(*command: str, env: dict[str, str]) -> tuple[list[str], list[str]]:
    """Lines on stdout and on stderr."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", *command, env=env, stdout=pipe, stderr=pipe)
    told, logged = await child.communicate()
    assert child.returncode == 1
    return told.decode().splitlines(), logged.decode().splitlines()


async def test_what_the_command_logs_is_not_in_its_answer(platform: Platform) -> None:
    async with SimulatedQdrant() as server:
        env = Ingest(platform, INGEST_QDRANT_URL=server.url).environment
        server.faults.extend([500, 500])
        (answer,), logged = await _said("ingest_service", "snapshot", "list", env=env)
        assert json.loads(answer)["error"]["code"] == "unavailable"
        assert [json.loads(line)["event"] for line in logged] == ["index.refused"]
        (answer,), logged = await _said("lumora", "snapshot", "list", "--json", env=env)
        assert json.loads(answer)["error"]["code"] == "no_snapshots"
        assert [json.loads(line)["event"] for line in logged] == ["index.refused"]
