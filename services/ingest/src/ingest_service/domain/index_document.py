"""One attempt at a document: read, cut, embed, index, and be found; or delete what is left of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, Protocol

from contracts.ids import DocumentId
from ingest_service.domain import media_types, put_off
from ingest_service.domain.cut_settings import DEFAULT
from ingest_service.domain.document import Document, Failure, Note, Reading, State
from ingest_service.domain.errors import ArchiveRefused, DocumentRefused, EmptyDocument, IsArchive, of_kind
from ingest_service.domain.estimate import Estimate
from ingest_service.domain.fetch_page import Fetching
from ingest_service.domain.long_documents import LongDocuments, Turn
from ingest_service.domain.members import Members
from ingest_service.domain.pages_read import PagesRead, WhenRead
from ingest_service.domain.places import Places
from ingest_service.domain.ports import Documents, Files, Leased
from ingest_service.domain.progress import Fenced, Progress
from ingest_service.domain.read_document import Reader, reading_of
from ingest_service.domain.shelves import Shelves
from ingest_service.domain.slots import Slots
from ingest_service.domain.unpack import Unpacking
from ingest_service.domain.web_links import is_sitemap, links_of
from ingest_service.domain.web_page import MOST_PAGES
from runtime.clock import Clock
from runtime.errors import NotNow, Rejected, Retryable
from runtime.tenancy import TenantScope

HOLD_EVERY_S: Final = 2.0
"""A quarter of the lease: three beats may be lost."""
A_BATCH: Final = 16
"""Passages embedded at a time: about a sixth of a second of work on one core."""
MOST_ATTEMPTS: Final = 16
"""A worker that dies may have reasons of its own: ten deaths in a row are no proof against the documents it held."""
CUTTING: Final = 1 / 18
"""Of what is left when the document is read: the rest is embedding."""
Observe = Callable[[str, float], None]
"""Told the name of a stage and the seconds that it took."""


class TellTrouble(Protocol):
    """Told of attempts that fail for now."""

    def __call__(self, error: Exception, pause: timedelta | None, /, *, is_news: bool) -> None:
        """Why, how long the document waits (None: it is given up), and whether that was not told of it before."""


@dataclass(frozen=True)
class Desk:
    """Everything an attempt needs."""

    documents: Documents
    members: Members
    files: Files
    index: Shelves
    reader: Reader
    clock: Clock
    observe: Observe = lambda _stage, _seconds: None
    tell_trouble: TellTrouble = lambda *_, **_named: None
    fetching: Fetching | None = None
    long: LongDocuments = field(default_factory=lambda: LongDocuments(places=1))
    at_work: Slots = field(default_factory=lambda: Slots(1))
    """Documents that are read and embedded; those that are being fetched only wait for a site, and stand apart."""
    fetches: Places = field(default_factory=lambda: Places(1))

    @property
    def unpacking(self) -> Unpacking:
        return Unpacking(self.members, self.documents, self.files, self.clock)


async def work_on(document_id: DocumentId, scope: TenantScope, desk: Desk) -> State | None:
    """Do what the document's row says is to be done; what it became, None when there was nothing to do.

    What fails for now is put off: its row says until when, and the job is done.

    Raises:
        NotNow: Another worker is at it.
        Rejected: It can never be done.
    """
    document = await desk.documents.claim(scope, document_id)
    if isinstance(document, Leased):
        raise NotNow(delay_s=3, until_delivery=4)
    if document is None:
        return None
    try:
        async with _held(document, scope, desk):
            return await _attempt(document, scope, desk)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the document must not stay in the queue for it
        return await _put_off(document, error, scope, desk)


async def _put_off(document: Document, error: Exception, scope: TenantScope, desk: Desk) -> State | None:
    pause, why = put_off.pause_after(document, error), put_off.why(error)
    if why is not None:
        # what waits for the embedding model is asked for every few seconds, and each fault of ours is worth a look
        is_news = pause is None or why != document.failure or not isinstance(error, Retryable)
        desk.tell_trouble(error, pause, is_news=is_news)
    if pause is not None:
        await desk.documents.put_off(scope, document, why, pause=pause, cause=put_off.cause_of(error))
        return State.DELETING if document.state is State.DELETING else State.RECEIVED
    if isinstance(error, Retryable):
        return await fail_document(document, scope, desk, put_off.in_the_end(error))
    # a fault of ours: its job is to be kept among the dead letters
    raise Rejected(put_off.in_the_end(error).detail, code="internal") from error


async def _attempt(document: Document, scope: TenantScope, desk: Desk) -> State | None:
    if document.state is State.DELETING:
        await delete_document(document, scope, desk)
        return document.state
    try:
        return await index_document(document, scope, desk)
    except DocumentRefused as refused:
        failure = Failure(refused.code, refused.detail, media_type=refused.media_type)
        return await fail_document(document, scope, desk, failure)
    except Fenced:
        # whoever overtook us cleans up as well, but may have done so before our last write
        await _forget_if_gone(document, scope, desk)
        return None


async def index_document(document: Document, scope: TenantScope, desk: Desk) -> State:
    """Read, cut, embed and index.

    Raises:
        DocumentRefused: It can never be read as it is.
        Fenced: It was deleted or begun anew meanwhile.
        EmbedderAway: The embedding model cannot be asked; nothing is wrong with the document.
        NoPlace: It is long or has to be fetched, and has to wait for others like it.
    """
    if document.attempt > MOST_ATTEMPTS:
        raise DocumentRefused("Reading this document failed too often. Send it in another form.")
    desk.index.check()
    if not document.sha256 and desk.fetching is not None:
        await desk.fetches.soon(scope)
        with desk.fetches.one(scope):
            document = await desk.fetching.fetch(document, scope)
    async with desk.at_work.one():
        with desk.long.turn(scope, document) as turn:
            return await _at_work(document, scope, desk, turn)


async def _at_work(document: Document, scope: TenantScope, desk: Desk, turn: Turn) -> State:
    progress = Progress(document, scope, documents=desk.documents, clock=desk.clock)
    with _timed("reading", desk):
        reading = await turn.reads(_read(document, scope, desk, progress))
    with _timed("embedding", desk):
        await _embed(document, reading, scope, desk, progress=progress, turn=turn)
    # shown a moment before its rows are there: a crash in between repeats the attempt; after them, it would stay hidden
    await desk.index.show(scope, document.id, document.generation)
    if not await desk.documents.finish(scope, document, reading):
        raise Fenced
    await _take_out_rest(document, document.generation, scope, desk)
    return State.READY


async def _read(document: Document, scope: TenantScope, desk: Desk, progress: Progress) -> Reading:
    when = WhenRead(desk.clock)

    async def say(told: PagesRead) -> None:
        pages = told.believed()
        progress.read_by = max(progress.read_by, pages.all_share)
        state = State.CHUNKING if pages.is_all else State.PARSING
        await progress.say(state, pages.share, when.after(pages))

    data = await desk.files.read(scope, document.sha256)
    if data is None:
        raise DocumentRefused("The stored file is gone. Upload it again.")
    await progress.begin()
    if document.url and is_sitemap(data):
        with of_kind(media_types.XML):
            return await _sitemap(document, data, document.url, scope, desk)
    try:
        reading = reading_of(document, await desk.reader.read(data, say, document.cut_by or DEFAULT))
    except DocumentRefused as refused:
        if refused.code != IsArchive.default_code:
            raise
        with of_kind(media_types.ZIP):
            return await _unpacked(document, data, scope, desk)
    if document.url and document.came_of is None and desk.fetching is not None:
        asked = await desk.fetching.notes(document, data, scope)
        reading = replace(reading, notes=(*reading.notes, *asked))
    if document.media_type == media_types.ZIP:
        await desk.unpacking.let_go(document, scope)
    return reading


async def _unpacked(archive: Document, data: bytes, scope: TenantScope, desk: Desk) -> Reading:
    if archive.path is not None:
        raise ArchiveRefused("It is an archive within another one. Unpack it and send what is in it.")
    return await desk.unpacking.unpack(archive, data, scope)


async def _sitemap(document: Document, data: bytes, url: str, scope: TenantScope, desk: Desk) -> Reading:
    """It has no text; its pages were registered when it was fetched, maybe from where its address leads to.

    Raises:
        EmptyDocument: It names no page.
    """
    named = len(await asyncio.to_thread(links_of, data, url))
    if not named and not (await desk.documents.led_to(scope, document.id)).total():
        raise EmptyDocument("The sitemap names no page of its own site.")
    notes = () if named < MOST_PAGES else (Note(None, f"Of {named:,} pages the first {MOST_PAGES - 1} were taken."),)
    return Reading(document.title, media_types.XML, language=None, pages=0, passages=(), notes=notes)


async def _embed(
    document: Document, reading: Reading, scope: TenantScope, desk: Desk, *, progress: Progress, turn: Turn
) -> None:
    """Embed and write in order; an attempt goes on behind the last batch that an earlier one has written."""
    written = await desk.index.written(scope, document.id, document.generation)
    passages = reading.passages
    # more than there are: they were cut by another version, and prove nothing
    begin = written // A_BATCH * A_BATCH if written <= len(passages) else 0
    turn.embeds(len(passages) - begin)
    begins_at = progress.read_by + (1 - progress.read_by) * CUTTING
    await progress.say(State.EMBEDDING, begins_at)
    estimate = Estimate(len(passages), desk.clock)
    for start in range(begin, len(passages), A_BATCH):
        batch = passages[start : start + A_BATCH]
        await desk.index.write(scope, batch, document.generation)
        done = start + len(batch)
        share = begins_at + (1 - begins_at) * done / len(passages)
        await progress.say(State.EMBEDDING, share, estimate.after(done))


async def delete_document(document: Document, scope: TenantScope, desk: Desk) -> None:
    """Vectors, then file and rows; after a crash anywhere the same again ends it."""
    await desk.index.delete_document(scope, document.id)

    async def delete() -> None:
        # a page that was never fetched has no file
        if document.sha256:
            await desk.files.delete(scope, document.sha256)

    await desk.documents.remove(scope, document, delete=delete)


async def fail_document(document: Document, scope: TenantScope, desk: Desk, failure: Failure) -> State | None:
    """Say why it cannot be read; what was found of an earlier reading still is. None when the attempt did not count."""
    ended = await desk.documents.fail(scope, document, failure)
    if ended is None:
        return None
    found = await desk.documents.found_generation(scope, document.id)
    await _take_out_rest(document, found, scope, desk)
    return ended


async def _take_out_rest(document: Document, generation: int | None, scope: TenantScope, desk: Desk) -> None:
    """What other readings left in the index. It has no rows and is shown to nobody: the document has ended as it is."""
    with contextlib.suppress(Retryable):
        await desk.index.delete_document(scope, document.id, but_generation=generation)


async def give_up_on(document_id: DocumentId, scope: TenantScope, desk: Desk, failure: Failure) -> None:
    """Close a document whose job will not be tried again; one that is being deleted is left to the reconciler."""
    document = await desk.documents.claim(scope, document_id)
    if document is None or isinstance(document, Leased):
        return
    try:
        if document.state is not State.DELETING:
            await fail_document(document, scope, desk, failure)
    finally:
        await desk.documents.release(scope, document)


async def _forget_if_gone(document: Document, scope: TenantScope, desk: Desk) -> None:
    if await desk.documents.get(scope, document.id) is None:
        await desk.index.delete_document(scope, document.id)


@contextlib.contextmanager
def _timed(stage: str, desk: Desk) -> Iterator[None]:
    begun = desk.clock.monotonic_s()
    yield
    desk.observe(stage, desk.clock.monotonic_s() - begun)


@contextlib.asynccontextmanager
async def _held(document: Document, scope: TenantScope, desk: Desk) -> AsyncIterator[None]:
    """Keep the lease while the work runs, and give it back however it ends."""

    async def beat() -> None:
        is_mine = True
        while is_mine:
            await asyncio.sleep(HOLD_EVERY_S)
            with contextlib.suppress(Retryable):
                is_mine = await desk.documents.hold(scope, document)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        # not given back, it ends by itself: what became of the document stands
        with contextlib.suppress(Retryable):
            await desk.documents.release(scope, document)
