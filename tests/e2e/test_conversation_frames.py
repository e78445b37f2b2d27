"""What sockets hear of conversations that they hold or follow: people, changes of hands, messages of others."""

from typing import Any

import pytest

from contracts.ids import uuid7
from tests.e2e.test_hand_off import command, write
from tests.support.business import Business
from tests.support.chat import Chat, Frame
from tests.support.checker import check_all
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def person(business: Business, gateway: int = 1) -> Chat:
    """The owner at a socket, at another gateway than the customer's."""
    return Chat(business.urls[gateway], business.access_token)


async def subscribe(chat: Chat, conversation_id: str) -> Frame:
    before = len(chat.others)
    await chat.send({"type": "conversation.subscribe", "conversation_id": conversation_id})
    await chat.wait_for(lambda: len(chat.others) > before)
    return chat.others[before]


async def heard(chat: Chat, *expected: tuple[str, Any]) -> None:
    """Wait until these came after all before: the status of an update, author and text of a message."""
    wanted = list(expected)
    await chat.wait_for(lambda: told(chat)[-len(wanted) :] == wanted)


def told(chat: Chat) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for frame in chat.others:
        if frame["type"] == "conversation.updated":
            found.append(("updated", frame["status"]))
        elif frame["type"] == "message.created":
            found.append((frame["message"]["author"], frame["message"]["content"]))
    return found


async def test_a_customer_hears_the_person_and_whose_turn_it_is(business: Business) -> None:
    async with business.chat() as chat:
        first = await chat.answered()
        # How it stands is told, not each step to there: each is waited for.
        await command(business, first.conversation_id, "escalate", reason="asked")
        await heard(chat, ("updated", "waiting_for_person"))
        await command(business, first.conversation_id, "assign")
        await heard(chat, ("updated", "with_person"))
        await write(business, first.conversation_id, "A note", internal=True)
        written = await write(business, first.conversation_id, "I am here.")
        await command(business, first.conversation_id, "hand-back")
        await heard(chat, ("person", "I am here."), ("updated", "active"))
        await command(business, first.conversation_id, "resolve")
        await heard(chat, ("updated", "resolved"))
        assert told(chat) == [
            ("updated", "waiting_for_person"),
            ("updated", "with_person"),
            ("person", "I am here."),
            ("updated", "active"),
            ("updated", "resolved"),
        ]
        (created,) = chat.of_type("message.created")
        assert created["conversation_id"] == first.conversation_id
        assert created["message"]["id"] == written["id"]
        # what people say among themselves is not for the customer's side
        assert {frame["reason"] for frame in chat.of_type("conversation.updated")[:2]} == {""}
        assert all(frame.get("assignee") is None for frame in chat.of_type("conversation.updated"))
    await check_all(business, chat.answers)


async def test_a_person_follows_a_conversation_live(business: Business) -> None:
    async with business.chat() as chat, person(business) as inbox:
        first = await chat.answered("First")
        state = await subscribe(inbox, first.conversation_id)
        assert (state["type"], state["status"]) == ("conversation.updated", "active")
        second = await chat.answered("Second", conversation_id=first.conversation_id)
        await heard(inbox, ("updated", "active"), ("customer", "Second"), ("machine", second.shown))
        await command(business, first.conversation_id, "assign")
        third = await chat.answered("Third", conversation_id=first.conversation_id)
        await heard(inbox, ("updated", "with_person"), ("customer", "Third"), ("machine", third.shown))
        await inbox.send({"type": "conversation.unsubscribe", "conversation_id": first.conversation_id})
        other = await chat.answered("Elsewhere")
        await subscribe(inbox, other.conversation_id)
        await write(business, first.conversation_id, "Unheard")
        await write(business, other.conversation_id, "Heard", author="person")
        await heard(inbox, ("updated", "with_person"), ("person", "Heard"))
        assert ("person", "Unheard") not in told(inbox)
        await heard(chat, ("updated", "with_person"), ("person", "Heard"))
        assert ("person", "Unheard") in told(chat)
        assert [kind for kind, _ in told(chat)].count("customer") == 0
    await check_all(business, chat.answers)


async def test_people_hear_that_somebody_waits_and_programs_do_not(business: Business) -> None:
    async with business.chat() as chat, business.chat(1) as program, person(business) as inbox:
        first = await chat.answered()
        await command(business, first.conversation_id, "escalate")
        await heard(inbox, ("updated", "waiting_for_person"))
        await program.answered()
        assert told(program) == []
    await check_all(business, [*chat.answers, *program.answers])


async def test_who_follows_and_asks_is_not_told_what_it_knows(business: Business) -> None:
    async with business.chat() as chat, person(business) as inbox:
        first = await chat.answered("First")
        await subscribe(chat, first.conversation_id)
        await subscribe(inbox, first.conversation_id)
        await chat.answered("Second", conversation_id=first.conversation_id)
        third = await inbox.answered("Third", conversation_id=first.conversation_id)
        await heard(chat, ("customer", "Third"), ("machine", third.shown))
        assert ("customer", "Second") in told(inbox)
        assert ("customer", "Second") not in told(chat)
        assert ("customer", "Third") not in told(inbox)
    await check_all(business, [*chat.answers, *inbox.answers])


async def test_who_resumes_an_answer_and_follows_hears_it_once(business: Business) -> None:
    async with business.chat() as chat:
        first = await chat.answered("First")
        where = {"conversation_id": first.conversation_id}
        answer = await chat.reached(await chat.ask("Second", model="ollama/simulated-n40-r20", **where), 3)
        await chat.open()
        await subscribe(chat, first.conversation_id)
        # Asked again it is the same message, known to this socket too.
        await chat.send(answer.question)
        await chat.ended(answer)
        await write(business, first.conversation_id, "Last", author="person")
        await heard(chat, ("updated", "with_person"), ("person", "Last"))
        assert [author for author, _ in told(chat)] == ["updated", "updated", "person"]


async def test_the_conversation_of_another_business_is_heard_by_nobody(business: Business, stage: Stage) -> None:
    other = await stage.business()
    async with business.chat() as chat, person(other) as thief:
        first = await chat.answered()
        for id_ in (first.conversation_id, str(uuid7())):
            refused = await subscribe(thief, id_)
            assert (refused["type"], refused["code"], refused["in_reply_to"]) == ("error", "not_found", id_)
        asked = await thief.ended(await thief.ask("Mine?", conversation_id=first.conversation_id))
        assert asked.refused is not None
        await write(business, first.conversation_id, "Between us", author="person")
        await heard(chat, ("person", "Between us"))
        await thief.answered()
        assert told(thief) == []


async def test_a_customer_who_comes_back_in_the_middle_hears_people_too(business: Business) -> None:
    async with business.chat() as chat:
        answer = await chat.reached(await chat.ask("Long", model="ollama/simulated-n100-r20"), 2)
    async with chat:
        await chat.ended(answer)
        await write(business, answer.conversation_id, "Welcome back", author="person")
        await heard(chat, ("person", "Welcome back"))
    await check_all(business, chat.answers)


async def test_a_socket_follows_fifty_conversations_at_most(business: Business) -> None:
    async with business.chat() as chat, person(business) as inbox:
        first = await chat.answered()
        more = [await chat.answered() for _ in range(50)]
        ids = [answer.conversation_id for answer in (first, *more)]
        frames = [await subscribe(inbox, id_) for id_ in ids]
        assert [frame["type"] for frame in frames] == ["conversation.updated"] * 50 + ["error"]
        await inbox.send({"type": "conversation.unsubscribe", "conversation_id": ids[0]})
        assert (await subscribe(inbox, ids[-1]))["type"] == "conversation.updated"
