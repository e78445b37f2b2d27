"""What the desk needs from outside, as plain nouns; each has a memory fake that keeps the same promise."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from contracts.ids import DocumentId, PassageId
from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.document import Cause, Document, Failure, Reading, State, StoredPassage
from ingest_service.domain.estimate import Expected
from ingest_service.domain.passage_index import DenseVector
from ingest_service.domain.select_documents import Selection
from runtime.tenancy import TenantScope

Step = Callable[[], Awaitable[None]]


class Embedder(Protocol):
    """Turns text into vectors of unit length; never blocks the event loop."""

    model: str
    """Its name, as whoever asks for its vectors knows it; `IndexName` tells builds of it apart too."""
    dimension: int
    """Numbers of a vector."""

    def check(self) -> None:
        """Ask nobody.

        Raises:
            EmbedderAway: It is known that `embed` would fail.
        """
        ...

    async def embed_query(self, text: str) -> DenseVector:
        """The vector of one query; recently asked ones are remembered."""
        ...

    async def embed(self, texts: Sequence[str], *, is_urgent: bool = False) -> Sequence[DenseVector]:
        """One vector a text, in the order given; what is longer than the model reads is cut.

        Urgent texts (somebody is waiting) do not queue behind the passages of documents.

        Raises:
            EmbedderAway: Its server is away or wrong; the same may succeed later.
            Rejected: Its server refuses these texts.
        """
        ...


class VectorSource(Protocol):
    """A server that runs an embedding model: one request, and what it says, unchecked."""

    async def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector a text, in the order given, if the server keeps its word.

        Raises:
            EmbedderAway: No answer, or none that can be read; `retry_after_s` when it asks for patience.
            Rejected: It refuses these texts.
        """
        ...


class EmbedderWatch(Protocol):
    """Is told how an embedding model's server does."""

    def away(self, model: str, reason: str) -> None:
        """It failed, and is left alone for a while."""
        ...

    def back(self, model: str) -> None:
        """It answered as it should."""
        ...

    def slow(self, model: str) -> None:
        """Somebody who was waiting was not answered in time."""
        ...

    def refused(self, model: str) -> None:
        """Somebody was not let through to it, because it failed a moment ago."""
        ...


class TokenCounter(Protocol):
    """Counts in MiniLM's tokens, whatever the embedder, so that passages stay what they are when that is changed.

    MiniLM reads 256 of them; the other known models read 512 of their own or more, which leaves room for a tokenizer
    that needs twice as many for the same text.
    """

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the model's begin and end marks."""
        ...


@dataclass(frozen=True, slots=True)
class Upload:
    """What waits in the inbox: its size in bytes, its first bytes and the SHA-256 of all of them (hex)."""

    size_bytes: int
    head: bytes
    sha256: str


class Files(Protocol):
    """Uploads that wait, and originals that are kept by their content."""

    async def inspect(self, scope: TenantScope, inbox_name: str) -> Upload | None:
        """Read an upload through once; None when there is none of that name."""
        ...

    async def keep(self, scope: TenantScope, inbox_name: str, sha256: str) -> None:
        """Make the upload an original; keeping the same content twice changes nothing."""
        ...

    async def put(self, scope: TenantScope, sha256: str, data: bytes) -> None:
        """Make bytes that came in no upload an original; putting them twice changes nothing."""
        ...

    async def discard(self, scope: TenantScope, inbox_name: str) -> None:
        """Take an upload out of the inbox; nothing happens when it is gone.

        Raises:
            Unavailable: It is still there.
        """
        ...

    async def read(self, scope: TenantScope, sha256: str) -> bytes | None:
        """The original's bytes; None when it is gone."""
        ...

    async def delete(self, scope: TenantScope, sha256: str) -> None:
        """Remove an original; nothing happens when it is gone.

        Raises:
            Unavailable: It is still there.
        """
        ...

    def kept(self) -> AsyncIterator[tuple[TenantScope, Sequence[str]]]:
        """The SHA-256 of every original that has been there for long, some of a business at a time."""
        ...


class Leased:
    """Another worker is at the document."""


class Documents(Protocol):
    """Documents and their passages. Whoever changes a state says it as a fact, in the same commit.

    `generation` and `attempt` fence: what a worker writes counts only while both are the document's.
    """

    async def add(self, scope: TenantScope, document: Document, *, keep: Step) -> Document:
        """Store a new document and put its job into the queue.

        A document that has the same content already, and neither failed nor is being deleted, is returned instead; if
        the new one came of none, that one does not either any more: somebody brought it in themselves. An upload that
        failed with that content is begun anew by another such upload, and returned.
        `keep` is awaited before the commit, and never at the same time as `remove` deletes the same content.
        """
        ...

    async def get(self, scope: TenantScope, document_id: DocumentId) -> Document | None:
        """One document."""
        ...

    async def page(
        self,
        scope: TenantScope,
        *,
        state: State | None,
        limit: int,
        before: DocumentId | None,
        tag: str | None = None,
        filename: str | None = None,
        came_of: DocumentId | None = None,
    ) -> list[Document]:
        """At most `limit` documents, newest first, older than `before`; with `came_of` those that `led_to` counts.

        `filename` is that of the newest file, or of the one that is found.
        """
        ...

    async def led_to(self, scope: TenantScope, document_id: DocumentId) -> Counter[State]:
        """How many documents in which state came of this one, or of one that did, without those being deleted."""
        ...

    async def selected(
        self, scope: TenantScope, selection: Selection, within: Sequence[DocumentId]
    ) -> Sequence[DocumentId]:
        """Those of which something may be found, of `within` alone unless that is empty."""
        ...

    async def set_tags(self, scope: TenantScope, document_id: DocumentId, tags: tuple[str, ...]) -> Document | None:
        """The document with these tags alone; None: there is no such document, or it is being deleted."""
        ...

    async def read_again(self, scope: TenantScope, document_id: DocumentId) -> Document | None:
        """Put a document at rest back to `received`, as the next generation; one at work is left alone.

        Raises:
            Conflict: another document has the same content by now.
        """
        ...

    async def replace(self, scope: TenantScope, version: Document, *, keep: Step) -> Document | None:
        """Put a document at rest back to `received`, as the next generation, with the content of `version`.

        What was read of it is found until the new content is ready. With the content that it has, unless reading that
        failed, it is left alone. `keep` is awaited before the commit; `let_go` of the old content comes after it, or a
        crash would leave a document without its file. None: there is no such document.

        Raises:
            Conflict: it is at work, or another document has that content.
        """
        ...

    async def begin_deleting(self, scope: TenantScope, document_id: DocumentId, *, led_to: bool = False) -> bool:
        """From now on it is not found any more, and a job deletes the rest; False when there is no such document.

        With `led_to` also what came of it, in one commit; nothing comes of it afterwards.
        """
        ...

    async def claim(self, scope: TenantScope, document_id: DocumentId) -> Document | Leased | None:
        """Take the lease and begin an attempt; None when there is nothing to do, or not yet.

        Nobody is told: the attempt may find that it has to wait.

        A generation's first attempt fixes the business's settings of that moment for all that follow.
        """
        ...

    async def hold(self, scope: TenantScope, document: Document) -> bool:
        """Extend the lease; False: the attempt does not count any more."""
        ...

    async def release(self, scope: TenantScope, document: Document) -> None:
        """Give the lease back so that another attempt need not wait for its end."""
        ...

    async def put_off(
        self, scope: TenantScope, document: Document, why: Failure | None, *, pause: timedelta, cause: Cause | None
    ) -> None:
        """Take back an attempt that ended through no fault of the document, and have it tried again after `pause`.

        It is `received` again (or still being deleted), says why if that is given, and is claimed by nobody until
        then; whoever puts unfinished documents back into the queue leaves it alone as long.
        Its count in `Document.put_off` rises if there is a `cause`. Call it after `release`. Nothing happens when
        another attempt has begun, and nothing is said where its owner knows it already.
        """
        ...

    async def advance(
        self, scope: TenantScope, document: Document, state: State, progress: float, *, expected: Expected | None = None
    ) -> bool:
        """Note how far it is, and when it will be ready: it waits no more. False: the attempt does not count."""
        ...

    async def finish(self, scope: TenantScope, document: Document, reading: Reading) -> bool:
        """Replace the passages and make it ready; False: the attempt does not count any more."""
        ...

    async def fail(self, scope: TenantScope, document: Document, failure: Failure) -> State | None:
        """Say why it cannot be read. None: the attempt does not count any more.

        It is failed, or ready with what is found of an earlier reading.
        """
        ...

    async def remove(self, scope: TenantScope, document: Document, *, delete: Step) -> None:
        """Remove the rows; `delete` is awaited before the commit when no other document has the same content."""
        ...

    async def has_any(self, scope: TenantScope) -> bool:
        """Whether the business has a document, in whatever state."""
        ...

    async def let_go(
        self, scope: TenantScope, contents: Sequence[str], *, delete: Callable[[str], Awaitable[None]]
    ) -> int:
        """Await `delete` for each content (SHA-256) that no document has, nor comes to have meanwhile; how many."""
        ...

    async def cut_settings(self, scope: TenantScope) -> CutSettings:
        """What the business's documents are to be cut by."""
        ...

    async def set_cut_settings(self, scope: TenantScope, settings: CutSettings) -> None:
        """From now on documents are to be cut so; those that are ready stay as they are until they are read anew."""
        ...

    async def passages(self, scope: TenantScope, ids: Sequence[PassageId]) -> dict[PassageId, StoredPassage]:
        """Those of the passages that exist and whose document is not being deleted."""
        ...

    async def found_generation(self, scope: TenantScope, document_id: DocumentId) -> int | None:
        """The reading whose passages are kept, which may be older than the document's generation; None without any."""
        ...

    async def passages_of(self, scope: TenantScope, document_id: DocumentId, generation: int) -> list[StoredPassage]:
        """Every passage of one reading, in order."""
        ...
