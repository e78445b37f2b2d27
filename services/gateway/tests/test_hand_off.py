"""Who may take a conversation from the machine, and whose message a message is."""

from datetime import UTC, datetime

import pytest

from contracts import hand_off
from contracts import inference as ai
from contracts.channel import Rpc
from contracts.ids import AgentId, ConversationId, MessageId, UserId, uuid7
from gateway_service.domain.principal import Principal
from runtime.errors import Conflict
from services.gateway.tests.memory import OWNER, TENANT, Edge

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ID = uuid7()
PATH = f"/api/conversations/{ID}"
PROGRAM = Principal("api_key", TENANT, uuid7(), scopes=("chat",))
ADMIN_PROGRAM = Principal("api_key", TENANT, uuid7(), scopes=("admin",))
VIEWER = Principal("user", TENANT, uuid7(), role="viewer")


def conversation(customer: str, status: ai.ConversationStatus = "active") -> ai.Conversation:
    return ai.Conversation(
        id=ConversationId(ID),
        agent_id=AgentId(uuid7()),
        status=status,
        channel="chat",
        customer=customer,
        message_count=2,
        created_at=NOW,
        updated_at=NOW,
    )


def accepted(request: ai.AcceptTurn) -> ai.AcceptedTurn:
    return ai.AcceptedTurn(
        conversation_id=request.conversation_id,
        message_id=request.message_id,
        customer_message_id=request.customer_message_id,
        is_duplicate=False,
        state="accepted",
    )


def chosen(author: str) -> hand_off.ChosenAuthor:
    return hand_off.ChosenAuthor.model_validate({"author": author})


def written(request: hand_off.WriteMessage) -> hand_off.MessageReply:
    message = ai.Message(
        id=MessageId(uuid7()),
        conversation_id=request.conversation_id,
        author="person",
        content=request.content,
        created_at=NOW,
        person=request.person,
        internal=request.internal,
    )
    return hand_off.MessageReply(message=message)


@pytest.fixture
async def edge():
    made = Edge()
    made.tokens.known |= {"program": PROGRAM, "admin_program": ADMIN_PROGRAM, "viewer": VIEWER}
    made.services.tell(ai.ACCEPT_TURN, accepted)
    made.services.tell(hand_off.WRITE_MESSAGE, written)
    yield made
    await made.client.aclose()


@pytest.mark.parametrize(
    ("token", "author", "choice", "verb"),
    [
        ("owner", None, "customer", "accept_turn"),
        ("owner", None, "person", "write_message"),
        ("owner", "person", None, "write_message"),
        ("owner", "customer", None, "accept_turn"),
        ("program", None, None, "accept_turn"),
        ("admin_program", "customer", None, "accept_turn"),
    ],
)
async def test_a_message_is_a_persons_who_says_so_or_where_inference_chooses_it(
    edge: Edge, token: str, author: str | None, choice: str | None, verb: str
):
    edge.services.tell(hand_off.CHOOSE_AUTHOR, chosen(choice or "person"))
    answer = await edge.call("POST", f"{PATH}/messages", token=token, json={"content": "Hello", "author": author})
    assert answer.status_code == (201 if verb == "write_message" else 202)
    assert [asked[0] for asked in edge.services.asked] == [*(["choose_author"] if choice else []), verb]


async def test_a_note_is_for_people_alone(edge: Edge):
    note = {"content": "Be kind to her", "internal": True}
    answer = await edge.call("POST", f"{PATH}/messages", json=note)
    assert (answer.status_code, answer.json()["internal"]) == (201, True)
    for token in ("program", "admin_program", "viewer"):
        for body in (note, {"content": "Hi", "author": "person"}):
            assert (await edge.call("POST", f"{PATH}/messages", token=token, json=body)).status_code == 403
    edge.services.tell(ai.LIST_MESSAGES, ai.Messages(items=(), next_cursor=None))
    for token, with_notes in (("owner", True), ("viewer", True), ("program", False), ("admin_program", False)):
        await edge.call("GET", f"{PATH}/messages", token=token)
        assert edge.services.asked[-1][1].with_notes == with_notes


async def test_what_has_a_key_is_whose_it_was_first(edge: Edge):
    for author, choice, verb in ((None, "customer", "accept_turn"), ("person", "person", "write_message")):
        edge.services.tell(hand_off.CHOOSE_AUTHOR, chosen(choice))
        body, headers = {"content": "Hello", "author": author}, {"Idempotency-Key": "k"}
        await edge.call("POST", f"{PATH}/messages", json=body, headers=headers)
        (_, choose, _), (done, _, _) = edge.services.asked[-2:]
        assert (choose.said, choose.idempotency.key, done) == (author, "k", verb)
    edge.services.tell(hand_off.CHOOSE_AUTHOR, Conflict(code="idempotency_conflict"))
    answer = await edge.call("POST", f"{PATH}/messages", json={"content": "Bye"}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")


async def test_a_repeated_key_or_id_is_the_same_message_with_the_same_words(edge: Edge):
    edge.services.tell(hand_off.CHOOSE_AUTHOR, chosen("person"))
    client_message_id = str(uuid7())
    for body, headers in (
        ({"content": "Hello"}, {"Idempotency-Key": "k"}),
        ({"content": "Hello"}, {"Idempotency-Key": "k"}),
        ({"content": "Bye"}, {"Idempotency-Key": "k"}),
        ({"content": "Hello", "client_message_id": client_message_id}, {}),
    ):
        await edge.call("POST", f"{PATH}/messages", json=body, headers=headers)
    one, same, other, named = (asked.idempotency for verb, asked, _ in edge.services.asked if verb == "write_message")
    assert one == same
    assert (other.key, named.key) == ("k", client_message_id)
    assert other.body_sha256 != one.body_sha256 == named.body_sha256


async def test_each_command_asks_inference(edge: Edge):
    reply = ai.ConversationReply(conversation=conversation("key:x", "with_person"))
    for rpc in (hand_off.ESCALATE, hand_off.ASSIGN, hand_off.HAND_BACK, hand_off.RESOLVE):
        edge.services.tell(rpc, reply)
    id_, person, seen = ConversationId(ID), UserId(OWNER.id), MessageId(uuid7())
    for path, body, asked in (
        ("escalate", {}, hand_off.Escalate(conversation_id=id_)),
        ("escalate", {"reason": "angry"}, hand_off.Escalate(conversation_id=id_, reason="angry")),
        ("assign", {}, hand_off.Assign(conversation_id=id_, person=person)),
        ("assign", {"take_over": True}, hand_off.Assign(conversation_id=id_, person=person, is_take_over=True)),
        ("hand-back", {}, hand_off.HandBack(conversation_id=id_)),
        ("hand-back", {"seen": str(seen)}, hand_off.HandBack(conversation_id=id_, seen=seen)),
        ("resolve", {}, hand_off.Resolve(conversation_id=id_)),
        ("resolve", {"seen": str(seen)}, hand_off.Resolve(conversation_id=id_, seen=seen)),
    ):
        answer = await edge.call("POST", f"{PATH}/{path}", json=body)
        assert (answer.status_code, answer.json()["status"]) == (200, "with_person")
        assert edge.services.asked[-1][1] == asked


@pytest.mark.parametrize(("path", "rpc"), [("hand-back", hand_off.HAND_BACK), ("resolve", hand_off.RESOLVE)])
async def test_who_has_not_read_the_newest_message_is_told_which_it_is(edge: Edge, path: str, rpc: Rpc):
    newest = str(uuid7())
    edge.services.tell(rpc, Conflict("read that first", code="unseen_message", conflicts_with=newest))
    answer = await edge.call("POST", f"{PATH}/{path}", json={"seen": str(uuid7())})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["conflicts_with"]) == (409, "unseen_message", newest)
    assert "conflicts_with" not in (await edge.call("POST", f"{PATH}/{path}", json={"seen": "none"})).json()


async def test_a_program_may_ask_for_a_person_and_never_be_one(edge: Edge):
    edge.services.tell(hand_off.ESCALATE, ai.ConversationReply(conversation=conversation("key:x")))
    assert (await edge.call("POST", f"{PATH}/escalate", token="program")).status_code == 200
    for path in ("assign", "hand-back", "resolve"):
        assert (await edge.call("POST", f"{PATH}/{path}", token="admin_program")).status_code == 403


@pytest.mark.parametrize(("token", "reason"), [("owner", "she is angry"), ("viewer", "she is angry"), ("program", "")])
async def test_what_colleagues_say_of_a_customer_stays_among_them(edge: Edge, token: str, reason: str):
    held = conversation("key:x", "with_person").model_copy(
        update={"reason": "she is angry", "assignee": UserId(OWNER.id)}
    )
    edge.services.tell(ai.GET_CONVERSATION, ai.ConversationReply(conversation=held))
    edge.services.tell(ai.LIST_CONVERSATIONS, ai.Conversations(items=(held,), next_cursor=None))
    edge.services.tell(hand_off.ESCALATE, ai.ConversationReply(conversation=held))
    shown = [(await edge.call("GET", PATH, token=token)).json()]
    shown += (await edge.call("GET", "/api/conversations", token=token)).json()["items"]
    if token != "viewer":
        shown.append((await edge.call("POST", f"{PATH}/escalate", token=token, json={})).json())
    assert {one["reason"] for one in shown} == {reason}
    assert {one["assignee"] for one in shown} == {None if token == "program" else str(OWNER.id)}


async def test_a_program_is_told_the_reasons_that_are_lumoras_own(edge: Edge):
    held = conversation("key:x", "waiting_for_person").model_copy(update={"reason": "unsupported"})
    edge.services.tell(ai.GET_CONVERSATION, ai.ConversationReply(conversation=held))
    assert (await edge.call("GET", PATH, token="program")).json()["reason"] == "unsupported"
