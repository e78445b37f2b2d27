from dataclasses import dataclass, field

import pytest

from ingest_service.domain.document import Document, State
from ingest_service.domain.progress import Fenced, Progress
from runtime.clock import FrozenClock
from runtime.tenancy import TenantScope
from services.ingest.tests.memory_documents import MemoryDocuments
from services.ingest.tests.promises_documents import added, claimed, new_scope


@dataclass
class Attempt:
    """A document that a worker has just taken."""

    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    scope: TenantScope = field(default_factory=new_scope)
    clock: FrozenClock = field(default_factory=FrozenClock)

    async def begin(self) -> tuple[Document, Progress]:
        document = await added(self.documents, self.scope)
        document = await claimed(self.documents, self.scope, document)
        self.documents.said.clear()
        return document, Progress(document, self.scope, documents=self.documents, clock=self.clock)

    @property
    def said(self) -> list[tuple[State, float]]:
        return [(state, share) for _, state, share in self.documents.said]


async def test_a_state_is_said_at_once_and_its_shares_every_half_second():
    attempt = Attempt()
    _, progress = await attempt.begin()
    for page in range(16):
        attempt.clock.advance(0.125)
        await progress.say(State.PARSING, page / 256)
    await progress.say(State.CHUNKING, 0.1)
    assert attempt.said == [*((State.PARSING, page / 256) for page in (3, 7, 11, 15)), (State.CHUNKING, 0.1)]


async def test_a_reader_that_begins_again_does_not_turn_the_progress_back():
    attempt = Attempt()
    _, progress = await attempt.begin()
    await progress.say(State.CHUNKING, 0.1)
    attempt.clock.advance(10)
    await progress.say(State.PARSING, 0.05)
    assert attempt.said == [(State.CHUNKING, 0.1)]


async def test_an_attempt_after_a_crash_goes_on_from_what_was_said():
    attempt = Attempt()
    first, progress = await attempt.begin()
    await progress.say(State.EMBEDDING, 0.6)
    await attempt.documents.release(attempt.scope, first)
    attempt.documents.said.clear()
    second = await claimed(attempt.documents, attempt.scope, first)
    progress = Progress(second, attempt.scope, documents=attempt.documents, clock=attempt.clock)
    await progress.begin()
    for state, share in ((State.PARSING, 0.05), (State.CHUNKING, 0.1), (State.EMBEDDING, 0.15), (State.EMBEDDING, 0.7)):
        attempt.clock.advance(1)
        await progress.say(state, share)
    assert attempt.said == [
        (State.PARSING, 0.6),
        (State.CHUNKING, 0.6),
        (State.EMBEDDING, 0.6),
        (State.EMBEDDING, 0.7),
    ]


async def test_who_was_overtaken_hears_of_it():
    attempt = Attempt()
    document, progress = await attempt.begin()
    await attempt.documents.begin_deleting(attempt.scope, document.id)
    with pytest.raises(Fenced):
        await progress.say(State.CHUNKING, 0.1)
