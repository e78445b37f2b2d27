"""Answers that are checked against what they cite, why they were given, and questions that found nothing good."""

import json
from typing import Any

import pytest

from runtime.testing.scripted_server import Script
from tests.e2e.test_knowledge import EXTRACTIVE, RETURNS, TENTS, asked, ready, upload
from tests.support.business import Business
from tests.support.chat import Answer
from tests.support.checker import check_all
from tests.support.platform import eventually
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

QUESTION = "How many days do I have to return something?"
NORWAY = "Do you ship tents to Norway?"


async def trace_of(business: Business, answer: Answer) -> Any:
    end: Any = answer.end
    return await business.call("GET", f"/api/conversations/{answer.conversation_id}/messages/{end['message_id']}/trace")


async def gaps_of(business: Business, *counts: int, state: str = "open") -> list[Any]:
    """Wait until there are as many gaps as counts, asked so often."""
    found: list[Any] = []

    async def there() -> bool:
        found[:] = (await business.call("GET", f"/api/knowledge/gaps?state={state}"))["items"]
        return sorted(gap["count"] for gap in found) == sorted(counts)

    await eventually(there, timeout_s=30, every_s=0.5)
    return found


async def test_a_quotation_is_fully_supported_and_shows_where_it_stands(stage: Stage) -> None:
    business = await stage.business(EXTRACTIVE)
    document = await upload(business, "returns.md", RETURNS.encode())
    await ready(business, document)
    answer = await asked(business, QUESTION)
    end: Any = answer.end
    assert any("30 days" in source["quote"] for source in end["sources"])
    for source in end["sources"]:
        assert RETURNS[source["start"] : source["end"]] == source["quote"] != ""
    trace = await trace_of(business, answer)
    assert {one["verdict"] for one in trace["sentences"]} == {"supported"}
    assert (trace["supported_share"], trace["gap"], trace["query"]) == (1.0, None, QUESTION)
    assert trace["confidence"] == end["confidence"]
    assert trace["hits"][0]["document_id"] == document["id"]
    assert trace["hits"][0]["bm25"] is not None
    assert [one["outcome"] for one in trace["models"]] == ["answered"]
    assert trace["agent_updated_at"]


async def test_a_wrong_number_is_found_out_and_told_to_nobody_but_the_business(stage: Stage) -> None:
    stage.model.models["simulated-liar"] = Script(say="You can return anything within 45 days of delivery [1].")
    business, other = await stage.business("ollama/simulated-liar"), await stage.business(EXTRACTIVE)
    await ready(business, await upload(business, "returns.md", RETURNS.encode()))
    answer = await asked(business, QUESTION)
    assert "45 days" in answer.shown
    assert answer.end is not None
    assert answer.end["confidence"] == 0
    trace = await trace_of(business, answer)
    assert [(one["verdict"], one["reason"]) for one in trace["sentences"]] == [("unsupported", "number")]
    assert trace["prompt"]["passages"]
    assert trace["prompt"]["budget_tokens"] > 0
    path = f"/api/conversations/{answer.conversation_id}/messages/{answer.end['message_id']}/trace"
    assert await other.refused("GET", path) == (404, "not_found")
    (gap,) = await gaps_of(business, 1)
    assert (gap["question"], gap["examples"][0]["reason"]) == (QUESTION, "unsupported")


async def test_an_agent_hedges_or_removes_what_the_documents_do_not_bear_out(stage: Stage) -> None:
    true, false = "You can return anything within 30 days of delivery [1].", "You have 45 days to return it [1]."
    stage.model.models["simulated-half"] = Script(say=f"{false} {true} Anything else?")
    stage.model.models["simulated-wrong"] = Script(say=false)
    business = await stage.business("ollama/simulated-half", unsupported="hedge")
    await ready(business, await upload(business, "returns.md", RETURNS.encode()))
    path = f"/api/agent/{business.agent_id}"
    assert (await business.call("GET", path))["unsupported"] == "hedge"
    assert await business.refused("PUT", path, json={"unsupported": "censor"}) == (422, "invalid_request")

    hedged = await asked(business, QUESTION)
    assert hedged.shown == f"{false} (Not confirmed by our documents.) {true} Anything else?"
    assert [one["action"] for one in (await trace_of(business, hedged))["sentences"]] == ["hedged", "shown", "shown"]

    assert (await business.call("PUT", path, json={"unsupported": "remove"}))["unsupported"] == "remove"
    removed = await asked(business, QUESTION)
    assert removed.end is not None
    assert removed.shown == removed.end["content"] == f"{true} Anything else?"
    trace = await trace_of(business, removed)
    assert [(one["action"], one["verdict"]) for one in trace["sentences"]] == [
        ("removed", "unsupported"),
        ("shown", "supported"),
        ("shown", "no_claim"),
    ]
    assert "45 days" not in json.dumps(trace)
    assert (trace["supported_share"], trace["confidence"]) == (0.5, removed.end["confidence"])
    assert trace["timings_ms"]["first_shown"] >= trace["timings_ms"]["first_token"]

    await business.call("PUT", path, json={"model": "ollama/simulated-wrong"})
    refused = await asked(business, QUESTION)
    assert refused.shown == "I could not find an answer to that in our documents."
    await check_all(business, [hedged, removed, refused])


async def test_what_was_asked_in_vain_is_gathered_and_an_answer_closes_it(stage: Stage) -> None:
    business, other = await stage.business(EXTRACTIVE), await stage.business(EXTRACTIVE)
    await ready(business, await upload(business, "tents.md", TENTS.encode()))
    for question in (NORWAY, "Do you ship a tent to Norway?"):
        assert (await asked(business, question)).end["sources"] == []  # type: ignore[index] # an ended answer
    (gap,) = await gaps_of(business, 2)
    assert await gaps_of(other) == []
    path = f"/api/knowledge/gaps/{gap['id']}"
    assert await other.refused("POST", f"{path}/resolve", json={}) == (404, "not_found")
    closed = await business.call("POST", f"{path}/resolve", json={"answer": "We ship tents to Norway for 19 €."})
    again = await business.call("POST", f"{path}/resolve", json={"answer": "We ship tents to Norway for 19 €."})
    assert (closed["state"], again["document_id"]) == ("resolved", closed["document_id"])
    document = await ready(business, {"id": closed["document_id"]})
    assert document["filename"] == "Do you ship tents to Norway.md"
    assert "19 €" in (await asked(business, NORWAY)).shown
    other_answer = await business.call("POST", f"{path}/resolve", json={"answer": "We ship tents to Norway for 21 €."})
    assert other_answer["document_id"] == closed["document_id"]
    await ready(business, {"id": closed["document_id"]})
    shown = (await asked(business, NORWAY)).shown
    assert "21 €" in shown
    assert "19 €" not in shown
    assert [one["id"] for one in await gaps_of(business, 2, state="resolved")] == [gap["id"]]
    assert (await business.call("POST", f"{path}/reopen"))["state"] == "open"
    assert (await business.call("POST", f"{path}/resolve"))["state"] == "dismissed"
    assert await gaps_of(business) == []
