"""A model behind its breaker and its bulkhead."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final, Literal, Protocol

from inference_service.domain.breaker import Breaker, Limits, Permit, State
from inference_service.domain.bulkhead import Bulkhead, BulkheadFull
from inference_service.domain.errors import ModelFailed, ModelLate, ModelOverloaded, ModelRejected, PromptTooLong
from inference_service.domain.model import End, Model, Pieces, Prompt

MOST_NAMES: Final = 256
"""Models of one provider that are remembered: agents may name any, and names must not fill the memory."""


class Watch(Protocol):
    """Who is told how the providers do."""

    def breaker(self, provider: str, model: str, state: State) -> None: ...

    def forgotten(self, provider: str, model: str) -> None: ...

    def failed(self, provider: str, code: str) -> None:
        """Hear that the provider was asked and gave no answer, or no whole one."""
        ...

    def refused(self, provider: str, reason: Literal["breaker", "bulkhead"]) -> None:
        """Hear that the provider was not asked."""
        ...


class _Guard:
    """Of one model's name."""

    def __init__(self, limits: Limits, places: int, patience_s: float) -> None:
        self.breaker = Breaker(limits)
        self.bulkhead = Bulkhead(places, patience_s)

    @property
    def may_be_forgotten(self) -> bool:
        return self.breaker.state == "closed" and not self.bulkhead.taken


class GuardedModel:
    """Implements `Model` around a provider.

    Args:
        provider: its name, as in `provider/model`.
        model: the provider.
        watch: who is told.
        places: calls at a time, of each model.
        patience_s: how long a call waits for a place, in seconds.
        limits: when a breaker opens.
        clock: seconds that never go back; None is the running loop's time.
    """

    def __init__(
        self,
        provider: str,
        model: Model,
        watch: Watch,
        *,
        places: int,
        patience_s: float = 0.5,
        limits: Limits | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._provider = provider
        self._model = model
        self._watch = watch
        self._places = places
        self._patience_s = patience_s
        self._limits = limits or Limits()
        self._clock = clock
        self._guards: dict[str, _Guard] = {}

    async def names(self) -> tuple[str, ...]:
        """Return what the provider lists; a broken model does not hide the others."""
        return await self._model.names()

    def has_room(self, name: str) -> bool:
        """Whether a call that could be done without may be made: breaker closed, a quarter of the places free."""
        guard = self._guards.get(name)
        return guard is None or (guard.breaker.state == "closed" and guard.bulkhead.taken * 4 <= self._places * 3)

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer piece by piece; see `domain.model.Model`.

        Raises:
            ModelOverloaded: the breaker is open, or no place became free; the provider was not asked.
        """
        guard = self._guard(prompt.model)
        try:
            async with (
                guard.bulkhead.place(),
                self._permitted(guard.breaker, prompt.model) as permit,
                aclosing(self._model.stream(prompt, deadline=deadline)) as items,
            ):
                async for item in items:
                    # A probe's first word is enough: others need not wait for its last.
                    if permit.is_probe or isinstance(item, End):
                        guard.breaker.succeeded(permit, self._now())
                        self._tell(guard.breaker, prompt.model)
                    yield item
        except BulkheadFull:
            self._watch.refused(self._provider, "bulkhead")
            raise

    def _admit(self, breaker: Breaker, model: str) -> Permit:
        admitted = breaker.admit(self._now())
        if isinstance(admitted, Permit):
            if admitted.is_probe:
                self._tell(breaker, model)
            return admitted
        self._watch.refused(self._provider, "breaker")
        raise ModelOverloaded("this model failed too often and is left alone", retry_after_s=max(1.0, admitted))

    @asynccontextmanager
    async def _permitted(self, breaker: Breaker, model: str) -> AsyncIterator[Permit]:
        """Give a permit, and settle it by how the block ends unless it is settled. Raises ModelOverloaded."""
        permit = self._admit(breaker, model)
        try:
            yield permit
        except ModelFailed as error:
            self._watch.failed(self._provider, error.code)
            self._settle(breaker, permit, error)
            if not isinstance(error, ModelRejected):
                self._tell(breaker, model)
            raise
        finally:
            if not permit.is_settled:
                breaker.gave_up(permit, self._now())
                if permit.is_probe:
                    self._tell(breaker, model)

    def _settle(self, breaker: Breaker, permit: Permit, error: ModelFailed) -> None:
        if isinstance(error, PromptTooLong | ModelLate):
            return  # it says nothing about the model
        if isinstance(error, ModelRejected):
            if permit.is_probe:
                breaker.succeeded(permit, self._now())  # whoever refuses a request is there
            return
        breaker.failed(permit, self._now(), error.retry_after_s)

    def _guard(self, name: str) -> _Guard:
        """Return the name's guard, most recently used last."""
        guard = self._guards.pop(name, None) or _Guard(self._limits, self._places, self._patience_s)
        self._guards[name] = guard
        if len(self._guards) > MOST_NAMES:
            self._forget_one()
        return guard

    def _forget_one(self) -> None:
        for name, guard in self._guards.items():
            if guard.may_be_forgotten and name != next(reversed(self._guards)):
                del self._guards[name]
                self._watch.forgotten(self._provider, name)
                return

    def _tell(self, breaker: Breaker, model: str) -> None:
        self._watch.breaker(self._provider, model, breaker.state)

    def _now(self) -> float:
        return self._clock() if self._clock is not None else asyncio.get_running_loop().time()
