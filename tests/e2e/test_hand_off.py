"""People who take a conversation from the machine and give it back, on every service as a process."""

from typing import Any
from uuid import uuid4

import pytest

from contracts.ids import uuid7
from inference_service.domain.notice import notice
from runtime.testing.scripted_server import Script
from tests.e2e.test_grounding import trace_of
from tests.e2e.test_knowledge import RETURNS, asked, ready, upload
from tests.support import scenarios
from tests.support.business import Business
from tests.support.chat import Answer, Chat
from tests.support.checker import check_all
from tests.support.platform import eventually
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

LONG = "ollama/simulated-n200-r20"


async def command(business: Business, conversation_id: str, name: str, **body: Any) -> Any:
    return await business.call("POST", f"/api/conversations/{conversation_id}/{name}", json=body)


async def write(business: Business, conversation_id: str, content: str, **body: Any) -> Any:
    return await business.call(
        "POST", f"/api/conversations/{conversation_id}/messages", json={"content": content, **body}
    )


async def said(business: Business, conversation_id: str) -> list[tuple[str, str]]:
    return [(one["author"], one["content"]) for one in await business.messages(conversation_id) if one["content"]]


def ended(answer: Answer) -> tuple[str, str]:
    assert answer.end is not None
    assert answer.end["content"] == answer.shown
    return answer.end["finish_reason"], answer.end["content"]


async def test_a_conversation_goes_to_a_person_and_back(business: Business) -> None:
    async with business.chat() as chat:
        first = await chat.answered()
        where = {"conversation_id": first.conversation_id}
        waiting = await command(business, first.conversation_id, "escalate", reason="She is angry")
        assert (waiting["status"], waiting["reason"], waiting["assignee"]) == (
            "waiting_for_person",
            "She is angry",
            None,
        )
        listed = await business.call("GET", "/api/conversations?status=waiting_for_person")
        assert [one["id"] for one in listed["items"]] == [first.conversation_id]

        assert ended(await chat.answered("Where are you?", **where)) == ("handed_over", notice("en"))
        assert ended(await chat.answered("Hello?", **where)) == ("handed_over", "")
        taken = await command(business, first.conversation_id, "assign")
        assert (taken["status"], taken["reason"]) == ("with_person", "She is angry")
        assert await command(business, first.conversation_id, "assign") == taken
        written = await write(business, first.conversation_id, "I am here.")
        assert (written["author"], written["person"]) == ("person", taken["assignee"])
        await write(business, first.conversation_id, "A friend of the house", internal=True)
        assert ended(await chat.answered("At last", **where)) == ("handed_over", "")

        path = f"/api/conversations/{first.conversation_id}/hand-back"
        unseen = await business.refused("POST", path, json={"seen": written["id"]})
        assert unseen == (409, "unseen_message")
        last = (await business.messages(first.conversation_id))[-1]["id"]
        assert (await command(business, first.conversation_id, "hand-back", seen=last))["status"] == "active"
        assert ended(await chat.answered("And you?", **where))[0] == "stop"
        assert (await command(business, first.conversation_id, "resolve"))["status"] == "resolved"
        assert ended(await chat.answered("One more thing", **where))[0] == "stop"
    found = await business.call("GET", f"/api/conversations/{first.conversation_id}")
    assert (found["status"], found["reason"]) == ("reopened", "customer_wrote")
    texts = [content for author, content in await said(business, first.conversation_id) if author != "machine"]
    assert texts == [
        "Hello?",
        "Where are you?",
        "Hello?",
        "I am here.",
        "A friend of the house",
        "At last",
        "And you?",
        "One more thing",
    ]
    headers = {"Authorization": f"Bearer {business.api_key}"}
    path = f"/api/conversations/{first.conversation_id}/messages"
    seen = (await business.rest.get(path, headers=headers)).json()["items"]
    assert [one["content"] for one in seen if one["internal"] or "friend" in one["content"]] == []
    await check_all(business, chat.answers)


async def test_a_person_who_steps_in_silences_the_machine_at_once(business: Business, stage: Stage) -> None:
    question = f"Tell me {uuid4().hex}"
    async with business.chat() as chat:
        answer = await chat.reached(await chat.ask(question, model=LONG), 3)
        await write(business, answer.conversation_id, "I will take this.", author="person")
        await chat.ended(answer)
        # A new attempt took the half text from the screen, and nothing of the old one was stored.
        assert ended(answer) == ("handed_over", "")
        assert await said(business, answer.conversation_id) == [("customer", question), ("person", "I will take this.")]
    (generation,) = stage.generations(question)
    await eventually(lambda: generation.outcome == "client_gone")
    await check_all(business, chat.answers)


async def test_what_is_being_answered_when_its_conversation_is_resolved_opens_it_again(business: Business) -> None:
    async with business.chat() as chat:
        answer = await chat.reached(await chat.ask("Are you done?", model="ollama/simulated-n40-r20"), 3)
        assert (await command(business, answer.conversation_id, "resolve"))["status"] == "resolved"
        await chat.ended(answer)
        reason, content = ended(answer)
    assert (reason, answer.attempt) == ("stop", 2)
    assert await said(business, answer.conversation_id) == [("customer", "Are you done?"), ("machine", content)]
    found = await business.call("GET", f"/api/conversations/{answer.conversation_id}")
    assert (found["status"], found["reason"]) == ("reopened", "customer_wrote")
    await check_all(business, chat.answers)


async def test_an_agent_hands_over_what_the_documents_do_not_bear_out(stage: Stage) -> None:
    true, false = "You can return anything within 30 days of delivery [1].", "You have 45 days to return it [1]."
    stage.model.models["simulated-unsure"] = Script(say=f"{true} {false} {true}")
    business = await stage.business("ollama/simulated-unsure", unsupported="hand_over")
    assert (await business.call("GET", f"/api/agent/{business.agent_id}"))["unsupported"] == "hand_over"
    await ready(business, await upload(business, "returns.md", RETURNS.encode()))
    answer = await asked(business, "How many days do I have to return something?")
    assert ended(answer) == ("handed_over", f"{true}\n\n{notice('en')}")
    found = await business.call("GET", f"/api/conversations/{answer.conversation_id}")
    assert (found["status"], found["reason"]) == ("waiting_for_person", "unsupported")
    trace = await trace_of(business, answer)
    assert [(one["action"], one["reason"], one["text"]) for one in trace["sentences"]] == [
        ("shown", "alike", true.removesuffix(" [1].") + "."),
        ("handed_over", "number", ""),
        ("shown", None, notice("en")),
    ]
    async with business.chat() as chat:
        more = await chat.answered("And then?", conversation_id=answer.conversation_id)
        assert ended(more) == ("handed_over", "")
        await command(business, answer.conversation_id, "hand-back")
        again = await chat.answered("And then?", conversation_id=answer.conversation_id)
        assert ended(again)[0] == "stop"
    await check_all(business, [answer, more, again])


async def test_a_worker_that_dies_after_a_hand_over_leaves_it_as_it_is(stage: Stage, business: Business) -> None:
    async with business.chat() as chat:
        first = await chat.answered()
        await command(business, first.conversation_id, "escalate")
        answer = await chat.ask("Is anybody there?", conversation_id=first.conversation_id)
        await chat.accepted(answer)
        for name in stage.platform.worker_names():
            await scenarios.kill(stage, name)
        await chat.follow(timeout_s=90)
        assert ended(answer) == ("handed_over", notice("en"))
    found = await business.call("GET", f"/api/conversations/{first.conversation_id}")
    assert found["status"] == "waiting_for_person"
    await check_all(business, chat.answers)


async def test_a_customer_who_asks_for_a_person_in_words_gets_one(business: Business, stage: Stage) -> None:
    question = "Can I talk to a human about my order?"
    async with business.chat() as chat:
        assert ended(await chat.answered("Do I have to talk to a person?"))[0] == "stop"
        answer = await chat.answered(question)
        assert ended(answer) == ("handed_over", notice("en"))
        assert stage.generations(question) == []
        await chat.wait_for(lambda: chat.of_type("conversation.updated"))
        (updated,) = chat.of_type("conversation.updated")
        assert (updated["status"], updated["reason"]) == ("waiting_for_person", "customer_asked")
        assert ended(await chat.answered("Hello?", conversation_id=answer.conversation_id)) == ("handed_over", "")
    await check_all(business, chat.answers)


async def test_a_message_that_is_sent_again_stays_whose_it_was(business: Business) -> None:
    async with business.chat() as chat:
        first = await chat.answered()
    path = f"/api/conversations/{first.conversation_id}/messages"

    async def sent(key: str, **body: Any) -> Any:
        return await business.call("POST", path, json={"content": key, **body}, headers={"Idempotency-Key": key})

    asked_ = await sent("as customer")
    await command(business, first.conversation_id, "escalate")
    again = await sent("as customer")
    assert (again["message_id"], again["duplicate"]) == (asked_["message_id"], True)
    written = await sent("as person")
    assert written["author"] == "person"
    await command(business, first.conversation_id, "hand-back")
    assert await sent("as person") == await sent("as person", author="person") == written
    headers = {**business.bearer, "Idempotency-Key": "as person"}
    other = await business.rest.post(path, json={"content": "as person", "author": "customer"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    found = [one for one in await said(business, first.conversation_id) if one[1].startswith("as ")]
    assert found == [("customer", "as customer"), ("person", "as person")]


async def test_another_business_and_a_program_get_nowhere(business: Business, stage: Stage) -> None:
    other = await stage.business()
    async with business.chat() as chat:
        first = await chat.answered()
    for name in ("escalate", "assign", "hand-back", "resolve"):
        for id_ in (first.conversation_id, str(uuid7())):
            assert await other.refused("POST", f"/api/conversations/{id_}/{name}") == (404, "not_found")
        program = Chat(business.urls[0], business.api_key)
        answer = await business.rest.post(
            f"/api/conversations/{first.conversation_id}/{name}",
            headers={"Authorization": f"Bearer {program.token}"},
        )
        assert answer.status_code == (200 if name == "escalate" else 403)
