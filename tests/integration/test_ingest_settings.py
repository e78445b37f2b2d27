"""How a business's documents are cut: in the database, and through the service while they are found."""

import json
import signal
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import asyncpg
import pytest

from contracts import ingest
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.outbound.postgres_documents import PostgresDocuments
from ingest_service.outbound.relay_recut import AT_ONCE, CUT_OTHERWISE
from ingest_service.outbound.rows import cut_value
from runtime.bus import Bus
from runtime.db import Database
from runtime.errors import Rejected
from runtime.tenancy import TenantScope
from services.ingest.tests.promises_documents import added, made_ready, new_scope
from tests.support.ingest_process import Ingest, asking, find, ingest_rows, look, new_person, running, send, until
from tests.support.platform import Platform, eventually
from tests.support.probe import connection

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

SHORT = CutSettings(64, 0.0)
TENTS = "# Tents\n\n" + " ".join(f"Tent number {n} stands in the wind and keeps the rain out." for n in range(60))


@pytest.fixture(scope="module")
async def ingest_database(platform: Platform) -> AsyncIterator[Database]:
    async with ingest_rows(platform) as database:
        yield database


@pytest.fixture
async def relay(platform: Platform) -> AsyncIterator["asyncpg.Connection"]:
    async with connection(platform.postgres_url("ingest_relay")) as opened:
        yield opened


async def test_the_relay_finds_what_is_cut_otherwise_a_few_of_each_business(
    ingest_database: Database, relay: "asyncpg.Connection"
):
    documents, changing, other = PostgresDocuments(ingest_database), new_scope(), new_scope()
    ready = [(await made_ready(documents, changing, "one"))[0].id for _ in range(AT_ONCE + 2)]
    await made_ready(documents, other, "one")

    async def waiting(scope: TenantScope) -> list[UUID]:
        rows = await relay.fetch(CUT_OTHERWISE, json.dumps(cut_value(DEFAULT)), AT_ONCE)
        return [row["id"] for row in rows if row["tenant_id"] == scope.tenant_id]

    assert await waiting(changing) == []
    for scope in (changing, other):
        await documents.set_cut_settings(scope, SHORT)
    assert sorted(await waiting(changing)) == sorted(ready)[:AT_ONCE]
    assert len(await waiting(other)) == 1
    await added(documents, changing)
    assert len(await waiting(changing)) == AT_ONCE - 1
    await documents.set_cut_settings(changing, DEFAULT)
    assert await waiting(changing) == []


@pytest.fixture(scope="module")
def service(platform: Platform) -> Iterator[Ingest]:
    with running(platform) as service:
        yield service


@pytest.fixture(scope="module")
async def bus(platform: Platform, service: Ingest) -> AsyncIterator[Bus]:
    async with asking(platform, service) as bus:
        yield bus


async def test_changed_settings_cut_every_document_anew_while_it_is_found(bus: Bus, service: Ingest):
    scope, stranger = (new_person() for _ in range(2))
    sent = [(await send(bus, service, scope, f"{TENTS}\n\nCopy {n}.".encode())).id for n in range(6)]
    before = {each: (await until(bus, scope, each, "ready")).passages for each in sent}
    wanted = ingest.KnowledgeSettings(passage_tokens=64, overlap=0)
    kept = await bus.request(ingest.PUT_SETTINGS, ingest.PutKnowledgeSettings(settings=wanted), scope)
    assert kept.settings == wanted

    async def all_are_cut_anew() -> bool:
        assert await find(bus, scope, "Does tent number 17 keep the rain out?")
        shown = [await look(bus, scope, each) for each in sent]
        return all(each.state == "ready" and each.passages > before[each.id] for each in shown)

    # while it is being read, a crash loses nothing: the rows say what is left
    assert service.end(signal.SIGKILL) == -signal.SIGKILL
    service.start()
    await eventually(service.is_ready, timeout_s=60)
    await eventually(all_are_cut_anew, timeout_s=100)
    asked = ingest.GetKnowledgeSettings()
    assert (await bus.request(ingest.GET_SETTINGS, asked, scope)).settings == wanted
    assert (await bus.request(ingest.GET_SETTINGS, asked, stranger)).settings.passage_tokens == DEFAULT.passage_tokens


async def test_settings_out_of_range_are_refused(bus: Bus):
    scope = new_person()
    wrong = ingest.KnowledgeSettings.model_construct(passage_tokens=300, overlap=0.1)
    with pytest.raises(Rejected):
        await bus.request(ingest.PUT_SETTINGS, ingest.PutKnowledgeSettings.model_construct(settings=wrong), scope)
