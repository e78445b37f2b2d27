"""Whatever dies, breaks or is late: every answer ends once, and is shown exactly as it is stored."""

import asyncio
import random

import pytest

from contracts.ids import ConversationId, MessageId, uuid7
from filter_service.domain.token_stream import TokenStream
from filter_service.outbound.nats_screens import NatsScreens
from gateway_service.domain.resume import Progress, TokenRange, Verdict
from gateway_service.outbound.token_feed import FILLED
from tests.simulation.virtual_time import run
from tests.simulation.world import REDELIVERY_S, Kept, World, script, whole_text

SEEDS = range(120)
MESSAGES = 4


async def live(seed: int) -> list[str]:
    """One run; returns every broken promise."""
    rng, filled = random.Random(seed), FILLED._value.get()
    world = World(seed)
    for number in range(2):
        await world.gateway(number)
    scripts = {MessageId(uuid7()): script(rng) for _ in range(MESSAGES)}
    clients = []
    for message_id, said in scripts.items():
        world.store.rows[message_id] = Kept(message_id, ConversationId(uuid7()))
        clients.append(asyncio.create_task(world.client(message_id, is_new=True)))
        asyncio.get_running_loop().create_task(queue(world, message_id, said))
    trouble = asyncio.create_task(make_trouble(world, rng))
    try:
        async with asyncio.timeout(600):
            await asyncio.gather(*clients)
    except TimeoutError:
        return ["an answer never ended"]
    trouble.cancel()
    if FILLED._value.get() > filled:
        return ["the broker did not have what was confirmed"]
    return [fault for message_id, said in scripts.items() for fault in faults(world, message_id, whole_text(said))]


async def queue(world: World, message_id: MessageId, said: tuple[object, ...]) -> None:
    """The work queue: a job whose worker died or gave up is delivered again."""
    row = world.store.rows[message_id]
    while row.state not in {"completed", "failed"}:
        worker = world.worker(message_id, said)
        while row.state not in {"completed", "failed"} and not worker.is_dead and worker._tasks:
            await asyncio.sleep(0.5)
            if len(worker._tasks) == 1:  # only its wire is left: the attempt is over
                break
        worker.die()
        await asyncio.sleep(REDELIVERY_S if row.state == "running" else 1.0)


async def make_trouble(world: World, rng: random.Random) -> None:
    """Kill and break, but leave one of each kind alive."""
    for _ in range(rng.randrange(6)):
        await asyncio.sleep(rng.random() * 3)
        match rng.choice(("filter", "filter", "gateway", "worker", "break", "break", "break")):
            case "filter":
                number = rng.randrange(2)
                world.filters[number].die()
                world.filters[number] = world.filter(number + rng.randrange(2, 14))
            case "gateway":
                process, _feed = world.gateways[rng.randrange(len(world.gateways))]
                process.die()
                await world.gateway(rng.randrange(100))
            case "worker" if world.workers:
                rng.choice(world.workers).die()
            case _:
                victims = [*world.filters, *(process for process, _ in world.gateways), *world.workers]
                victim = rng.choice(victims)
                victim.spawn(victim.break_for(rng.choice((0.1, 1.0, 4.0))))


def faults(world: World, message_id: MessageId, truth: str) -> list[str]:
    seen, row = world.seen[message_id], world.store.rows[message_id]
    found = list(seen.faults)
    if len(seen.ends) != 1:
        found.append(f"{len(seen.ends)} ends")
    if row.completions > 1:
        found.append(f"{row.completions} completions")
    if row.outcome is not None and seen.ends and seen.ends[0]["type"] == "message.completed":
        if row.outcome.content != truth:
            found.append(f"stored {row.outcome.content!r}, not {truth!r}")
        if seen.ends[0]["content"] != row.outcome.content:
            found.append("told something else than what is stored")
        if seen.text != row.outcome.content:
            found.append(f"shown {seen.text!r}, stored {row.outcome.content!r}")
    return found


def broken_promises(seeds: range) -> dict[int, list[str]]:
    """Faults by seed: what is printed here makes the run again."""
    return {seed: found for seed in seeds if (found := run(live(seed)))}


@pytest.mark.timeout(120)
def test_every_promise_holds_in_every_run():
    assert broken_promises(SEEDS) == {}


def test_the_same_seed_gives_the_same_run():
    async def shape(seed: int) -> tuple[float, int]:
        await live(seed)
        return asyncio.get_running_loop().time(), seed

    assert run(shape(7)) == run(shape(7))


def test_a_gateway_that_does_not_drop_repeats_is_found(monkeypatch: pytest.MonkeyPatch):
    honest = Progress.take

    def careless(self: Progress, frame: object) -> Verdict:
        verdict = honest(self, frame)  # type: ignore[arg-type] # a method taken off its class
        is_repeat = isinstance(frame, TokenRange) and frame.attempt == self.attempt and verdict is Verdict.DROP
        return Verdict.SEND if is_repeat else verdict

    monkeypatch.setattr(Progress, "take", careless)
    assert broken_promises(range(20))


def test_a_filter_that_forgets_what_was_seen_is_found(monkeypatch: pytest.MonkeyPatch):
    honest = TokenStream.__init__

    def forgetful(self: TokenStream, bench: object, *, seen_seq: int = -1) -> None:
        honest(self, bench, seen_seq=seen_seq)  # type: ignore[arg-type] # the same here
        if seen_seq >= 0:
            self._next = 1  # skips the first raw piece of a replay

    monkeypatch.setattr(TokenStream, "__init__", forgetful)
    assert broken_promises(range(20))


def test_a_filter_that_confirms_before_it_publishes_is_found(monkeypatch: pytest.MonkeyPatch):
    honest = NatsScreens.show

    async def hasty(self: NatsScreens, receipt_to: str) -> None:
        frames, self._frames = self._frames, []
        await honest(self, receipt_to)
        await asyncio.sleep(0.2)
        self._frames = frames + self._frames
        await honest(self, "")

    monkeypatch.setattr(NatsScreens, "show", hasty)
    assert broken_promises(range(40))
