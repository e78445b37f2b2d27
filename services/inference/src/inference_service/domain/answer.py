"""Answer one turn: lease, read, check, ask a model, show through the filter, store what was shown."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from contracts.ids import MessageId
from contracts.inference import FinishReason, Source, Turn, Unsupported, Usage
from inference_service.domain.asks_for_person import asks_for_person
from inference_service.domain.checked import checked
from inference_service.domain.citation import cited
from inference_service.domain.compose import compose
from inference_service.domain.errors import ModelFailed, ModelRejected
from inference_service.domain.extract import Embedder
from inference_service.domain.ground import Ground
from inference_service.domain.grounding import Checking
from inference_service.domain.held_stream import held_back
from inference_service.domain.lease import keeping
from inference_service.domain.leave_to_people import leave_to_people
from inference_service.domain.model import End, Model, Prompt
from inference_service.domain.notes import Notes
from inference_service.domain.ports import (
    Candidate,
    Followers,
    InputCheck,
    Knowledge,
    OpenedStream,
    Providers,
    Sink,
    StopSignals,
    Stream,
    Turns,
)
from inference_service.domain.standing import CUSTOMER_ASKED, UNSUPPORTED
from inference_service.domain.turn import MAX_ATTEMPT, Busy, LeasedTurn, Outcome
from runtime.errors import NotNow, Rejected, Retryable, Unavailable
from runtime.tenancy import TenantScope

PASSAGES = 6
BUSY_DELAY_S, BUSY_DELIVERIES = 3.0, 4
_NEEDS_SEARCH = ("remove", "hand_over")
"""What cannot be done while nobody knows what the documents say."""
STORE_PAUSES_S = (0.1, 0.3, 1.0, 2.0, 2.0)
"""Within the lease: after that somebody else may be answering."""


@dataclass(frozen=True)
class Desk:
    """All that answering needs."""

    turns: Turns
    knowledge: Knowledge
    check: InputCheck
    sink: Sink
    followers: Followers
    providers: Providers
    stops: StopSignals
    embedder: Embedder
    deadline_s: float


async def answer(message_id: MessageId, scope: TenantScope, desk: Desk) -> None:
    """Bring the turn to its end, or raise so that the job comes again.

    Raises:
        NotNow: another worker holds the lease.
        Retryable: this attempt failed; the next one begins with the next delivery.
    """
    turn = await desk.turns.lease(scope, message_id)
    if isinstance(turn, Busy):
        raise NotNow(BUSY_DELAY_S, BUSY_DELIVERIES)
    while isinstance(turn, LeasedTurn) and await _is_fenced(turn, scope, desk):
        # The conversation changed hands meanwhile, or somebody else has the turn: then there is nothing to give back.
        await desk.turns.release(scope, turn)
        turn = await desk.turns.lease(scope, message_id)


async def _is_fenced(turn: LeasedTurn, scope: TenantScope, desk: Desk) -> bool:
    """Make one attempt; tell whether it came too late to be stored."""
    message_id = turn.message_id
    if turn.attempt > MAX_ATTEMPT:
        await desk.turns.fail(scope, message_id, "attempts_exhausted", attempt=turn.attempt)
        return False
    began = asyncio.get_running_loop().time()
    try:
        async with keeping(desk.turns, desk.stops, scope, turn) as stop:
            outcome = await _attempt(turn, scope, desk, stop)
            return not await _store(turn, scope, desk, outcome)
    except Rejected as error:
        await desk.turns.fail(scope, message_id, error.code, attempt=turn.attempt)
    except ModelFailed as error:
        waited_s = turn.waited_s + asyncio.get_running_loop().time() - began
        if not error.retryable or _is_too_long(error.retry_after_s, desk.deadline_s - waited_s):
            await desk.turns.fail(scope, message_id, error.code, attempt=turn.attempt)
            return False
        await desk.turns.release(scope, turn, error.retry_after_s or 0.0)
        raise Retryable(error.detail, code=error.code, retry_after_s=error.retry_after_s) from error
    except Retryable as error:
        await desk.turns.release(scope, turn, error.retry_after_s or 0.0)
        raise
    return False


def _is_too_long(asked_s: float | None, left_s: float) -> bool:
    """Whether the time that the providers asked for is not over before the answer must be there."""
    return asked_s is not None and asked_s >= left_s


async def _store(turn: LeasedTurn, scope: TenantScope, desk: Desk, outcome: Outcome) -> bool:
    """Store what was shown, then tell those who follow it; False when it was fenced."""
    stored = await _stored(turn, scope, desk, outcome)
    if stored is not None:
        await desk.followers.tell(scope, stored)
    return stored is not None


async def _stored(turn: LeasedTurn, scope: TenantScope, desk: Desk, outcome: Outcome) -> Turn | None:
    """Do not give a shown answer up because the database is away for a moment.

    Trying again is safe: a commit whose answer was lost has ended the turn, and the next one is fenced.
    """
    for pause_s in STORE_PAUSES_S:
        try:
            return await desk.turns.complete(scope, turn, outcome)
        except Unavailable:
            await asyncio.sleep(pause_s)
    return await desk.turns.complete(scope, turn, outcome)


async def _attempt(turn: LeasedTurn, scope: TenantScope, desk: Desk, stop: asyncio.Event) -> Outcome:
    if turn.is_with_people:
        return await leave_to_people(turn, scope, desk.sink)
    if turn.is_stop_asked:
        return Outcome(content="", finish_reason="stopped", model="")
    if asks_for_person(turn.question):
        return await leave_to_people(turn, scope, desk.sink, CUSTOMER_ASKED)
    notes = Notes(turn, asyncio.get_running_loop().time)
    # what is found is for the model alone, so that the search need not wait for the filter's word on the question
    searching = asyncio.create_task(_ground(turn, scope, desk))
    try:
        async with desk.sink.open(scope, turn) as stream:
            categories, ground = await asyncio.gather(_blocked(turn, scope, desk, stream), searching)
            notes.reached("found")
            checking = Checking(ground.hits, desk.embedder)
            if categories:
                outcome = Outcome(content="", finish_reason="blocked", model="", categories=categories)
            else:
                outcome = await _generate(turn, desk, stream, ground, stop, notes=notes, checking=checking)
    finally:
        searching.cancel()
        await asyncio.gather(searching, return_exceptions=True)
    return await checked(outcome, turn, ground=ground, notes=notes, checking=checking)


async def _blocked(turn: LeasedTurn, scope: TenantScope, desk: Desk, stream: OpenedStream) -> tuple[str, ...]:
    """Why the question is not to be answered."""
    if stream.blocked_categories is not None:
        return stream.blocked_categories
    return await desk.check.blocked_categories(scope, turn.question)


async def _ground(turn: LeasedTurn, scope: TenantScope, desk: Desk) -> Ground:
    if not turn.options.use_knowledge:
        return Ground((), is_known=True)
    try:
        return Ground(await desk.knowledge.search(scope, turn.query, PASSAGES), is_known=True)
    except Unavailable:
        return Ground((), is_known=False)


async def _generate(
    turn: LeasedTurn,
    desk: Desk,
    stream: Stream,
    ground: Ground,
    stop: asyncio.Event,
    *,
    notes: Notes,
    checking: Checking,
) -> Outcome:
    """Ask the models in order until one begins; one that breaks off after its first word ends the attempt."""
    failures: list[ModelFailed] = []
    for model_id in _order(turn):
        candidate = desk.providers.find(model_id)
        if candidate is None:
            notes.considered(model_id, "passed_over", "no_such_provider")
            continue
        if not ground.is_known and (candidate.needs_knowledge or turn.unsupported in _NEEDS_SEARCH):
            failures.append(ModelFailed("the documents cannot be searched now", code="unavailable"))
            notes.considered(model_id, "passed_over", "unavailable")
            continue
        notes.unsupported = _policy(turn, candidate)
        way = held_back(stream, notes, checking, turn.question)
        relay = Relay(way, model_id, ground.sources, notes)
        prompt = compose(turn, candidate.name, ground.hits)
        notes.asks(prompt)
        try:
            end = await _until_stopped(relay.run(candidate.model, prompt, desk.deadline_s), stop)
        except ModelFailed as error:
            if relay.has_started:
                raise
            failures.append(error)
            notes.considered(model_id, "failed", error.code)
            continue
        notes.considered(model_id, "answered")
        return await _conclude(relay, way, ground, end)
    raise _joined(failures)


def _policy(turn: LeasedTurn, candidate: Candidate) -> Unsupported:
    """What is done with unsupported sentences: quotations stand by themselves, and without documents nothing could."""
    return turn.unsupported if turn.options.use_knowledge and not candidate.needs_knowledge else "mark"


def _joined(failures: list[ModelFailed]) -> ModelFailed:
    """What a turn failed of whose models all failed: the last one that may succeed later, if there is one.

    It comes again as soon as the first of those may be asked again: at once, unless each of them named a time.
    """
    passing = [failure for failure in failures if failure.retryable]
    if not passing:
        return failures[-1] if failures else ModelRejected("no provider of this agent is available here")
    asked_s = min(failure.retry_after_s or 0.0 for failure in passing)
    return ModelFailed(passing[-1].detail, code=passing[-1].code, retry_after_s=asked_s or None)


def _order(turn: LeasedTurn) -> tuple[str, ...]:
    """The first choice first; a further attempt begins with the next one, because the last broke off in mid-answer."""
    first = (turn.attempt - 1) % len(turn.models)
    return turn.models[first:] + turn.models[:first]


class Relay:
    """Carries one model's pieces into the stream."""

    def __init__(self, stream: Stream, model_id: str, sources: tuple[Source, ...], notes: Notes) -> None:
        self._stream = stream
        self._sources = sources
        self.notes = notes
        self.model_id = model_id
        self.has_started = False

    async def start(self) -> None:
        if not self.has_started:
            self.has_started = True
            self.notes.reached("first_token")
            await self._stream.start(self.model_id, self._sources)

    async def run(self, model: Model, prompt: Prompt, deadline_s: float) -> End | None:
        """Until the model's End; None when the filter cut the stream before."""
        deadline = asyncio.get_running_loop().time() + deadline_s
        async with aclosing(model.stream(prompt, deadline=deadline)) as answer_:
            async for item in answer_:
                if isinstance(item, End):
                    return item
                if not self.has_started:
                    await self.start()
                await self._stream.send(item)
                if self._stream.is_cut:
                    return None
        return None


async def _until_stopped(running: Coroutine[Any, Any, End | None], stop: asyncio.Event) -> End | None:
    """The model's End; None when a person asked to stop first: the model is then stopped at once."""
    task = asyncio.ensure_future(running)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            return None
        return task.result()
    finally:
        stopping.cancel()
        task.cancel()
        await asyncio.gather(task, stopping, return_exceptions=True)


async def _conclude(relay: Relay, stream: Stream, ground: Ground, end: End | None) -> Outcome:
    await relay.start()
    reason: FinishReason = end.finish_reason if end is not None else "stopped"
    shown = await stream.end(reason)
    relay.notes.reached("shown")
    usage = Usage()
    if end is not None:
        usage = Usage(
            prompt_tokens=end.prompt_tokens, completion_tokens=end.completion_tokens, is_estimated=end.estimated
        )
    numbers = cited(shown.content)
    sources = tuple(source for source in ground.sources if source.n in numbers)
    return Outcome(
        content=shown.content,
        finish_reason=shown.finish_reason,
        model=relay.model_id,
        sources=sources,
        usage=usage,
        confidence=_confidence(end, ground, sources),
        categories=shown.categories,
        hand_over_reason=UNSUPPORTED if shown.finish_reason == "handed_over" else None,
    )


def _confidence(end: End | None, ground: Ground, sources: tuple[Source, ...]) -> float:
    """What the provider says, else the best cosine of the question and a cited passage: a signal, not a probability."""
    if end is not None and end.confidence is not None:
        return round(end.confidence, 4)
    cosines = [ground.hits[source.n - 1].dense or 0.0 for source in sources]
    return round(min(1.0, max((0.0, *cosines))), 4)
