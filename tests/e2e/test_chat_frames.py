"""What a client may not do, and what it is told: bad frames, foreign ids, wrong credentials, too much."""

import json
from uuid import uuid4

import httpx
import pytest

from contracts.ids import uuid7
from tests.support.business import Business, patiently
from tests.support.chat import Answer, Chat, Frame
from tests.support.checker import check_all
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

BAD = {
    "malformed": ("{", "invalid_json"),
    "no object": ("[]", "invalid_json"),
    "unknown type": ('{"type":"dance"}', "unknown_type"),
    "no type": ("{}", "unknown_type"),
    "no content": (json.dumps({"type": "message.send", "client_message_id": str(uuid4())}), "invalid_request"),
    "wildcard id": ('{"type":"message.stop","message_id":"*"}', "invalid_request"),
    "hello again": ('{"type":"hello","token":"x"}', "invalid_request"),
}


@pytest.mark.parametrize(("text", "code"), BAD.values(), ids=BAD.keys())
async def test_a_bad_frame_is_answered_and_the_socket_lives_on(business: Business, text: str, code: str) -> None:
    async with business.chat() as chat:
        await chat.send(text)
        assert (await chat.error())["code"] == code
        await chat.answered()
    await check_all(business, chat.answers)


async def test_a_bad_question_is_refused_by_its_own_id(business: Business) -> None:
    async with business.chat() as chat:
        answer = await chat.ask("", options={"temperature": 9})
        await chat.ended(answer)
        late = await chat.ask("With a file", attachments=["a"])
        await chat.ended(late)
    assert answer.refused is not None
    assert answer.refused["code"] == "invalid_request"
    assert late.refused is not None
    assert late.refused["code"] == "not_supported"
    await check_all(business, chat.answers)


async def test_what_comes_in_a_frame_that_is_no_text_or_too_long_closes_the_socket(business: Business) -> None:
    async with business.chat() as binary, business.chat() as broken, business.chat() as long, business.chat() as good:
        await binary.send(b"{}")
        assert await binary.closed() == 1003
        await broken.send_as_text(b'{"type":"ping","nonce":"\xff"}')
        assert await broken.closed() == 1007
        await long.send(json.dumps({"type": "ping", "nonce": "n" * 65_536}))
        assert await long.closed() == 1009
        # Content of the largest size that fits goes through: the limit is on the frame.
        answer = await good.answered("x" * 16_000)
    assert answer.end is not None
    await check_all(business, good.answers)


async def test_twenty_bad_frames_in_a_minute_are_too_many(business: Business) -> None:
    async with business.chat() as chat:
        for _ in range(20):
            await chat.send("{")
        assert await chat.closed() == 4429
        assert len(chat.of_type("error")) == 20


@pytest.mark.parametrize("token", ["", "lum_nobodys", "eyJhbGciOiJub25lIn0.e30.", "x.y.z"])
async def test_a_wrong_token_is_4401(stage: Stage, token: str) -> None:
    async with Chat(stage.urls[0], token) as chat:
        assert await chat.closed() == 4401
        assert chat.of_type("welcome") == []
        assert (await chat.error())["code"] in {"not_authenticated", "wrong_credentials"}


async def test_anything_before_hello_is_4401(business: Business) -> None:
    chat = await business.chat().connect()
    await chat.send({"type": "ping", "nonce": 1})
    assert await chat.closed() == 4401
    await chat.close()


async def test_no_hello_for_five_seconds_is_4401(business: Business) -> None:
    chat = await business.chat().connect()
    assert await chat.closed(timeout_s=20) == 4401
    await chat.close()


async def test_a_page_of_another_origin_is_4403(business: Business) -> None:
    async with business.chat(origin="https://evil.example") as chat:
        assert await chat.closed() == 4403
        assert chat.of_type("welcome") == []


async def test_a_key_without_the_scope_chat_is_4403(business: Business) -> None:
    made = await business.call("POST", "/api/auth/api-keys", json={"name": "files", "scopes": ["documents"]})
    async with Chat(business.urls[0], made["key"]) as chat:
        assert await chat.closed() == 4403
        assert chat.of_type("welcome") == []


async def test_a_revoked_key_opens_nothing(business: Business) -> None:
    made = await business.call("POST", "/api/auth/api-keys", json={"name": "gone", "scopes": ["chat"]})
    async with Chat(business.urls[0], made["key"]) as chat:
        assert chat.of_type("welcome")
    await business.call("DELETE", f"/api/auth/api-keys/{made['id']}")
    for _ in range(20):
        async with Chat(business.urls[0], made["key"]) as chat:
            if not chat.of_type("welcome"):
                assert chat.close_code == 4401
                return
    pytest.fail("the key still opens a socket")


async def test_an_open_socket_ends_with_the_key_it_came_in_with(business: Business) -> None:
    made = await business.call("POST", "/api/auth/api-keys", json={"name": "gone", "scopes": ["chat"]})
    places = [(Chat(url, made["key"]), business.chat(number)) for number, url in enumerate(business.urls)]
    for revoked, other in places:
        await revoked.open()
        await other.open()
    await business.call("DELETE", f"/api/auth/api-keys/{made['id']}")
    for revoked, other in places:
        assert await revoked.closed() == 4401
        assert (await other.answered()).end
        await other.close()
    await check_all(business, [answer for _, other in places for answer in other.answers])


async def test_signing_out_closes_the_sockets_of_that_session_alone(business: Business) -> None:
    person = {"email": business.email, "password": business.password}
    left, kept = [(await patiently(business.rest, "POST", "/api/auth/login", json=person)).json() for _ in range(2)]
    chats = {name: Chat(business.urls[1], token["access_token"]) for name, token in (("left", left), ("kept", kept))}
    for chat in chats.values():
        await chat.open()
        assert chat.of_type("welcome")
    body = {"refresh_token": left["refresh_token"]}
    assert (await patiently(business.rest, "POST", "/api/auth/logout", json=body)).status_code == httpx.codes.NO_CONTENT
    assert await chats["left"].closed() == 4401
    answer = await chats["kept"].answered()
    await chats["kept"].close()
    await check_all(business, [answer])


# ---- ids of another business -------------------------------------------------------------------------------------


async def refusal(chat: Chat, **fields: str) -> Frame:
    answer = await chat.ended(await chat.ask(**fields))
    assert answer.refused is not None
    return {name: value for name, value in answer.refused.items() if name != "in_reply_to"}


async def test_foreign_ids_look_like_unknown_ones(business: Business, stage: Stage) -> None:
    other = await stage.business()
    async with other.chat() as theirs, business.chat() as ours:
        answer = await theirs.reached(await theirs.ask("A secret", model="ollama/simulated-n100-r20"), 2)
        foreign = await refusal(ours, conversation_id=answer.conversation_id)
        assert foreign == await refusal(ours, conversation_id=str(uuid7()))
        assert foreign["code"] == "not_found"
        assert await refusal(ours, agent_id=other.agent_id) == await refusal(ours, agent_id=str(uuid7()))
        told = [await stop_refusal(ours, id_) for id_ in (answer.message_id, str(uuid7()))]
        assert told[0] == told[1] == {"type": "error", "code": "not_found", "detail": "Not found", "retry_after": None}
        await theirs.ended(answer)
    assert answer.end is not None
    assert answer.end["finish_reason"] == "stop", "another business could stop it"
    await check_all(other, theirs.answers)
    await check_all(business, ours.answers)


async def stop_refusal(chat: Chat, message_id: str) -> Frame:
    before = len(chat.of_type("error"))
    await chat.send({"type": "message.stop", "message_id": message_id})
    await chat.wait_for(lambda: len(chat.of_type("error")) > before)
    told = chat.of_type("error")[-1]
    assert told["in_reply_to"] == message_id
    return {"retry_after": None} | {name: value for name, value in told.items() if name != "in_reply_to"}


async def test_resuming_a_foreign_answer_shows_not_one_token(business: Business, stage: Stage) -> None:
    other = await stage.business()
    async with other.chat() as theirs:
        answer = await theirs.reached(await theirs.ask(model="ollama/simulated-n60-r20"), 2)
        thief = business.chat()
        copied, guessed = Answer({**answer.question}, answer.accepted), Answer({**answer.question})
        guessed.accepted = {**answer.ids, "message_id": str(uuid7()), "conversation_id": str(uuid7())}
        thief.answers += [copied, guessed]
        async with thief:
            await thief.wait_for(lambda: len(thief.of_type("error")) == 2)
            await theirs.ended(answer)
            told = {frame["in_reply_to"]: frame["code"] for frame in thief.of_type("error")}
    assert told == {copied.message_id: "not_found", guessed.message_id: "not_found"}
    assert copied.frames == guessed.frames == []


async def test_a_known_client_message_id_of_another_business_means_nothing(business: Business, stage: Stage) -> None:
    other = await stage.business()
    async with other.chat() as theirs, business.chat() as ours:
        answer = await theirs.answered("Ours alone")
        same = Answer({**answer.question, "content": "Something else"})
        ours.answers.append(same)
        await ours.send(same.question)
        await ours.ended(same)
    assert same.ids["duplicate"] is False
    assert same.message_id != answer.message_id
    await check_all(business, ours.answers)
    await check_all(other, theirs.answers)


async def test_messages_of_another_business_are_not_found_over_rest(business: Business, stage: Stage) -> None:
    other = await stage.business()
    async with other.chat() as theirs:
        answer = await theirs.answered()
    for conversation_id in (answer.conversation_id, str(uuid7())):
        path = f"/api/conversations/{conversation_id}/messages"
        assert await business.refused("GET", path) == (404, "not_found")
        assert await business.refused("POST", path, json={"content": "Hi"}) == (404, "not_found")
    assert await business.refused("GET", f"/api/agent/{other.agent_id}") == (404, "not_found")


# ---- too much ----------------------------------------------------------------------------------------------------


async def test_a_caller_has_its_requests_a_minute_over_all_gateways_and_ways(business: Business) -> None:
    headers = {"Authorization": f"Bearer {business.api_key}"}
    allowed = 0
    while allowed < 130:
        url = business.urls[allowed % 2]
        answer = await business.rest.get(f"{url}/api/agents", headers=headers)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            break
        assert answer.headers["RateLimit-Limit"] == "100"
        allowed += 1
    # The window slides: some may have come back while we asked.
    assert 95 <= allowed <= 125
    assert answer.json()["code"] == "rate_limited"
    assert int(answer.headers["Retry-After"]) >= 1
    async with business.chat() as chat:
        refused = (await chat.ended(await chat.ask())).refused
    assert refused is not None
    assert refused["code"] == "rate_limited"
    assert refused["retry_after"] >= 1
    # The owner is somebody else.
    await check_all(business, chat.answers)


async def test_more_answers_than_a_business_may_have_are_refused_and_none_is_lost(business: Business) -> None:
    async with business.chat() as chat:
        held = [await chat.ask("Held", model="ollama/simulated-n3-d2500") for _ in range(8)]
        flood = [await chat.ask("Flood") for _ in range(60)]
        for answer in held + flood:
            await chat.ended(answer, timeout_s=60)
    refused = [answer.refused["code"] for answer in flood if answer.refused]
    assert set(refused) == {"too_many_turns"}
    assert not [answer for answer in held if answer.refused]
    assert len(flood) - len(refused) >= 50
    await check_all(business, chat.answers)
