"""ingest's tables on the real database: the port's promises, and the relay's narrow view."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from contracts.ids import DocumentId, uuid7
from contracts.ingest import DOCUMENT_PROGRESSED, DocumentProgressed
from contracts.streams import streams as declared_streams
from ingest_service.domain.document import Cause, Document, Failure, State, received
from ingest_service.domain.ports import Documents
from ingest_service.outbound import arriving, postgres_pages
from ingest_service.outbound.document_changes import lock_content, progressed
from ingest_service.outbound.postgres_documents import PostgresDocuments
from ingest_service.outbound.relay_documents import INDEXED, UNFINISHED
from runtime.db import Database
from runtime.errors import Conflict
from runtime.outbox import Outgoing
from runtime.tenancy import TenantScope
from services.ingest.tests.promises_documents import (
    WAITS,
    PromisesOfDocuments,
    added,
    claimed,
    made_ready,
    new_document,
    new_scope,
    put_off,
)
from services.ingest.tests.promises_fences import PromisesOfFences
from services.ingest.tests.promises_versions import PromisesOfVersions
from tests.support.ingest_process import ingest_rows
from tests.support.platform import Platform, eventually
from tests.support.probe import connection

pytestmark = pytest.mark.integration
MANY_MORE = """
    INSERT INTO ingest.document (id, sha256, tenant_id, title, filename, media_type, size_bytes, state)
    SELECT gen_random_uuid(), n::text, tenant_id, title, filename, media_type, size_bytes, state
    FROM ingest.document, generate_series(1, 1000) AS n WHERE id = $1
"""
READ = "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'document'"
"""Rows that this connection looked at and has not reported yet."""
QUEUE_HOLDS = next(stream for stream in declared_streams() if stream.name == "INGEST").max_msgs_per_subject


@pytest.fixture(scope="module")
async def ingest_database(platform: Platform) -> AsyncIterator[Database]:
    async with ingest_rows(platform) as database:
        yield database


@pytest.fixture
async def relay(platform: Platform) -> AsyncIterator["asyncpg.Connection"]:
    async with connection(platform.postgres_url("ingest_relay")) as opened:
        yield opened


class TestPostgresDocuments(PromisesOfDocuments, PromisesOfFences, PromisesOfVersions):
    @pytest.fixture
    def documents(self, ingest_database: Database) -> Documents:
        return PostgresDocuments(ingest_database)


async def test_an_upload_is_not_held_against_every_document_of_its_business(
    ingest_database: Database, platform: Platform
):
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    first = await added(documents, scope, sha256="first")
    async with connection(platform.postgres_url("lumora")) as admin:
        await admin.execute(MANY_MORE, first.id)
        await admin.execute("ANALYZE ingest.document")
    async with ingest_database.tenant_tx(scope) as tx:
        before = await tx.fetch_row(READ)
        assert await arriving.same_as(ingest_database, scope, new_document(sha256="new")) == (None, None)
        assert await tx.fetch_row(READ) == before
    async with connection(platform.postgres_url("lumora")) as admin:
        # nobody shall have to read them
        await admin.execute("DELETE FROM ingest.document WHERE tenant_id = $1", scope.tenant_id)


async def test_a_step_whose_connection_broke_may_be_done_again(ingest_database: Database):
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    document = await claimed(documents, scope, await added(documents, scope))
    fact = Outgoing.fact(scope.tenant_id, DOCUMENT_PROGRESSED, progressed(document.id, State.PARSING, 0.1))
    step = (document.id, document.generation, document.attempt, State.PARSING.value, 0.1, None, 8.0)
    for _ in range(2):
        row = await ingest_database.call(scope, "advance_document", *step, said=(fact,))
        assert row["kept"] == [fact.body]


async def test_the_relay_sees_no_content(relay: "asyncpg.Connection"):
    for question in ("SELECT title FROM document", "SELECT filename FROM document", "SELECT body FROM passage"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await relay.fetch(question)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await relay.execute("UPDATE document SET state = 'ready'")


async def test_a_site_that_is_looked_at_again_grows_to_its_limit_and_never_while_it_is_deleted(
    ingest_database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres_pages, "MOST_PAGES", 3)
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    pages = postgres_pages.PostgresPages(ingest_database)
    home = await pages.add(scope, page("/"), depth=1)
    for _ in range(2):
        await pages.lead_to(scope, home.id, [page(f"/{n}") for n in range(5)], depth=0)
    led_to = await documents.page(scope, state=None, limit=9, before=None, came_of=home.id)
    assert len(led_to) == 2
    assert await documents.begin_deleting(scope, led_to[0].id)
    await documents.begin_deleting(scope, home.id)
    await pages.lead_to(scope, home.id, [page("/new")], depth=0)
    await pages.lead_to(scope, led_to[1].id, [page("/new")], depth=0)
    left = await documents.page(scope, state=None, limit=9, before=None, came_of=home.id)
    assert [each.id for each in left] == [led_to[1].id]


def page(path: str) -> Document:
    return received(DocumentId(uuid7()), "page", datetime.now(UTC), url=f"https://shop.example{path}")


async def test_a_new_version_and_a_reading_anew_at_the_same_time_do_not_wait_for_each_other(
    platform: Platform, ingest_database: Database
):
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    document, _ = await made_ready(documents, scope, "one", sha256="old")

    async def keep() -> None:
        pass

    async def waiting(count: int) -> None:
        question = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ingest_app' AND wait_event_type = 'Lock'"
        async with connection(platform.postgres_url("lumora")) as admin:
            await eventually(lambda: _is(admin.fetchval(question), count), every_s=0.01)

    async with ingest_database.tenant_tx(scope) as tx:
        await lock_content(tx, "old")
        again = asyncio.create_task(documents.read_again(scope, document.id))
        await waiting(1)
        replaced = asyncio.create_task(documents.replace(scope, replace(document, sha256="new"), keep=keep))
        await waiting(2)
    assert await again is not None
    with pytest.raises(Conflict):
        await replaced


async def _is(asked: Awaitable[object], wanted: object) -> bool:
    return await asked == wanted


async def test_the_reconciler_takes_what_is_neither_at_rest_nor_leased(
    ingest_database: Database, relay: "asyncpg.Connection"
):
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    forgotten = await added(documents, scope)
    leased = await added(documents, scope)
    await claimed(documents, scope, leased)
    ready, _ = await made_ready(documents, scope, "one")
    await publish_all(relay, scope)

    async def taken() -> set[object]:
        rows = await relay.fetch(UNFINISHED, 1_000)
        return {row["id"] for row in rows if row["tenant_id"] == scope.tenant_id}

    assert await taken() == set()
    ids = [forgotten.id, leased.id, ready.id]
    await relay.execute("UPDATE document SET enqueued_at = now() - interval '31 seconds' WHERE id = ANY($1)", ids)
    assert await taken() == {forgotten.id}
    assert await taken() == set()


async def publish_all(relay: "asyncpg.Connection", scope: TenantScope) -> None:
    """What the outbox has of a business goes to a broker that loses it."""
    await relay.execute("DELETE FROM outbox WHERE tenant_id = $1", scope.tenant_id)


async def test_the_reconciler_leaves_what_was_put_off_until_its_time(
    ingest_database: Database, relay: "asyncpg.Connection"
):
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    document = await added(documents, scope)

    async def taken() -> bool:
        return document.id in {row["id"] for row in await relay.fetch(UNFINISHED, 1_000)}

    await publish_all(relay, scope)
    await put_off(documents, scope, await claimed(documents, scope, document), pause=timedelta(hours=1))
    await relay.execute(
        "UPDATE document SET enqueued_at = now() - interval '2 hours' WHERE id = ANY($1)", [document.id]
    )
    assert not await taken()
    await relay.execute(
        "UPDATE document SET try_again_at = now() - interval '1 second' WHERE id = ANY($1)", [document.id]
    )
    assert await taken()
    assert not await taken(), "its job is in the queue now"
    assert (await claimed(documents, scope, document)).put_off == {Cause.SITE: 1}


async def test_the_reconciler_looks_after_every_business_in_each_round(
    ingest_database: Database, relay: "asyncpg.Connection"
):
    documents, flooding, other = PostgresDocuments(ingest_database), new_scope(), new_scope()
    flood = [await added(documents, flooding) for _ in range(12)]
    lost = await added(documents, other)
    for scope in (flooding, other):
        await publish_all(relay, scope)
    change = "UPDATE document SET enqueued_at = now() - make_interval(mins => $2) WHERE id = ANY($1)"
    await relay.execute(change, [document.id for document in flood], 60)
    await relay.execute(change, [lost.id], 1)
    taken = [row["tenant_id"] for row in await relay.fetch(UNFINISHED, 100)]
    assert taken.count(flooding.tenant_id) == QUEUE_HOLDS
    assert taken.count(other.tenant_id) == 1


async def test_that_a_document_waits_is_said_once_for_each_reason(
    ingest_database: Database, relay: "asyncpg.Connection"
):
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    document = await added(documents, scope)

    async def said() -> list[tuple[str, str | None]]:
        rows = await relay.fetch(
            "SELECT body FROM outbox WHERE tenant_id = $1 AND stream = 'EVENTS' ORDER BY id", scope.tenant_id
        )
        facts = [DocumentProgressed.read(row["body"]) for row in rows]
        return [(fact.state, fact.error_code) for fact in facts]

    async def wait(why: Failure | None, *, is_read: bool = False) -> None:
        at_work = await claimed(documents, scope, document)
        if is_read:
            assert await documents.advance(scope, at_work, State.PARSING, 0.1)
        await documents.release(scope, at_work)
        await documents.put_off(scope, at_work, why, pause=timedelta(0), cause=None)

    for _ in range(3):
        await wait(None)
    for _ in range(3):
        await wait(WAITS)
    await wait(WAITS, is_read=True)
    assert await said() == [
        ("received", None),
        ("received", WAITS.code),
        ("parsing", None),
        ("received", WAITS.code),
    ]


async def test_what_was_put_off_is_taken_when_it_is_due_and_uploads_that_wait_do_not_stand_before_it(
    ingest_database: Database, relay: "asyncpg.Connection"
):
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    lost = [await added(documents, scope) for _ in range(QUEUE_HOLDS)]
    later = await added(documents, scope)
    sooner = await added(documents, scope)
    for document in (later, sooner):
        await put_off(documents, scope, await claimed(documents, scope, document), pause=timedelta(hours=1))
    await publish_all(relay, scope)
    waiting = [await added(documents, scope) for _ in range(QUEUE_HOLDS)]
    enqueued = "UPDATE document SET enqueued_at = now() - make_interval(mins => $2) WHERE id = ANY($1)"
    await relay.execute(enqueued, [document.id for document in waiting], 60)
    await relay.execute(enqueued, [document.id for document in (later, sooner)], 10)
    for number, document in enumerate(lost):
        await relay.execute(enqueued, [document.id], 20 + number)
    due = "UPDATE document SET try_again_at = now() - make_interval(mins => $2) WHERE id = $1"
    await relay.execute(due, later.id, 21)
    await relay.execute(due, sooner.id, 22)
    taken = {row["id"] for row in await relay.fetch(UNFINISHED, 1_000) if row["tenant_id"] == scope.tenant_id}
    assert taken == {lost[3].id, lost[2].id, sooner.id, later.id}


async def test_the_index_is_told_of_what_is_found_and_of_what_failed(
    ingest_database: Database, relay: "asyncpg.Connection"
):
    documents, scope = PostgresDocuments(ingest_database), new_scope()
    await added(documents, scope)
    ready, _ = await made_ready(documents, scope, "one", "two", sha256="ready")
    anew, _ = await made_ready(documents, scope, "one", sha256="anew")
    await documents.read_again(scope, anew.id)
    failed = await claimed(documents, scope, await added(documents, scope))
    await documents.fail(scope, failed, Failure("unreadable_document", "No."))
    stale, _ = await made_ready(documents, scope, "one", sha256="stale")
    await documents.read_again(scope, stale.id)
    await documents.fail(scope, await claimed(documents, scope, stale), Failure("unreadable_document", "No."))
    deleting, _ = await made_ready(documents, scope, "one", sha256="deleting")
    await documents.begin_deleting(scope, deleting.id)
    rows = [row for row in await relay.fetch(INDEXED) if row["tenant_id"] == scope.tenant_id]
    assert {row["id"]: (row["generation"], row["passages"], row["is_read_anew"]) for row in rows} == {
        ready.id: (1, 2, False),
        anew.id: (1, 1, True),
        failed.id: (None, 0, False),
        stale.id: (1, 1, False),
    }
