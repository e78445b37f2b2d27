"""One question from the socket to the stored answer, on every service as a process of its own."""

from typing import Any

import pytest

from runtime.testing.scripted_server import Script
from tests.support.business import Business
from tests.support.chat import Answer, Chat
from tests.support.checker import check, check_all
from tests.support.platform import eventually
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

SLOW = "ollama/simulated-n60-r30"
VERY_SLOW = "ollama/simulated-n400-r10"


def words(count: int) -> str:
    """What the simulated model says."""
    return " ".join(f"w{number}" for number in range(count))


def end_of(answer: Answer) -> Any:
    assert answer.end is not None, answer.refused
    return answer.end


async def test_an_answer_streams_and_what_was_shown_is_what_is_stored(business: Business) -> None:
    async with business.chat() as chat:
        answer = await chat.answered("When are you open?", model="ollama/simulated-n40-r100")
    assert answer.shown == words(40)
    assert len(answer.tokens) > 10, "it came in one piece"
    end = end_of(answer)
    assert end["finish_reason"] == "stop"
    assert end["usage"] == {"prompt_tokens": 11, "completion_tokens": 40, "is_estimated": False}
    question, stored = await business.messages(answer.conversation_id)
    assert (question["id"], question["author"]) == (answer.ids["customer_message_id"], "customer")
    assert question["content"] == "When are you open?"
    assert (stored["id"], stored["content"]) == (answer.message_id, answer.shown)
    await check_all(business, chat.answers)


async def test_a_conversation_goes_on_with_what_was_said_before(business: Business, stage: Stage) -> None:
    async with business.chat() as chat:
        first = await chat.answered("My name is Grace.")
        second = await chat.answered("What is my name, then?", conversation_id=first.conversation_id)
    assert second.conversation_id == first.conversation_id
    (asked,) = [g for g in stage.generations("What is my name, then?") if g.outcome == "done"]
    said: Any = asked.body["messages"]
    assert [(message["role"], message["content"]) for message in said[-3:]] == [
        ("user", "My name is Grace."),
        ("assistant", first.shown),
        ("user", "What is my name, then?"),
    ]
    await check_all(business, chat.answers)


async def test_a_person_chats_with_an_access_token(business: Business) -> None:
    chat = Chat(business.urls[1], business.access_token, origin=business.urls[1])
    async with chat:
        (welcome,) = chat.of_type("welcome")
        assert (welcome["principal"]["kind"], welcome["principal"]["role"]) == ("user", "owner")
        assert welcome["disclosure"]["is_ai"] is True
        await chat.answered()
        await chat.send({"type": "ping", "nonce": "n1"})
        await chat.wait_for(lambda: chat.of_type("pong"))
    assert chat.of_type("pong")[0]["nonce"] == "n1"
    await check_all(business, chat.answers)


async def test_a_repeated_client_message_id_is_the_same_message_from_its_start(
    business: Business, stage: Stage
) -> None:
    async with business.chat(0) as first, business.chat(1) as second:
        answer = await first.reached(await first.ask("Twice?", model=SLOW), 5)
        again = Answer(answer.question)
        second.answers.append(again)
        await second.send(again.question)
        await first.ended(answer)
        await second.ended(again)
    assert not answer.ids["duplicate"]
    assert again.ids == {**answer.ids, "duplicate": True}
    assert again.tokens[0]["seq"] == 0
    assert again.shown == answer.shown == words(60)
    assert len(stage.generations("Twice?")) == 1
    await check_all(business, [answer, again])


async def test_repeating_a_question_on_the_same_socket_starts_its_text_again_once(business: Business) -> None:
    async with business.chat() as chat:
        answer = await chat.reached(await chat.ask(model=SLOW), 5)
        seen = len(answer.frames)
        await chat.send(answer.question)
        await chat.ended(answer)
        await chat.send({"type": "ping", "nonce": "after"})
        await chat.wait_for(lambda: chat.of_type("pong"))
    assert answer.ids["duplicate"]
    began = [number for number, frame in enumerate(answer.frames) if frame["type"] == "message.started"]
    assert len(began) == 2
    assert began[1] >= seen
    # What came up to the repetition stands for itself; from its second start on the answer is whole.
    again = Answer(answer.question, answer.accepted)
    for frame in answer.frames[began[1] :]:
        again.take(frame)
    await check_all(business, [again])


async def test_an_answer_that_is_over_is_told_again_from_its_start(business: Business) -> None:
    async with business.chat(0) as chat:
        answer = await chat.answered(model="ollama/simulated-n30-r0")
    async with business.chat(1) as later:
        again = Answer(answer.question)
        later.answers.append(again)
        await later.send(again.question)
        await later.ended(again)
    await check_all(business, [answer, again])


async def test_resume_on_the_other_gateway_in_mid_answer(business: Business) -> None:
    chat = business.chat(0)
    async with chat:
        answer = await chat.reached(await chat.ask(model=SLOW), 7)
        await chat.close()
        at = answer.last_seq
        await chat.open(business.urls[1])
        await chat.ended(answer)
    assert answer.attempt == 1
    assert answer.shown == words(60)
    assert [frame["seq"] for frame in answer.tokens].count(at) == 1
    await check_all(business, chat.answers)


async def test_resume_without_an_attempt_begins_from_the_start(business: Business) -> None:
    async with business.chat(0) as chat:
        answer = await chat.reached(await chat.ask(model=SLOW), 7)
    again = Answer(answer.question, answer.accepted)
    async with business.chat(1) as other:
        await other.close()
        other.answers.append(again)
        await other.open()
        await other.ended(again)
    assert again.tokens[0]["seq"] == 0
    await check_all(business, [again])


async def test_stop_keeps_what_was_shown(business: Business, stage: Stage) -> None:
    async with business.chat() as chat:
        answer = await chat.reached(await chat.ask("Stop in the middle", model=VERY_SLOW), 4)
        await chat.stop(answer)
        await chat.ended(answer)
    end = end_of(answer)
    assert (end["type"], end["finish_reason"]) == ("message.completed", "stopped")
    assert words(400).startswith(end["content"])
    assert end["content"] == answer.shown
    await eventually(lambda: [g.outcome for g in stage.generations("Stop in the middle")] == ["client_gone"])
    await check_all(business, chat.answers)


async def test_stop_before_the_first_word(business: Business) -> None:
    async with business.chat() as chat:
        answer = await chat.accepted(await chat.ask(model="ollama/simulated-n5-d15000"))
        await chat.stop(answer)
        await chat.ended(answer, timeout_s=12)
    assert (end_of(answer)["finish_reason"], end_of(answer)["content"]) == ("stopped", "")
    await check_all(business, chat.answers)


async def test_stop_while_an_answer_waits_for_its_turn(business: Business) -> None:
    async with business.chat() as chat:
        running = [await chat.ask(model=VERY_SLOW) for _ in range(8)]
        for answer in running:
            await chat.reached(answer, 0)
        waiting = await chat.accepted(await chat.ask())
        await chat.stop(waiting)
        await chat.ended(waiting)
        for answer in running:
            await chat.stop(answer)
        for answer in running:
            await chat.ended(answer)
    assert (end_of(waiting)["finish_reason"], waiting.tokens) == ("stopped", [])
    await check_all(business, chat.answers)


@pytest.mark.parametrize("fault", ["reset", "cut", "error", "garbage"])
async def test_a_plug_pulled_in_mid_answer_costs_an_attempt_and_no_text(business: Business, fault: str) -> None:
    async with business.chat() as chat:
        answer = await chat.answered(model=f"ollama/simulated-n30-r50-f{fault}-k10-x1")
    assert answer.attempt == 2
    assert answer.shown == words(30)
    assert [frame["attempt"] for frame in answer.tokens if frame["seq"] == 0] == [1, 2]
    await check_all(business, chat.answers)


async def test_a_model_that_always_breaks_off_ends_in_failed_never_in_half_a_text(business: Business) -> None:
    async with business.chat() as chat:
        broken = [await chat.ask(model=f"ollama/simulated-f{fault}-k5") for fault in ("reset", "cut", "garbage")]
        refusing = [await chat.ask(model=f"ollama/simulated-f{fault}") for fault in ("500", "503", "drop")]
        for answer in broken + refusing:
            await chat.ended(answer, timeout_s=60)
    for answer in broken + refusing:
        assert end_of(answer)["type"] == "message.failed"
        assert end_of(answer)["code"].startswith("model_")
        assert end_of(answer)["retryable"] is True
    assert all(not answer.tokens for answer in refusing)
    await check_all(business, chat.answers)


async def test_an_unknown_model_fails_at_once(business: Business) -> None:
    async with business.chat() as chat:
        answer = await chat.answered(model="ollama/nobody")
    assert (end_of(answer)["code"], end_of(answer)["retryable"]) == ("model_rejected", False)
    await check_all(business, chat.answers)


async def test_the_next_model_answers_when_the_first_refuses_or_breaks_off(stage: Stage) -> None:
    business = await stage.business("ollama/simulated-f503", fallbacks=["ollama/simulated-n7"])
    breaking = await business.make_agent("ollama/simulated-freset-k3", fallbacks=["ollama/simulated-n7"])
    async with business.chat() as chat:
        refused = await chat.answered()
        broken = await chat.answered(agent_id=breaking)
    assert (refused.attempt, refused.shown) == (1, words(7))
    assert (broken.attempt, broken.shown) == (2, words(7))
    assert broken.frames[-2]["type"] == "token"
    started = [frame["model"] for frame in broken.frames if frame["type"] == "message.started"]
    assert started == ["ollama/simulated-freset-k3", "ollama/simulated-n7"]
    await check_all(business, chat.answers)


async def test_a_length_limit_is_told(business: Business) -> None:
    async with business.chat() as chat:
        answer = await chat.answered(model="ollama/simulated-n30", options={"max_tokens": 4})
    assert (end_of(answer)["finish_reason"], answer.shown) == ("length", words(4))
    await check_all(business, chat.answers)


# ---- the business's own rules -----------------------------------------------------------------------------------


async def test_a_forbidden_word_in_mid_stream_ends_the_answer_before_it(business: Business) -> None:
    await business.set_policy(terms=["w12"], terms_action="block")
    async with business.chat() as chat:
        answer = await chat.answered(model="ollama/simulated-n40-r50")
    end = end_of(answer)
    assert (end["type"], end["finish_reason"]) == ("message.completed", "blocked")
    assert end["content"].rstrip() == words(12)
    await check_all(business, chat.answers)


async def test_a_forbidden_word_at_the_start_shows_nothing(business: Business) -> None:
    await business.set_policy(terms=["w0 w1 w2"], terms_action="block")
    async with business.chat() as chat:
        answer = await chat.answered(model="ollama/simulated-n40-r50")
    end = end_of(answer)
    assert end["type"] == "message.blocked"
    assert end["categories"]
    assert answer.tokens == []
    await check_all(business, chat.answers)


async def test_a_question_that_breaks_the_rules_reaches_no_model(business: Business, stage: Stage) -> None:
    await business.set_policy(terms=["zebrafish"], terms_action="block")
    async with business.chat() as chat:
        answer = await chat.answered("Do you sell zebrafish?")
    assert end_of(answer)["type"] == "message.blocked"
    assert stage.generations("zebrafish") == []
    await check_all(business, chat.answers)


async def test_what_is_redacted_may_be_split_over_tokens(business: Business, stage: Stage) -> None:
    stage.model.models["card"] = Script(say="Your card 4111 1111 1111 1111 is on file.", rate=20)
    await business.set_policy(terms=["w3 w4 w5"], terms_action="redact")
    async with business.chat() as chat:
        card = await chat.answered("My card?", model="ollama/card")
        phrase = await chat.answered(model="ollama/simulated-n8-r20")
    assert card.shown == "Your card [redacted] is on file."
    assert phrase.shown == "w0 w1 w2 [redacted] w6 w7"
    await check_all(business, chat.answers)


async def test_a_business_without_rules_is_untouched_by_anothers(business: Business, stage: Stage) -> None:
    other = await stage.business()
    await other.set_policy(terms=["w3"], terms_action="block")
    async with business.chat() as chat, other.chat() as theirs:
        free, cut = await chat.answered(), await theirs.answered()
    assert free.shown == words(20)
    assert cut.shown.rstrip() == words(3)
    check([free, cut])
