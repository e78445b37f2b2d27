"""ingest as a process of its own: uploads come through the file store, everything else over the broker."""

import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from nats.aio.msg import Msg

from contracts import ingest, subjects
from contracts.ids import DocumentId, uuid7
from contracts.paging import Idempotency
from runtime.bus import Bus
from runtime.errors import Conflict, LumoraError, NotFound, Rejected, Unavailable
from runtime.tenancy import TenantScope
from services.ingest.tests import made
from tests.support.ingest_process import Ingest, asking, find, new_person, running, send, until, until_gone
from tests.support.platform import Platform, eventually
from tests.support.probe import connection

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

RETURNS = """# Returns

You may return an unused item within 30 days of delivery, with its bill.

## Refunds

We send the money back to the card you paid with, within five working days.
"""
TENTS = """# Tents

The Ridge tent weighs 1.9 kg and sleeps two. Its poles are of aluminium.
"""


@pytest.fixture(scope="module")
def service(platform: Platform) -> Iterator[Ingest]:
    with running(platform) as service:
        yield service


@pytest.fixture(scope="module")
async def bus(platform: Platform, service: Ingest) -> AsyncIterator[Bus]:
    async with asking(platform, service) as bus:
        yield bus


@pytest.fixture
def scope() -> TenantScope:
    return new_person()


async def test_from_upload_to_answerable_and_gone(bus: Bus, service: Ingest, scope: TenantScope):
    registered = await send(bus, service, scope, RETURNS.encode(), filename="returns.md")
    assert (registered.state, registered.title) == ("received", "returns")
    document = await until(bus, scope, registered.id, "ready")
    assert (document.title, document.media_type, document.language) == ("Returns", "text/markdown", "en")
    assert (document.passages, document.progress, document.error) == (2, 1.0, None)

    best, *_ = await find(bus, scope, "When do I get my money back?")
    assert best.document_id == document.id
    assert best.heading == "Returns > Refunds"
    assert RETURNS[best.start : best.end] == best.text
    assert best.dense is not None
    assert 0 < best.score <= 1
    assert not list((service.files / "inbox" / str(scope.tenant_id)).iterdir())
    assert len(list((service.files / "files" / str(scope.tenant_id)).iterdir())) == 1

    await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=document.id), scope)
    assert await find(bus, scope, "When do I get my money back?") == ()

    await until_gone(bus, scope, document.id)
    assert not list((service.files / "files" / str(scope.tenant_id)).iterdir())
    with pytest.raises(NotFound):
        await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=document.id), scope)


async def test_a_page_that_cannot_be_read_is_told(bus: Bus, service: Ingest, scope: TenantScope):
    words = [(72.0, 700.0, 12.0, "Open from nine to six.")]
    registered = await send(bus, service, scope, made.pdf([words, []]), filename="hours.pdf")
    document = await until(bus, scope, registered.id, "ready")
    assert (document.media_type, document.pages) == ("application/pdf", 2)
    assert [note.page for note in document.notes] == [2]
    best, *_ = await find(bus, scope, "When are you open?")
    assert (best.document_id, best.page) == (document.id, 1)


async def test_the_same_bytes_are_the_same_document(bus: Bus, service: Ingest, scope: TenantScope):
    first = await send(bus, service, scope, TENTS.encode())
    again = await send(bus, service, scope, TENTS.encode(), filename="copy.md")
    assert again.id == first.id
    stranger = new_person()
    assert (await send(bus, service, stranger, TENTS.encode())).id != first.id


async def test_a_new_version_takes_the_old_ones_place_in_one_step(bus: Bus, service: Ingest, scope: TenantScope):
    first = await send(bus, service, scope, RETURNS.encode(), filename="returns.md")
    await until(bus, scope, first.id, "ready")
    later = RETURNS.replace("30 days", "45 days").encode() * 20
    replaced = await send(bus, service, scope, later, filename="returns-2.md", replaces=first.id)
    assert (replaced.id, replaced.state) == (first.id, "received")
    seen = set[str]()
    while "45" not in seen:
        texts = " ".join(hit.text for hit in await find(bus, scope, "How many days do I have to return an item?"))
        assert ("30 days" in texts) != ("45 days" in texts), "always one version, never both or neither"
        seen.add("45" if "45 days" in texts else "30")
    assert len(list((service.files / "files" / str(scope.tenant_id)).iterdir())) == 1
    stranger = new_person()
    with pytest.raises(NotFound):
        await send(bus, service, stranger, TENTS.encode(), replaces=first.id)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_crash_where_the_old_file_is_removed_leaves_no_document_without_its_file(
    bus: Bus, service: Ingest, scope: TenantScope, moment: str
):
    first = await send(bus, service, scope, RETURNS.encode())
    await until(bus, scope, first.id, "ready")
    assert service.end(signal.SIGTERM) == 0
    service.start("tests.support.dying_ingest", moment, str(scope.tenant_id))
    await eventually(service.is_ready, timeout_s=60)
    with pytest.raises(Unavailable):
        await send(bus, service, scope, TENTS.encode(), replaces=first.id)
    assert service.process is not None
    assert service.process.wait(30) == -signal.SIGKILL
    kept = service.files / "files" / str(scope.tenant_id)
    assert len(list(kept.iterdir())) == {"before": 2, "after": 1}[moment]
    long_ago = time.time() - 8 * 86_400
    for path in kept.iterdir():
        os.utime(path, (long_ago, long_ago))
    service.start()
    await eventually(service.is_ready, timeout_s=60)
    assert (await until(bus, scope, first.id, "ready")).title == "Tents"
    await eventually(lambda: len(list(kept.iterdir())) == 1, timeout_s=60)
    assert [path.read_bytes() for path in kept.iterdir()] == [TENTS.encode()]


async def test_a_new_version_that_fails_leaves_the_old_one_found(bus: Bus, service: Ingest, scope: TenantScope):
    first = await send(bus, service, scope, RETURNS.encode(), filename="returns.md")
    await until(bus, scope, first.id, "ready")
    unreadable = b"\xef\xbb\xbf" + b"\xff" * 3_000_000
    sent = await send(bus, service, scope, unreadable, filename="returns-2.md", replaces=first.id)
    assert (sent.filename, sent.size_bytes, sent.error) == ("returns-2.md", len(unreadable), None)
    assert service.end(signal.SIGKILL) == -signal.SIGKILL
    service.start()
    await eventually(service.is_ready, timeout_s=60)
    found = await until(bus, scope, first.id, "ready")
    assert found.error is not None
    assert (found.error.code, found.error.filename) == ("unreadable_document", "returns-2.md")
    assert (found.passages, found.filename, found.size_bytes) == (2, "returns.md", len(RETURNS.encode()))
    hits = await find(bus, scope, "How many days do I have to return an item?")
    assert "30 days" in hits[0].text
    again = await bus.request(ingest.REPROCESS_DOCUMENT, ingest.ReprocessDocument(document_id=first.id), scope)
    assert again.document.state == "received"
    assert (await until(bus, scope, first.id, "ready")).error == found.error
    assert await find(bus, scope, "How many days do I have to return an item?") == hits


async def test_a_search_within_tags_follows_them_at_once(bus: Bus, service: Ingest, scope: TenantScope):
    returns = await send(bus, service, scope, RETURNS.encode(), tags=("policy", "summer sale"))
    tents = await send(bus, service, scope, TENTS.encode(), tags=("products",))
    began = returns.created_at
    for document in (returns, tents):
        await until(bus, scope, document.id, "ready")

    async def found(**filters: object) -> set[DocumentId]:
        return {hit.document_id for hit in await find(bus, scope, "How much does the tent weigh?", **filters)}

    assert await found() >= {tents.id}
    assert await found(tags=("policy",)) == {returns.id}
    assert await found(tags=("nothing",)) == set()
    assert await found(tags=("policy",), document_ids=(tents.id,)) == set()
    assert await found(tags=("policy", "products"), created_since=began) == {returns.id, tents.id}
    assert await found(created_until=began) == set()
    changed = ingest.UpdateDocument(document_id=tents.id, tags=("policy",))
    assert (await bus.request(ingest.UPDATE_DOCUMENT, changed, scope)).document.tags == ("policy",)
    assert await found(tags=("policy",)) == {returns.id, tents.id}
    listed = await bus.request(ingest.LIST_DOCUMENTS, ingest.ListDocuments(tag="policy"), scope)
    assert {document.id for document in listed.items} == {returns.id, tents.id}
    with pytest.raises(NotFound):
        await bus.request(ingest.UPDATE_DOCUMENT, changed, new_person())


async def test_registering_is_idempotent(bus: Bus, service: Ingest, scope: TenantScope):
    document_id, name = DocumentId(uuid7()), service.upload(scope, RETURNS.encode())
    once = await send(bus, service, scope, b"", document_id=document_id, inbox_name=name, size_bytes=9)
    twice = await send(bus, service, scope, b"", document_id=document_id, inbox_name=name, size_bytes=9)
    assert once.id == twice.id == document_id
    key = Idempotency(key="k", body_sha256="a")
    first = await send(bus, service, scope, b"One text.", idempotency=key)
    assert (await send(bus, service, scope, b"One text.", idempotency=key)).id == first.id
    with pytest.raises(Conflict, match="idempotency_conflict"):
        await send(bus, service, scope, b"Two.", idempotency=Idempotency(key="k", body_sha256="b"))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_document"),
        (b"GIF89a\x01\x00", "unsupported_type"),
        (b"MZ\x90\x00\x03", "unsupported_type"),
    ],
)
async def test_what_can_never_be_read_is_refused_at_the_door(
    bus: Bus, service: Ingest, scope: TenantScope, data: bytes, code: str
):
    with pytest.raises(Rejected, match=code):
        await send(bus, service, scope, data, filename="innocent.txt")
    assert not list((service.files / "inbox" / str(scope.tenant_id)).iterdir())
    with pytest.raises(NotFound):
        await send(bus, service, scope, data, inbox_name=str(uuid7()))


async def test_what_turns_out_unreadable_says_why_and_may_be_sent_again(bus: Bus, service: Ingest, scope: TenantScope):
    data = b"\xef\xbb\xbf\xff\xff broken"
    document = await send(bus, service, scope, data)
    failed = await until(bus, scope, document.id, "failed")
    assert failed.error is not None
    assert failed.error.code == "unreadable_document"
    assert "UTF-8" in failed.error.detail
    assert (failed.media_type, failed.error.filename) == ("application/octet-stream", None)
    assert (await send(bus, service, scope, data)).id == document.id
    assert (await until(bus, scope, document.id, "failed")).error == failed.error


async def test_another_tenant_finds_nothing(bus: Bus, service: Ingest, scope: TenantScope):
    document = await send(bus, service, scope, RETURNS.encode())
    await until(bus, scope, document.id, "ready")
    stranger = new_person()
    assert await find(bus, stranger, "money back") == ()
    assert await find(bus, stranger, "money back", document_ids=(document.id,)) == ()
    for rpc, asked in (
        (ingest.GET_DOCUMENT, ingest.GetDocument(document_id=document.id)),
        (ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=document.id)),
        (ingest.REPROCESS_DOCUMENT, ingest.ReprocessDocument(document_id=document.id)),
    ):
        with pytest.raises(NotFound):
            await bus.request(rpc, asked, stranger)
    listed = await bus.request(ingest.LIST_DOCUMENTS, ingest.ListDocuments(), stranger)
    assert listed.items == ()


async def test_lists_are_paged_newest_first(bus: Bus, service: Ingest, scope: TenantScope):
    made = [(await send(bus, service, scope, f"Text {n}.".encode())).id for n in range(5)]
    seen: list[DocumentId] = []
    cursor = None
    while True:
        page = await bus.request(ingest.LIST_DOCUMENTS, ingest.ListDocuments(limit=2, cursor=cursor), scope)
        seen += [document.id for document in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == made[::-1]
    with pytest.raises(Rejected):
        await bus.request(ingest.LIST_DOCUMENTS, ingest.ListDocuments(cursor="elsewhere"), scope)


async def test_a_list_is_parted_where_a_message_ends(bus: Bus, service: Ingest, platform: Platform, scope: TenantScope):
    made = [(await send(bus, service, scope, f"Text {n}.".encode())).id for n in range(12)]
    for document_id in made:
        await until(bus, scope, document_id, "ready")
    notes = json.dumps([{"page": page, "reason": "x" * 1_000} for page in range(1, 101)])
    async with connection(platform.postgres_url("lumora")) as admin:
        await admin.execute("UPDATE ingest.document SET notes = $1 WHERE tenant_id = $2", notes, scope.tenant_id)
    first = await bus.request(ingest.LIST_DOCUMENTS, ingest.ListDocuments(limit=200), scope)
    rest = ingest.ListDocuments(limit=200, cursor=first.next_cursor)
    second = await bus.request(ingest.LIST_DOCUMENTS, rest, scope)
    assert [document.id for document in (*first.items, *second.items)] == made[::-1]
    assert second.next_cursor is None


async def test_reading_again_gives_the_same_passages(bus: Bus, service: Ingest, scope: TenantScope):
    document = await send(bus, service, scope, RETURNS.encode())
    await until(bus, scope, document.id, "ready")
    before = await find(bus, scope, "refund")
    again = await bus.request(ingest.REPROCESS_DOCUMENT, ingest.ReprocessDocument(document_id=document.id), scope)
    assert again.document.state == "received"
    await until(bus, scope, document.id, "ready")
    after = await find(bus, scope, "refund")
    assert [(hit.text, hit.start) for hit in after] == [(hit.text, hit.start) for hit in before]
    assert {hit.passage_id for hit in after}.isdisjoint({hit.passage_id for hit in before})


async def test_progress_is_said_as_it_happens(bus: Bus, service: Ingest, scope: TenantScope):
    said: list[ingest.DocumentProgressed] = []

    async def hear(message: Msg) -> None:
        said.append(ingest.DocumentProgressed.read(message.data))

    subscription = await bus.nc.subscribe(
        f"{subjects.fact_prefix(ingest.DOCUMENT_PROGRESSED)}{scope.tenant_id}.>", cb=hear
    )
    text = "\n\n".join(f"# Part {n}\n\n" + f"Paragraph {n} says something of its own. " * 12 for n in range(120))
    document = await send(bus, service, scope, text.encode())
    await until(bus, scope, document.id, "ready")
    await eventually(lambda: said and said[-1].state == "ready")
    await subscription.unsubscribe()
    assert {fact.document_id for fact in said} == {document.id}
    assert list(dict.fromkeys(fact.state for fact in said)) == ["received", "parsing", "chunking", "embedding", "ready"]
    shares = [fact.progress for fact in said]
    assert shares == sorted(shares)
    assert sum(0.1 < share < 1 for share in shares) >= 1
    assert all(fact.eta_s is None for fact in said if fact.state != "embedding")


async def test_texts_are_embedded_for_others(bus: Bus, platform: Platform, scope: TenantScope):
    asking = Bus("inference", platform.nats_url, platform.seed("inference"))
    await asking.connect()
    asked = ingest.Embed(texts=tuple(f"text number {n}" for n in range(256)))
    reply = await asking.request(ingest.EMBED, asked, timeout_s=30)
    await asking.stop()
    assert len(reply.vectors) == 256
    assert sum(number * number for number in reply.vectors[0]) == pytest.approx(1.0, abs=1e-4)


async def test_a_killed_process_loses_nothing(bus: Bus, service: Ingest, scope: TenantScope):
    text = "\n\n".join(f"# Part {n}\n\n" + f"Sentence {n} is about thing {n}. " * 20 for n in range(240))
    document = await send(bus, service, scope, text.encode())
    await until(bus, scope, document.id, "embedding")
    assert service.end(signal.SIGKILL) == -signal.SIGKILL
    service.start()
    await eventually(service.is_ready, timeout_s=60)
    ready = await until(bus, scope, document.id, "ready")
    assert ready.passages == 240
    hits = await find(bus, scope, "thing 217")
    assert hits[0].heading == "Part 217"
    assert len({hit.passage_id for hit in hits}) == 5


async def test_a_lost_index_is_filled_again(bus: Bus, service: Ingest, scope: TenantScope):
    document = await send(bus, service, scope, RETURNS.encode())
    await until(bus, scope, document.id, "ready")
    before = await find(bus, scope, "money back")
    assert service.end(signal.SIGTERM) == 0
    for path in sorted(service.index.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    service.start()
    await eventually(service.is_ready, timeout_s=60)

    async def is_whole() -> bool:
        try:
            return await find(bus, scope, "money back") == before
        except Unavailable:
            return False

    await eventually(is_whole, timeout_s=100)


async def test_deleting_while_it_is_read_leaves_nothing(bus: Bus, service: Ingest, scope: TenantScope):
    text = "\n\n".join(f"# Part {n}\n\n" + f"Sentence {n} is about thing {n}. " * 20 for n in range(200))
    document = await send(bus, service, scope, text.encode())
    await until(bus, scope, document.id, "embedding")
    await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=document.id), scope)
    assert await find(bus, scope, "thing 1") == ()

    await until_gone(bus, scope, document.id)
    assert await find(bus, scope, "thing 1") == ()


async def test_a_strange_question_is_no_error(bus: Bus, scope: TenantScope):
    for query in ("?", "\u0000", "🙂" * 100, "a" * 4_000):
        try:
            assert await find(bus, scope, query) == ()
        except LumoraError as error:
            pytest.fail(f"{query[:9]!r}: {error}")
