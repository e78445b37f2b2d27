"""Each provider is unplugged while twenty conversations run: nobody is left with half an answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.chat import Answer, Chat
from tests.support.checker import check_all
from tests.support.platform import eventually
from tests.support.providers import CLOSED, EXTRACTIVE, OPEN, Providers, open_providers
from tests.support.scenarios import sockets

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

RUNNING, LATER = 20, 6
SLOW, QUICK = "simulated-n80-r20", "simulated-n20-r100"
DEADLINE_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def providers() -> AsyncIterator[Providers]:
    async with open_providers() as providers:
        yield providers


@pytest.mark.parametrize("name", ["ollama", "anthropic", "openai"])
async def test_an_unplugged_provider_costs_an_attempt_and_no_text(providers: Providers, name: str) -> None:
    order = providers.order(name, SLOW, QUICK)
    business = await providers.stage.business(order[0], fallbacks=list(order[1:]))
    async with sockets(business, RUNNING + LATER) as chats:
        begun = [await chat.ask() for chat in chats[:RUNNING]]
        await asyncio.gather(*(chat.reached(answer, 3) for chat, answer in zip(chats, begun, strict=False)))
        await providers.servers[name].stop()
        later = await asyncio.gather(*(chat.ask() for chat in chats[RUNNING:]))
        await _ended(chats)
        assert await providers.breaker(order[0]) == OPEN
        await providers.servers[name].start()
        again = await _answered_by(order[0], chats[0], providers)
    assert {(answer.attempt, _models(answer)) for answer in begun} == {(2, order[:2])}
    assert {(answer.attempt, _models(answer)) for answer in later} == {(1, order[1:2])}
    assert {_end(answer) for answer in (*begun, *later)} == {("message.completed", _words(20))}
    assert all(answer.shown == _words(80) for answer in again[-1:])
    await check_all(business, [answer for chat in chats for answer in chat.answers])


async def test_a_provider_that_refuses_is_left_for_the_next_or_ends_in_an_honest_failure(providers: Providers) -> None:
    order = providers.order("anthropic", f"{QUICK}-f529", QUICK)
    business = await providers.stage.business(order[0], fallbacks=list(order[1:]))
    alone = await business.make_agent(order[0], fallbacks=[])
    async with sockets(business, RUNNING) as chats:
        failing = [await chat.ask(agent_id=alone) for chat in chats[:2]]
        answers = [await chat.ask() for chat in chats[2:]]
        await _ended(chats)
    assert {(answer.attempt, _models(answer)) for answer in answers} == {(1, order[1:2])}
    assert {_end(answer)[0] for answer in failing} == {"message.failed"}
    assert {answer.end and answer.end["code"] for answer in failing} == {"model_overloaded"}
    assert all(answer.end and answer.end["retryable"] and not answer.tokens for answer in failing)
    await check_all(business, failing + answers)


async def test_with_all_providers_unplugged_the_built_in_one_answers(providers: Providers) -> None:
    order = providers.order("openai", SLOW, QUICK)
    business = await providers.stage.business(order[0], fallbacks=list(order[1:]))
    async with sockets(business, RUNNING) as chats:
        answers = [await chat.ask() for chat in chats]
        await asyncio.gather(*(chat.reached(answer, 3) for chat, answer in zip(chats, answers, strict=True)))
        for server in providers.servers.values():
            await server.stop()
        try:
            await _ended(chats)
        finally:
            for server in providers.servers.values():
                await server.start()
    assert {answer.attempt for answer in answers} == {2}
    assert {_models(answer)[-1] for answer in answers} == {EXTRACTIVE}
    assert {_end(answer)[0] for answer in answers} == {"message.completed"}
    await check_all(business, answers)


async def _answered_by(model_id: str, chat: Chat, providers: Providers) -> list[Answer]:
    """Ask until this model answers again: the call that tries it closes the breaker for all."""
    asked: list[Answer] = []

    async def is_back() -> bool:
        asked.append(await chat.ended(await chat.ask(), timeout_s=DEADLINE_S))
        return _models(asked[-1]) == (model_id,)

    await eventually(is_back, timeout_s=DEADLINE_S, every_s=0.5)
    assert await providers.breaker(model_id) == CLOSED
    return asked


async def _ended(chats: list[Chat]) -> None:
    await asyncio.gather(*(chat.ended(answer, timeout_s=DEADLINE_S) for chat in chats for answer in chat.answers))


def _models(answer: Answer) -> tuple[str, ...]:
    """Who began to answer, one an attempt."""
    return tuple(str(frame["model"]) for frame in answer.frames if frame["type"] == "message.started")


def _end(answer: Answer) -> tuple[str, str]:
    assert answer.end is not None, answer.refused
    return answer.end["type"], answer.end.get("content", "")


def _words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(count))
