"""Two filter processes on the real broker and database, fed as a worker feeds them."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx
import pytest
from nats.aio.msg import Msg

from contracts import filter as channels
from contracts import subjects
from contracts.base import Contract
from contracts.filter import ModerationPolicy
from contracts.frames import Token
from contracts.ids import uuid7
from contracts.tokens import RawEnd, RawTokens, Receipt, StreamEnd
from runtime.bus import Bus
from runtime.errors import NotFound, Rejected, Unavailable
from runtime.tenancy import TenantScope
from tests.support.children import bound
from tests.support.filter_client import FilteredAnswer
from tests.support.platform import Platform, eventually
from tests.support.policies_promise import new_scope
from tests.support.ports import free_ports

pytestmark = pytest.mark.integration

CARD = ["Your card ", "4111", " 1111 ", "1111", "-1111", ", thanks"]


class Replica:
    """One filter process of the test's own."""

    def __init__(self, platform: Platform) -> None:
        self.port = free_ports(1)
        self.process = subprocess.Popen(
            bound("-m", "filter_service"), env={**os.environ, **platform.env("filter", self.port)}
        )

    async def is_ready(self) -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{self.port}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def metric(self, line: str) -> float:
        async with httpx.AsyncClient() as client:
            page = (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
        found = [row.rsplit(" ", 1)[1] for row in page.splitlines() if row.startswith(line + " ")]
        return float(found[0]) if found else 0.0


@pytest.fixture(scope="module")
def replicas(platform: Platform) -> Iterator[list[Replica]]:
    running = [Replica(platform), Replica(platform)]
    yield running
    for replica in running:
        replica.process.terminate()
    for replica in running:
        assert replica.process.wait(30) in (0, -9)


@pytest.fixture(scope="module")
async def worker(platform: Platform, replicas: list[Replica]) -> AsyncIterator[Bus]:
    """Speaks as inference does."""
    bus = Bus("inference", platform.nats_url, platform.seed("inference"))
    await bus.connect()
    for replica in replicas:
        await eventually(replica.is_ready, timeout_s=25)
    yield bus
    await bus.stop()


@pytest.fixture(scope="module")
async def edge(platform: Platform, worker: Bus) -> AsyncIterator[Bus]:
    """Speaks as the gateway does."""
    bus = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    await bus.connect()
    yield bus
    await bus.stop()


async def put(edge: Bus, scope: TenantScope, policy: ModerationPolicy) -> ModerationPolicy:
    return (await edge.request(channels.PUT_POLICY, channels.PutPolicy(policy=policy), scope)).policy


async def ended(answer: FilteredAnswer) -> None:
    await eventually(lambda: answer.last_frame is not None)


async def test_from_open_to_end(worker: Bus) -> None:
    async with FilteredAnswer(worker, new_scope()) as answer:
        await answer.open()
        assert (answer.opened.policy_version, answer.opened.window) == (0, 120)
        await answer.send("Hello", ", ")
        await answer.send("world")
        await answer.end("length")
        await ended(answer)
    head = f'{{"type":"token","message_id":"{answer.message_id}","attempt":1,'
    end = f'{{"type":"end","message_id":"{answer.message_id}","attempt":1,'
    assert answer.frames[0].model == "ollama/x"
    assert answer.bytes[1:] == [
        f'{head}"from_seq":0,"seq":1,"text":"Hello, "}}'.encode(),
        f'{head}"seq":2,"text":"world"}}'.encode(),
        f'{end}"last_seq":2,"finish_reason":"length","categories":[]}}'.encode(),
    ]


async def test_the_opening_tells_what_check_input_would_of_the_question(worker: Bus, edge: Bus) -> None:
    scope = new_scope()
    await put(edge, scope, ModerationPolicy(terms=("Acme Corp",), terms_action="block"))
    for text in ("Is ACME corp cheaper?", "Is it open today?"):
        async with FilteredAnswer(worker, scope) as answer:
            await answer.open(question=text)
        asked = await worker.request(channels.CHECK_INPUT, channels.CheckInput(text=text), scope)
        assert answer.opened.verdict == asked
        assert asked.is_allowed is (text == "Is it open today?")


async def test_an_opening_without_a_question_tells_nothing_of_it(worker: Bus) -> None:
    async with FilteredAnswer(worker, new_scope()) as answer:  # as a worker of an older release opens
        await answer.open()
    assert answer.opened.verdict is None


async def test_a_card_number_split_over_tokens_is_redacted_and_stored_as_a_decision(
    worker: Bus, platform: Platform
) -> None:
    scope = new_scope()
    async with FilteredAnswer(worker, scope) as answer:
        await answer.open()
        for piece in CARD:
            await answer.send(piece)
        await answer.end()
        await ended(answer)
    assert answer.text() == "Your card [redacted], thanks"

    async def kept() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(platform.postgres_url("lumora"))
        try:
            return list(await connection.fetch("SELECT * FROM filter.decision WHERE tenant_id = $1", scope.tenant_id))
        finally:
            await connection.close()

    row = (await eventually(kept))[0]
    assert (row["message_id"], row["is_blocked"], row["found"]) == (answer.message_id, False, '{"card_number": 1}')


async def test_a_blocked_answer_ends_before_the_term(worker: Bus, edge: Bus) -> None:
    scope = new_scope()
    await put(edge, scope, ModerationPolicy(terms=("Acme Corp",), terms_action="block"))
    async with FilteredAnswer(worker, scope) as answer:
        await answer.open()
        for piece in ("Better than ", "ACME", " \n", "corp", "!", " Never shown"):
            await answer.send(piece)
        await ended(answer)
    assert answer.text() == "Better than "
    assert answer.last_frame is not None
    assert (answer.last_frame.finish_reason, answer.last_frame.categories) == ("blocked", ("blocklist",))
    assert b"Never" not in b"".join(answer.bytes)


async def test_inputs_are_judged_by_the_same_rules(worker: Bus, edge: Bus) -> None:
    scope = new_scope()
    await put(edge, scope, ModerationPolicy(terms=("acme",), terms_action="block"))
    blocked = await worker.request(channels.CHECK_INPUT, channels.CheckInput(text="What of ＡCME?"), scope)  # noqa: RUF001 - a look-alike
    assert (blocked.is_allowed, blocked.categories) == (False, ("blocklist",))
    allowed = await worker.request(channels.CHECK_INPUT, channels.CheckInput(text="What of acmes?"), scope)
    assert (allowed.is_allowed, allowed.categories) == (True, ())


async def test_personal_data_is_taken_out_of_texts_in_order_whatever_the_policy_is(worker: Bus, edge: Bus) -> None:
    scope = new_scope()
    await put(edge, scope, ModerationPolicy(cards_action="off"))
    order = channels.Redact(texts=("Why was 4111 1111 1111 1111 charged?", "Is it open?", "Write to ada@example.com!"))
    done = await worker.request(channels.REDACT, order, scope)
    assert done.texts == ("Why was [redacted] charged?", "Is it open?", "Write to [redacted]!")


async def test_a_policy_is_kept_by_version_and_heard_by_every_replica(worker: Bus, edge: Bus) -> None:
    scope = new_scope()
    question = channels.CheckInput(text="acme")

    async def verdicts() -> set[bool]:
        # Enough questions that each replica has surely answered some.
        asked = [worker.request(channels.CHECK_INPUT, question, scope) for _ in range(30)]
        return {verdict.is_allowed for verdict in await asyncio.gather(*asked)}

    assert await verdicts() == {True}
    first = await put(edge, scope, ModerationPolicy(version=99, terms=("acme",), terms_action="block"))
    assert first.version == 1

    async def everywhere(is_allowed: bool) -> bool:
        return await verdicts() == {is_allowed}

    # Far sooner than the 30 s after which a replica would look by itself.
    await eventually(lambda: everywhere(False), timeout_s=5)
    second = await put(edge, scope, ModerationPolicy())
    assert second.version == 2
    await eventually(lambda: everywhere(True), timeout_s=5)
    assert (await edge.request(channels.GET_POLICY, channels.GetPolicy(), scope)).policy == second
    assert (await edge.request(channels.GET_POLICY, channels.GetPolicy(), new_scope())).policy == ModerationPolicy()


async def test_a_policy_that_cannot_be_is_refused_with_the_reason(edge: Bus) -> None:
    with pytest.raises(Rejected, match="invalid_request: Term 2 has 200 characters, more than the window of 120"):
        await put(edge, new_scope(), ModerationPolicy(terms=("fine", "é" * 100)))
    with pytest.raises(Rejected, match="Term 1 has no visible character"):
        await put(edge, new_scope(), ModerationPolicy(terms=(" ",)))
    many = ModerationPolicy.model_construct(
        version=0, terms=tuple(f"term{n}" for n in range(1_001)), terms_action="block", cards_action="off"
    )
    request = channels.PutPolicy.model_construct(policy=many)
    with pytest.raises(Rejected, match="at most 1000 items"):
        await edge.request(channels.PUT_POLICY, request, new_scope())


async def test_an_answer_that_moves_is_judged_by_the_policy_it_began_with(worker: Bus, edge: Bus) -> None:
    scope = new_scope()
    await put(edge, scope, ModerationPolicy(terms=("acme",)))
    async with FilteredAnswer(worker, scope) as answer:
        await answer.open()
        await answer.send("By ", "acme", " and ")
        await eventually(lambda: answer.text() == "By [redacted] and ")
        await put(edge, scope, ModerationPolicy())
        await answer.move()
        await answer.send("acme.")
        await answer.end()
        await ended(answer)
    assert answer.opened.policy_version == 1
    assert answer.text() == "By [redacted] and [redacted]."


async def test_an_unknown_policy_version_opens_nothing(worker: Bus) -> None:
    async with FilteredAnswer(worker, new_scope()) as answer:
        with pytest.raises(NotFound):
            await answer.open(policy_version=5)


async def test_repeats_and_gaps_change_nothing(worker: Bus) -> None:
    async with FilteredAnswer(worker, new_scope()) as answer:
        await answer.open()
        await answer.send("a", "b")
        await answer.say(b'{"type":"tokens","attempt":1,"first":0,"texts":["a","b"]}')
        await answer.say(b'{"type":"tokens","attempt":1,"first":7,"texts":["far"]}')
        await answer.say(b'{"type":"tokens","attempt":0,"first":2,"texts":["old"]}')
        await answer.say(b'{"type":"end","attempt":1,"count":9,"finish_reason":"stop"}')
        await answer.say(b'{"type":"later","attempt":1}')
        await answer.say(b'{"type":"tokens","attempt":1,"first":1,"texts":["b","c"]}')
        answer.pieces.append("c")
        await answer.end()
        await ended(answer)
    assert [(token.from_seq, token.seq, token.text) for token in answer.tokens] == [(0, 1, "ab"), (None, 2, "c")]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"type":"tokens","attempt":1,"first":0,"texts":[5]}',
        b'{"type":"tokens","attempt":1,"first":"0","texts":["a"]}',
        b'{"type":"tokens","attempt":1,"first":0,"texts":["' + b"a" * 900_000 + b'"],"more":',
    ],
)
async def test_garbage_ends_one_stream_and_no_other(worker: Bus, raw: bytes) -> None:
    scope = new_scope()
    async with FilteredAnswer(worker, scope) as hurt, FilteredAnswer(worker, scope) as other:
        await hurt.open()
        await other.open()
        await hurt.say(raw)
        await hurt.send("not heard")
        await other.send("heard")
        await other.end()
        await ended(other)
        assert not hurt.tokens
        await hurt.move()
        await hurt.end()
        await ended(hurt)
        assert hurt.text() == "not heard"


async def test_a_batch_is_judged_by_answer_and_its_receipt_comes_behind_the_frames(worker: Bus) -> None:
    scope, heard = new_scope(), list[Contract]()

    async def on_receipt(message: Msg) -> None:
        assert shown() == ["Hello, world", "Good"]
        heard.extend(Receipt.read(message.data).frames)

    receipts = await worker.nc.subscribe(subjects.receipts("abc"), cb=on_receipt)
    async with FilteredAnswer(worker, scope) as one, FilteredAnswer(worker, scope) as other:

        def shown() -> list[str]:
            return [one.text(), other.text()]

        await one.open()
        await other.open()
        while other.opened.batches != one.opened.batches:
            await other.open()
        parts: list[Contract] = [
            RawTokens(message_id=one.message_id, attempt=1, first=0, texts=("Hello",)),
            RawTokens(message_id=other.message_id, attempt=1, first=0, texts=("Good",)),
            RawTokens(message_id=one.message_id, attempt=1, first=1, texts=(", ", "world")),
            RawEnd(message_id=one.message_id, attempt=1, count=3, finish_reason="stop"),
        ]
        bodies = [part.dump() for part in parts]
        # What is wrong with one part ends that answer, if it is one, and no other.
        bodies.insert(2, b'{"type":"tokens","message_id":"%b","attempt":1}' % str(uuid7()).encode())
        body = b'{"type":"batch","parts":[%b]}' % b",".join(bodies)
        await worker.nc.publish(one.opened.batches or "", body, reply=subjects.receipts("abc"))
        await eventually(lambda: len(heard) == 3)
    await receipts.unsubscribe()
    assert heard == [
        Token(message_id=one.message_id, attempt=1, from_seq=0, seq=2, text="Hello, world"),
        StreamEnd(message_id=one.message_id, attempt=1, last_seq=2, finish_reason="stop"),
        Token(message_id=other.message_id, attempt=1, seq=0, text="Good"),
    ]


async def test_no_token_is_lost_or_doubled_when_a_replica_is_killed(
    worker: Bus, platform: Platform, replicas: list[Replica]
) -> None:
    scope = new_scope()
    pieces = [piece for n in range(30) for piece in (f"word{n} ", "4111", " 1111", " 1111 ", "1111", " ok. ")]
    third, text = Replica(platform), "".join(f"word{n} [redacted] ok. " for n in range(30))
    await eventually(third.is_ready, timeout_s=25)
    answers = [FilteredAnswer(worker, scope) for _ in range(16)]
    for answer in answers:
        await answer.__aenter__()
        await answer.open()
    assert await third.metric("filter_open_streams") > 0
    for place, piece in enumerate(pieces):
        if place == 67:
            third.process.kill()
        for answer in answers:
            await answer.send(piece)
        await asyncio.sleep(0.002)
    for answer in answers:
        await answer.end()
    await asyncio.sleep(1)
    stuck = [answer for answer in answers if answer.last_frame is None]
    assert 0 < len(stuck) < len(answers), "some answers were at the replica that died, and only some"
    for answer in stuck:
        await answer.move()
        await answer.end()
    for answer in answers:
        await ended(answer)
        await answer.__aexit__()
        assert answer.text() == text
        numbers = [token.seq for token in answer.tokens]
        assert numbers == sorted(set(numbers)), "each token was said once"
        assert answer.last_frame is not None
        assert answer.last_frame.last_seq == numbers[-1]
    assert all(replica.process.poll() is None for replica in replicas)
    third.process.wait(5)


async def test_a_replica_that_is_told_to_go_lets_its_streams_end(
    worker: Bus, platform: Platform, replicas: list[Replica]
) -> None:
    leaving = Replica(platform)
    await eventually(leaving.is_ready, timeout_s=25)
    answers = [FilteredAnswer(worker, new_scope()) for _ in range(16)]
    for answer in answers:
        await answer.__aenter__()
        await answer.open()
        await answer.send("before ")
    begun = await leaving.metric("filter_open_streams")
    assert begun > 0
    leaving.process.terminate()
    for _ in range(40):
        await asyncio.sleep(0.1)
        for answer in answers:
            await answer.send("x")
    assert leaving.process.poll() is None, "it waits while they are fed"
    async with FilteredAnswer(worker, new_scope()) as late:
        await late.open()
        assert await leaving.metric("filter_open_streams") == begun, "it opens no more"
    for answer in answers:
        await answer.end()
        await ended(answer)
        await answer.__aexit__()
        assert answer.text() == "before " + "x" * 40
    assert await asyncio.to_thread(leaving.process.wait, 15) == 0


async def test_nobody_else_may_speak_on_the_token_path(platform: Platform, worker: Bus) -> None:
    """Only inference may feed, only the filter may publish for readers: others are refused by the broker."""
    scope = new_scope()
    async with FilteredAnswer(worker, scope) as answer:
        await answer.open()
        for user in ("gateway", "learning"):
            intruder = Bus(user, platform.nats_url, platform.seed(user))
            await intruder.connect()
            await intruder.nc.publish(answer.opened.subject, b'{"type":"tokens","attempt":1,"first":0,"texts":["no"]}')
            await intruder.nc.publish(f"tok.{scope.tenant_id}.{answer.conversation_id}.{answer.message_id}", b"{}")
            await intruder.nc.flush()
            await intruder.stop()
        await answer.send("yes")
        await answer.end()
        await ended(answer)
        assert answer.text() == "yes"


async def test_who_may_not_ask_gets_no_answer(platform: Platform) -> None:
    stranger = Bus("learning", platform.nats_url, platform.seed("learning"))
    await stranger.connect()
    with pytest.raises(Unavailable):
        await stranger.request(channels.CHECK_INPUT, channels.CheckInput(text="x"), new_scope(), timeout_s=0.5)
    await stranger.stop()
