"""From an upload to a cited answer: a business's own documents, with no model but the built-in answerer."""

import re
from typing import Any

import pytest

from tests.support.business import Business
from tests.support.chat import Answer
from tests.support.checker import check_all
from tests.support.platform import eventually
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

EXTRACTIVE = "extractive/sentences"
RETURNS = """# Returns and exchanges

## How long you can return something

You can return anything you bought from us within 30 days of delivery. A return after three weeks is therefore still in
time. After 30 days we no longer take an item back, unless it is faulty.

## Refunds

We refund the price within 5 working days after the parcel has reached us, in the way you paid.
"""
TENTS = """# Tents

The Ridge tent weighs 1.9 kg and sleeps two. Its poles are made of aluminium, its floor of coated nylon.
"""


async def upload(business: Business, filename: str, content: bytes, media_type: str = "text/markdown") -> Any:
    """Register a file; returns the document as it was received."""
    return await business.call("POST", "/api/documents", files={"file": (filename, content, media_type)})


async def ready(business: Business, document: Any, *, state: str = "ready") -> Any:
    """Wait until it is read to its end."""

    async def has_ended() -> Any:
        now = await business.call("GET", f"/api/documents/{document['id']}")
        return now if now["state"] in {"ready", "failed"} else None

    ended = await eventually(has_ended, timeout_s=60, every_s=0.25)
    assert ended["state"] == state, ended
    return ended


async def asked(business: Business, question: str, **fields: Any) -> Answer:
    async with business.chat() as chat:
        answer = await chat.answered(question, options={"use_knowledge": True, **fields.pop("options", {})}, **fields)
    assert answer.end is not None, answer.refused
    assert answer.end["type"] == "message.completed", answer.end
    return answer


async def test_an_uploaded_document_answers_with_its_citation(stage: Stage) -> None:
    business = await stage.business(EXTRACTIVE)
    returns = await upload(business, "returns.md", RETURNS.encode())
    tents = await upload(business, "tents.md", TENTS.encode())
    assert returns["state"] in {"received", "parsing", "chunking", "embedding", "ready"}
    for document in (returns, tents):
        assert (await ready(business, document))["progress"] == 1
    answer = await asked(business, "Can I return something after three weeks?")
    end: Any = answer.end
    assert "30 days" in end["content"] or "three weeks" in end["content"]
    assert re.search(r"\[\d+\]", end["content"])
    assert {source["document_id"] for source in end["sources"]} == {returns["id"]}
    assert end["sources"][0]["title"]
    assert 0 < end["confidence"] <= 1
    _, stored = await business.messages(answer.conversation_id)
    assert stored["sources"] == end["sources"]
    await check_all(business, [answer])


async def test_a_question_that_the_documents_do_not_answer_gets_an_honest_no(stage: Stage) -> None:
    business = await stage.business(EXTRACTIVE)
    await ready(business, await upload(business, "tents.md", TENTS.encode()))
    answer = await asked(business, "Who was the president of France in 1974?")
    end: Any = answer.end
    assert end["sources"] == []
    assert not re.search(r"\[\d+\]", end["content"])
    assert "tent" not in end["content"].lower()
    assert end["content"]
    await check_all(business, [answer])


async def test_a_model_is_given_the_passages_and_its_citations_become_sources(stage: Stage) -> None:
    business = await stage.business()
    document = await upload(business, "tents.md", TENTS.encode())
    await ready(business, document)
    answer = await asked(business, "What does the Ridge tent weigh?")
    (generation,) = stage.generations("What does the Ridge tent weigh?")
    assert "1.9 kg" in str(generation.body["messages"])
    started = next(frame for frame in answer.frames if frame["type"] == "message.started")
    assert {source["document_id"] for source in started["sources"]} == {document["id"]}
    # It cited nothing, so nothing is told as its source.
    assert answer.end is not None
    assert answer.end["sources"] == []


async def test_the_built_in_answerer_takes_over_when_the_model_is_away(stage: Stage) -> None:
    business = await stage.business("ollama/simulated-f503", fallbacks=[EXTRACTIVE])
    await ready(business, await upload(business, "returns.md", RETURNS.encode()))
    answer = await asked(business, "How many days do I have to return something?")
    assert "30 days" in answer.shown
    started = next(frame for frame in answer.frames if frame["type"] == "message.started")
    assert started["model"] == EXTRACTIVE
    await check_all(business, [answer])


async def test_another_business_finds_nothing_of_it(stage: Stage) -> None:
    owner, other = await stage.business(EXTRACTIVE), await stage.business(EXTRACTIVE)
    document = await upload(owner, "returns.md", RETURNS.encode())
    await ready(owner, document)
    assert (await owner.call("POST", "/api/search", json={"query": "return after three weeks"}))["items"]
    assert (await other.call("POST", "/api/search", json={"query": "return after three weeks"}))["items"] == []
    assert await other.refused("GET", f"/api/documents/{document['id']}") == (404, "not_found")
    assert await other.refused("DELETE", f"/api/documents/{document['id']}") == (404, "not_found")
    answer = await asked(other, "Can I return something after three weeks?")
    assert "30 days" not in answer.shown
    assert answer.end is not None
    assert answer.end["sources"] == []


@pytest.mark.parametrize(
    ("filename", "content", "status", "code"),
    [
        ("empty.md", b"", 422, "empty_document"),
        ("picture.md", b"GIF89a" + b"\0" * 64, 415, "unsupported_type"),
        ("archive.txt", b"\x1f\x8b\x08\x00" + b"\0" * 64, 415, "unsupported_type"),
    ],
)
async def test_a_file_that_is_no_text_is_refused_whatever_its_name_says(
    business: Business, filename: str, content: bytes, status: int, code: str
) -> None:
    answer = await business.refused("POST", "/api/documents", files={"file": (filename, content, "text/plain")})
    assert answer == (status, code)
    assert (await business.call("GET", "/api/documents"))["items"] == []


@pytest.mark.parametrize(
    ("filename", "content", "code", "kind"),
    [
        ("blank.txt", b" \n\t \n", "empty_document", "application/octet-stream"),
        ("noise.txt", bytes(range(256)) * 64, "unsupported_type", "application/octet-stream"),
        ("broken.txt", b"%PDF-1.7 and nothing else", "unreadable_document", "application/pdf"),
        ("signs.txt", b"?!\n", "empty_document", "text/plain"),
        ("archive.txt", b"PK\x03\x04" + b"\0" * 64, "unreadable_document", "application/octet-stream"),
    ],
)
async def test_a_file_that_only_reading_shows_to_be_none_fails_with_the_reason(
    business: Business, filename: str, content: bytes, code: str, kind: str
) -> None:
    document = await ready(business, await upload(business, filename, content, "text/plain"), state="failed")
    assert document["error"]["code"] == code
    assert document["error"]["detail"]
    assert (document["passages"], document["media_type"]) == (0, kind)


async def test_a_deleted_document_answers_no_more(stage: Stage) -> None:
    business = await stage.business(EXTRACTIVE)
    document = await upload(business, "returns.md", RETURNS.encode())
    await ready(business, document)
    await business.call("DELETE", f"/api/documents/{document['id']}")

    async def is_gone() -> bool:
        found = await business.call("POST", "/api/search", json={"query": "return after three weeks"})
        return bool(found["items"] == [])

    await eventually(is_gone, timeout_s=30)
    assert "30 days" not in (await asked(business, "Can I return something after three weeks?")).shown
