"""Closing a knowledge gap over HTTP: the answer goes the way of any document, once."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import pytest

from contracts.gaps import CLOSE_GAP, GET_GAP, LIST_GAPS, Gap, GapReply, Gaps
from contracts.ids import DocumentId, GapId, uuid7
from contracts.ingest import GET_DOCUMENT, REGISTER_DOCUMENT, Document, DocumentReply, RegisterDocument
from gateway_service.domain.resolve_gap import written
from runtime.errors import NotFound
from services.gateway.tests.memory import TENANT, Edge

NOW = datetime(2026, 3, 2, tzinfo=UTC)
GAP = Gap(
    id=GapId(uuid7()),
    question="Do you ship\nto Norway?",
    language="en",
    count=2,
    examples=(),
    state="open",
    document_id=None,
    first_seen=NOW,
    last_seen=NOW,
)
PATH = f"/api/knowledge/gaps/{GAP.id}/resolve"


REQUEST = RegisterDocument(document_id=DocumentId(uuid7()), inbox_name=str(uuid7()), filename="first.md", size_bytes=1)


@pytest.fixture
def edge() -> Edge:
    made = Edge()
    made.services.tell(GET_GAP, GapReply(gap=GAP))
    made.services.tell(CLOSE_GAP, GapReply(gap=GAP))
    return made


def registered(request: RegisterDocument) -> DocumentReply:
    document = Document(
        id=request.document_id,
        title=request.filename,
        filename=request.filename,
        media_type="text/markdown",
        size_bytes=request.size_bytes,
        state="received",
        progress=0.0,
        pages=0,
        passages=0,
        language=None,
        error=None,
        created_at=NOW,
        updated_at=NOW,
    )
    return DocumentReply(document=document)


async def test_an_answer_becomes_a_document_named_by_the_question(edge: Edge):
    edge.services.tell(REGISTER_DOCUMENT, registered)
    assert (await edge.call("POST", PATH, json={"answer": " Yes, for 19 €. "})).status_code == 200
    register = next(asked for verb, asked, _ in edge.services.asked if verb == "register_document")
    assert register.filename == "Do you ship to Norway.md"
    content = edge.inbox.files[TENANT, register.inbox_name]
    assert content.decode() == "# Do you ship to Norway?\n\nYes, for 19 €.\n"
    assert register.size_bytes == len(content)
    close = next(asked for verb, asked, _ in edge.services.asked if verb == "close_gap")
    assert close.document_id == register.document_id


async def test_the_same_answer_twice_comes_under_one_key(edge: Edge):
    edge.services.tell(REGISTER_DOCUMENT, registered)
    for answer in ("Yes.", "Yes.", "No."):
        await edge.call("POST", PATH, json={"answer": answer})
    keys = [asked.idempotency for verb, asked, _ in edge.services.asked if verb == "register_document"]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("state", ["deleting", None])
async def test_an_answer_whose_document_was_deleted_is_added_again(edge: Edge, state: Literal["deleting"] | None):
    first = registered(REQUEST).document
    gone = NotFound() if state is None else DocumentReply(document=first.model_copy(update={"state": state}))
    edge.services.tell(GET_DOCUMENT, gone)

    def known_by_its_key(request: RegisterDocument) -> DocumentReply:
        return DocumentReply(document=first) if request.idempotency else registered(request)

    edge.services.tell(REGISTER_DOCUMENT, known_by_its_key)
    await edge.call("POST", PATH, json={"answer": "Yes."})
    _, again = [asked for verb, asked, _ in edge.services.asked if verb == "register_document"]
    close = next(asked for verb, asked, _ in edge.services.asked if verb == "close_gap")
    assert close.document_id == again.document_id != first.id
    assert (TENANT, again.inbox_name) in edge.inbox.files


async def test_another_answer_is_a_new_version_of_the_first(edge: Edge):
    first = registered(REQUEST).document
    edge.services.tell(GET_GAP, GapReply(gap=GAP.model_copy(update={"state": "resolved", "document_id": first.id})))
    edge.services.tell(GET_DOCUMENT, DocumentReply(document=first))
    edge.services.tell(REGISTER_DOCUMENT, DocumentReply(document=first))
    assert (await edge.call("POST", PATH, json={"answer": "No."})).status_code == 200
    (asked,) = [asked for verb, asked, _ in edge.services.asked if verb == "register_document"]
    assert (asked.replaces, asked.idempotency) == (first.id, None)


async def test_without_an_answer_it_is_dismissed_and_nothing_is_stored(edge: Edge):
    assert (await edge.call("POST", PATH)).status_code == 200
    close = next(asked for verb, asked, _ in edge.services.asked if verb == "close_gap")
    assert close.document_id is None
    assert edge.inbox.files == {}


async def test_nothing_stays_in_the_inbox_when_ingest_is_away(edge: Edge):
    answer = await edge.call("POST", PATH, json={"answer": "Yes."})
    assert answer.status_code == 503
    assert edge.inbox.files == {}
    assert "close_gap" not in [verb for verb, _, _ in edge.services.asked]


async def test_a_gap_of_nobody_stores_nothing(edge: Edge):
    edge.services.tell(GET_GAP, NotFound())
    assert (await edge.call("POST", PATH, json={"answer": "Yes."})).status_code == 404
    assert edge.inbox.files == {}


async def test_an_empty_answer_is_refused(edge: Edge):
    assert (await edge.call("POST", PATH, json={"answer": ""})).status_code == 422


async def test_the_list_is_of_open_gaps_unless_told_otherwise(edge: Edge):
    edge.services.tell(LIST_GAPS, Gaps(items=(GAP,), next_cursor=None))
    answer = await edge.call("GET", "/api/knowledge/gaps")
    assert UUID(answer.json()["items"][0]["id"]) == GAP.id
    await edge.call("GET", "/api/knowledge/gaps?state=dismissed")
    assert [asked.state for _, asked, _ in edge.services.asked] == ["open", "dismissed"]
    assert (await edge.call("GET", "/api/knowledge/gaps?state=odd")).status_code == 422


def test_a_title_stands_above_the_question():
    assert written("# Shipping", "To Norway?", "Yes.") == "# Shipping\n\n## To Norway?\n\nYes.\n"
