"""Conversations that change hands, on the real database: what is stale is never stored, whoever comes at once."""

import asyncio
import contextvars
from collections.abc import AsyncIterator

import pytest

from contracts.hand_off import ChooseAuthor, WriteMessage
from contracts.ids import ClientMessageId, ConversationId, MessageId, UserId, uuid7
from contracts.inference import AcceptTurn, Conversation, ListConversations, ListMessages
from contracts.paging import Idempotency, Order
from inference_service.domain.standing import (
    CUSTOMER_ASKED,
    UNSUPPORTED,
    Move,
    assigned,
    escalated,
    handed_back,
    resolved,
)
from inference_service.domain.turn import Ended, LeasedTurn, Outcome
from inference_service.outbound.postgres_conversations import PostgresConversations
from inference_service.outbound.postgres_hand_offs import PostgresHandOffs
from inference_service.outbound.postgres_turns import PostgresTurns
from inference_service.outbound.turn_ending import LOCK
from runtime.db import Database
from runtime.errors import Conflict, NotFound, Rejected
from runtime.tenancy import TenantScope
from tests.integration.test_inference_traces import leased, new_scope
from tests.support.platform import Platform, eventually

pytestmark = pytest.mark.integration

ADA, GRACE = UserId(uuid7()), UserId(uuid7())
SAID = Outcome(content="You can.", finish_reason="stop", model="a/m")


@pytest.fixture(scope="module")
async def database(platform: Platform) -> AsyncIterator[Database]:
    made = Database(platform.postgres_url("inference_app"), pool_size=4)
    yield made
    await made.close()


@pytest.fixture
def turns(database: Database) -> PostgresTurns:
    return PostgresTurns(database, running_limit=8, queued_limit=8)


@pytest.fixture
def hands(database: Database) -> PostgresHandOffs:
    return PostgresHandOffs(database)


async def written(turns: PostgresTurns, scope: TenantScope, conversation_id: ConversationId) -> AcceptTurn:
    """The customer writes again."""
    request = AcceptTurn(
        client_message_id=ClientMessageId(uuid7()),
        conversation_id=conversation_id,
        is_new_conversation=False,
        message_id=MessageId(uuid7()),
        customer_message_id=MessageId(uuid7()),
        content="And now?",
    )
    await turns.accept(scope, request)
    return request


async def asked(turns: PostgresTurns, scope: TenantScope, conversation_id: ConversationId) -> LeasedTurn:
    """The customer writes again, and a worker takes the turn."""
    request = await written(turns, scope, conversation_id)
    turn = await turns.lease(scope, request.message_id)
    assert isinstance(turn, LeasedTurn)
    return turn


async def texts(database: Database, scope: TenantScope, conversation_id: ConversationId, **how: bool) -> list[str]:
    question = ListMessages(conversation_id=conversation_id, **how)
    return [message.content for message in (await PostgresConversations(database).messages(scope, question)).items]


async def facts(database: Database, scope: TenantScope, name: str) -> int:
    """How many of one kind wait in the outbox: nobody publishes here."""
    async with database.tenant_tx(scope) as tx:
        row = await tx.fetch_row("SELECT count(*) AS n FROM outbox WHERE schema_name = $1", f"inference.{name}.v1")
    return int(row["n"])


def write(conversation_id: ConversationId, content: str, **changes: object) -> WriteMessage:
    return WriteMessage(conversation_id=conversation_id, person=ADA, content=content, **changes)  # type: ignore[arg-type] # names are checked at run time


async def test_what_began_before_a_person_came_is_never_stored(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    message, stale = await hands.write(scope, write(turn.conversation_id, "I am here now."))
    assert stale == (turn.message_id,)
    assert await turns.complete(scope, turn, SAID) is None
    await turns.release(scope, turn)
    again = await turns.lease(scope, turn.message_id)
    assert isinstance(again, LeasedTurn)
    assert (again.is_with_people, again.is_told, again.attempt, again.epoch) == (True, True, 2, turn.epoch + 2)
    await turns.complete(scope, again, Outcome(content="", finish_reason="handed_over", model=""))
    assert await texts(database, scope, turn.conversation_id) == ["Why?", "I am here now.", ""]
    assert (message.author, message.person) == ("person", ADA)


@pytest.mark.parametrize("is_first", [True, False])
async def test_whoever_comes_at_the_same_moment_one_of_both_is_first(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs, is_first: bool
) -> None:
    """Either the answer stands and then the person comes, or the person has come and no answer stands."""
    for _ in range(15):
        scope = new_scope()
        turn = await leased(database, scope)
        both = [
            turns.complete(scope, turn, SAID),
            hands.write(scope, write(turn.conversation_id, "Here.")),
        ]
        done = await asyncio.gather(*(both if is_first else reversed(both)))
        is_stored = done[0 if is_first else 1] is not None
        expected = ["Why?", "You can.", "Here."] if is_stored else ["Why?", "Here."]
        assert await texts(database, scope, turn.conversation_id) == expected


async def test_two_people_who_take_it_at_once_are_not_both_told_yes(
    database: Database, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    await hands.move(scope, turn.conversation_id, lambda standing: escalated(standing, "angry"))
    done = await asyncio.gather(
        *(hands.move(scope, turn.conversation_id, lambda s, p=person: assigned(s, p)) for person in (ADA, GRACE)),  # type: ignore[misc] # mypy knows no default in a lambda
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, Conflict)]
    assert len(refused) == 1
    conversation = await PostgresConversations(database).get(scope, turn.conversation_id)
    (moved,) = [one for one in done if not isinstance(one, BaseException)]
    assert moved.conversation == conversation
    assert (conversation.status, conversation.reason) == ("with_person", "angry")
    taken = await hands.move(scope, turn.conversation_id, lambda s: assigned(s, GRACE, is_take_over=True))
    assert taken.conversation.assignee == GRACE


async def test_what_is_said_twice_is_done_once(database: Database, hands: PostgresHandOffs) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    for change in (lambda s: escalated(s, ""), lambda s: assigned(s, ADA), handed_back, resolved):
        first = (await hands.move(scope, turn.conversation_id, change)).conversation
        assert (await hands.move(scope, turn.conversation_id, change)).conversation == first
    assert await facts(database, scope, "conversation_updated") == 4
    keyed = write(turn.conversation_id, "Once", idempotency=Idempotency(key="k", body_sha256="0" * 64))
    (one, _), (same, _) = await hands.write(scope, keyed), await hands.write(scope, keyed)
    assert one == same
    with pytest.raises(Conflict):
        await hands.write(
            scope, write(turn.conversation_id, "Twice", idempotency=Idempotency(key="k", body_sha256="1" * 64))
        )
    assert await facts(database, scope, "message_created") == 1
    assert (await texts(database, scope, turn.conversation_id)).count("Once") == 1


async def test_a_customer_who_writes_to_people_is_heard_and_told_once(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    await turns.complete(scope, turn, SAID)
    await hands.move(scope, turn.conversation_id, lambda standing: escalated(standing, ""))
    first = await asked(turns, scope, turn.conversation_id)
    assert (first.is_with_people, first.is_told) == (True, False)
    await turns.complete(scope, first, Outcome(content="Wait for it.", finish_reason="handed_over", model=""))
    second = await asked(turns, scope, turn.conversation_id)
    assert (second.is_with_people, second.is_told) == (True, True)
    await hands.move(scope, turn.conversation_id, handed_back)
    third = await asked(turns, scope, turn.conversation_id)
    assert not third.is_with_people
    assert third.history[-1].text == "And now?"


async def test_a_resolved_conversation_is_reopened_by_its_customer(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    await turns.complete(scope, turn, SAID)
    await hands.move(scope, turn.conversation_id, resolved)
    assert not (await asked(turns, scope, turn.conversation_id)).is_with_people
    found = await PostgresConversations(database).get(scope, turn.conversation_id)
    assert (found.status, found.reason) == ("reopened", "customer_wrote")
    assert await facts(database, scope, "conversation_updated") == 2
    await asked(turns, scope, turn.conversation_id)
    assert await facts(database, scope, "conversation_updated") == 2


async def test_notes_are_read_by_people_and_by_nobody_else(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    await turns.complete(scope, turn, SAID)
    note, _ = await hands.write(scope, write(turn.conversation_id, "She is a friend.", internal=True))
    assert note.internal
    found: Conversation = await PostgresConversations(database).get(scope, turn.conversation_id)
    assert (found.status, found.message_count) == ("active", 2)
    assert await texts(database, scope, turn.conversation_id) == ["Why?", "You can."]
    assert await texts(database, scope, turn.conversation_id, with_notes=True) == [
        "Why?",
        "You can.",
        "She is a friend.",
    ]
    assert [said.text for said in (await asked(turns, scope, turn.conversation_id)).history] == ["Why?", "You can."]
    with pytest.raises(NotFound):
        await PostgresConversations(database).message(scope, turn.conversation_id, note.id)


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_of_messages_and_notes_leave_nothing_out(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs, order: Order
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    for number in range(5):
        await hands.write(scope, write(turn.conversation_id, f"m{number}"))
        await hands.write(scope, write(turn.conversation_id, f"n{number}", internal=True))
    found: list[str] = []
    cursor: str | None = None
    while True:
        question = ListMessages(
            conversation_id=turn.conversation_id, with_notes=True, limit=2, cursor=cursor, order=order
        )
        page = await PostgresConversations(database).messages(scope, question)
        found += [message.content for message in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    expected = ["Why?", *(f"{kind}{number}" for number in range(5) for kind in "mn")]
    assert found == (expected if order == "asc" else expected[::-1])


async def test_another_business_can_neither_see_nor_take_it(database: Database, hands: PostgresHandOffs) -> None:
    scope, other = new_scope(), new_scope()
    turn = await leased(database, scope)
    await hands.move(scope, turn.conversation_id, lambda standing: escalated(standing, ""))
    for change in (resolved, handed_back, lambda s: assigned(s, GRACE)):
        with pytest.raises(NotFound):
            await hands.move(other, turn.conversation_id, change)
    for internal in (True, False):
        with pytest.raises(NotFound):
            await hands.write(other, write(turn.conversation_id, "Mine", internal=internal))
    conversations = PostgresConversations(database)
    waiting = ListConversations(status="waiting_for_person")
    assert (await conversations.list(other, waiting)).items == ()
    assert [one.id for one in (await conversations.list(scope, waiting)).items] == [turn.conversation_id]


async def test_an_ended_turn_stays_ended(database: Database, turns: PostgresTurns, hands: PostgresHandOffs) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    await turns.complete(scope, turn, SAID)
    moved = await hands.move(scope, turn.conversation_id, lambda standing: escalated(standing, ""))
    assert moved.stale == ()
    assert isinstance(await turns.lease(scope, turn.message_id), Ended)


async def test_an_answer_that_hands_over_leaves_its_conversation_to_people_in_the_same_commit(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    over = Outcome(content="Wait for it.", finish_reason="handed_over", model="a/m", hand_over_reason=UNSUPPORTED)
    assert await turns.complete(scope, turn, over) is not None
    # Whoever died behind the commit is followed by one who finds the turn ended, and may try as often as they like.
    assert isinstance(await turns.lease(scope, turn.message_id), Ended)
    assert await turns.complete(scope, turn, over) is None
    found = await PostgresConversations(database).get(scope, turn.conversation_id)
    assert (found.status, found.reason, found.assignee) == ("waiting_for_person", "unsupported", None)
    assert await facts(database, scope, "conversation_updated") == 1
    assert await facts(database, scope, "message_completed") == 1
    after = await asked(turns, scope, turn.conversation_id)
    assert (after.is_with_people, after.is_told) == (True, True)


async def test_who_asked_for_a_person_gets_one_though_the_filter_withheld_the_notice(
    database: Database, turns: PostgresTurns
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    blocked = Outcome(content="", finish_reason="blocked", model="", hand_over_reason=CUSTOMER_ASKED)
    assert await turns.complete(scope, turn, blocked) is not None
    found = await PostgresConversations(database).get(scope, turn.conversation_id)
    assert (found.status, found.reason) == ("waiting_for_person", "customer_asked")
    after = await asked(turns, scope, turn.conversation_id)
    assert (after.is_with_people, after.is_told) == (True, False)


async def test_an_answer_that_was_fenced_hands_nothing_over(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    await hands.move(scope, turn.conversation_id, lambda standing: escalated(standing, "asked"))
    await hands.move(scope, turn.conversation_id, handed_back)
    over = Outcome(content="Wait for it.", finish_reason="handed_over", model="a/m", hand_over_reason=UNSUPPORTED)
    assert await turns.complete(scope, turn, over) is None
    assert (await PostgresConversations(database).get(scope, turn.conversation_id)).status == "active"


@pytest.mark.parametrize(("change", "after"), [(resolved, "resolved"), (handed_back, "active")])
async def test_nobody_decides_over_words_that_they_have_not_read(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs, change: Move, after: str
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    mine, _ = await hands.write(scope, write(turn.conversation_id, "Anything else?"))
    note, _ = await hands.write(scope, write(turn.conversation_id, "Done, I think.", internal=True))
    newest = [await written(turns, scope, turn.conversation_id) for _ in range(2)][-1].customer_message_id
    for seen in (mine.id, note.id, turn.message_id):
        with pytest.raises(Rejected) as refused:
            await hands.move(scope, turn.conversation_id, change, seen=seen)
        expected = ("unseen_message", str(newest)) if seen != turn.message_id else ("invalid_request", None)
        assert (refused.value.code, refused.value.conflicts_with) == expected
    standing = await PostgresConversations(database).get(scope, turn.conversation_id)
    assert (standing.status, standing.assignee) == ("with_person", ADA)
    moved = await hands.move(scope, turn.conversation_id, change, seen=newest)
    assert moved.conversation.status == after
    # Said again, it is done already, whatever the customer has written since: the first answer may have been lost.
    if change is handed_back:
        await written(turns, scope, turn.conversation_id)
        assert (await hands.move(scope, turn.conversation_id, change, seen=mine.id)).conversation.status == after


async def test_a_message_that_waited_behind_a_persons_comes_after_it(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs
) -> None:
    """Its transaction began before; who has read the person's message has not read it."""
    scope = new_scope()
    turn = await leased(database, scope)
    async with database.tenant_tx(scope, lock=LOCK) as tx:
        writing = asyncio.create_task(written(turns, scope, turn.conversation_id), context=contextvars.Context())

        async def is_waiting() -> bool:
            row = await tx.fetch_row("SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return int(row["n"]) == 1

        await eventually(is_waiting)
        mine, _ = await hands.write(scope, write(turn.conversation_id, "Bye."))
    request = await writing
    assert await texts(database, scope, turn.conversation_id) == ["Why?", "Bye.", "And now?"]
    with pytest.raises(Conflict) as refused:
        await hands.move(scope, turn.conversation_id, resolved, seen=mine.id)
    assert refused.value.conflicts_with == str(request.customer_message_id)


async def test_what_was_accepted_before_a_conversation_was_ended_opens_it_again_when_it_is_answered(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    await turns.complete(scope, turn, SAID)
    request = await written(turns, scope, turn.conversation_id)
    done = await hands.move(scope, turn.conversation_id, resolved, seen=request.customer_message_id)
    assert done.conversation.status == "resolved"
    again = await turns.lease(scope, request.message_id)
    assert isinstance(again, LeasedTurn)
    assert not again.is_with_people
    found = await PostgresConversations(database).get(scope, turn.conversation_id)
    assert (found.status, found.reason) == ("reopened", "customer_wrote")
    assert await facts(database, scope, "conversation_updated") == 2
    assert await turns.complete(scope, again, SAID) is not None
    # Whoever finds no turn to take opens nothing.
    await hands.move(scope, turn.conversation_id, resolved)
    assert isinstance(await turns.lease(scope, request.message_id), Ended)
    assert (await PostgresConversations(database).get(scope, turn.conversation_id)).status == "resolved"


@pytest.mark.parametrize("is_with_people", [True, False])
async def test_what_was_being_answered_when_its_conversation_was_ended_opens_it_again_and_is_answered_anew(
    database: Database, turns: PostgresTurns, hands: PostgresHandOffs, *, is_with_people: bool
) -> None:
    """No answer is stored under `resolved`, and no notice promises a person where nobody has the conversation."""
    scope = new_scope()
    turn = await leased(database, scope)
    if is_with_people:
        await turns.complete(scope, turn, SAID)
        await hands.move(scope, turn.conversation_id, lambda standing: escalated(standing, ""))
        turn = await asked(turns, scope, turn.conversation_id)
    moved = await hands.move(scope, turn.conversation_id, resolved)
    assert moved.stale == (() if is_with_people else (turn.message_id,))
    notice = Outcome(content="Wait for it.", finish_reason="handed_over", model="")
    assert await turns.complete(scope, turn, notice if is_with_people else SAID) is None
    assert (await PostgresConversations(database).get(scope, turn.conversation_id)).status == "resolved"
    await turns.release(scope, turn)
    again = await turns.lease(scope, turn.message_id)
    assert isinstance(again, LeasedTurn)
    assert (again.is_with_people, again.is_told, again.attempt) == (False, False, turn.attempt + 1)
    assert await turns.complete(scope, again, SAID) is not None
    found = await PostgresConversations(database).get(scope, turn.conversation_id)
    assert (found.status, found.reason) == ("reopened", "customer_wrote")


async def test_what_is_sent_again_keeps_its_author_whoever_has_the_conversation_by_then(
    database: Database, hands: PostgresHandOffs
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)

    async def author(key: str | None, said: str | None = None, words: str = "0") -> str:
        idempotency = Idempotency(key=key, body_sha256=words * 64) if key else None
        question = {"conversation_id": turn.conversation_id, "said": said, "idempotency": idempotency}
        return (await hands.choose_author(scope, ChooseAuthor.model_validate(question))).author

    assert [await author(key) for key in ("a", None)] == ["customer", "customer"]
    await hands.move(scope, turn.conversation_id, lambda standing: escalated(standing, ""))
    assert [await author(key) for key in ("a", "b", None)] == ["customer", "person", "person"]
    assert await author("c", "customer") == "customer"
    await hands.move(scope, turn.conversation_id, handed_back)
    assert [await author(key) for key in ("a", "b", "c", None)] == ["customer", "person", "customer", "customer"]
    for key, said, words in (("a", None, "1"), ("a", "person", "0"), ("b", "customer", "0")):
        with pytest.raises(Conflict) as refused:
            await author(key, said, words)
        assert refused.value.code == "idempotency_conflict"
    with pytest.raises(NotFound):
        await hands.choose_author(new_scope(), ChooseAuthor(conversation_id=turn.conversation_id))
