"""A model that is asked a second time when it is silent for unusually long; the first token wins."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final, Protocol

from inference_service.domain.errors import ModelFailed
from inference_service.domain.hedge import Hedge, Limits
from inference_service.domain.model import End, Model, Pieces, Prompt

MOST_NAMES: Final = 256
"""Models whose silences are remembered; the one that was asked longest ago is forgotten first."""


class Spare(Model, Protocol):
    """A model that knows whether it has something to spare."""

    def has_room(self, name: str) -> bool:
        """Whether one more call of this model hurts nobody: it is healthy, and places are free."""
        ...


class HedgeWatch(Protocol):
    """Who is told of second calls."""

    def hedged(self, provider: str, model: str) -> None: ...

    def hedge_won(self, provider: str, model: str) -> None: ...


class HedgedModel:
    """Implements `Model`. Both calls take a place and count at the breaker; the loser is cancelled at once.

    Args:
        provider: its name, as in `provider/model`.
        model: the provider, behind its breaker and bulkhead.
        watch: who is told.
        limits: when hedging begins and what it may cost.
        clock: seconds that never go back; None is the running loop's time.
    """

    def __init__(
        self,
        provider: str,
        model: Spare,
        watch: HedgeWatch,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._provider = provider
        self._model = model
        self._watch = watch
        self._limits = limits or Limits()
        self._clock = clock
        self._hedges: dict[str, Hedge] = {}

    async def names(self) -> tuple[str, ...]:
        """Return what the provider lists."""
        return await self._model.names()

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer piece by piece; see `domain.model.Model`."""
        hedge, began = self._hedge(prompt.model), self._now()
        hedge.called()
        calls = [_Call(self._model.stream(prompt, deadline=deadline))]
        try:
            if await self._is_silent(calls[0], hedge.after_s(began)) and self._may_hedge(prompt.model, hedge):
                self._watch.hedged(self._provider, prompt.model)
                calls.append(_Call(self._model.stream(prompt, deadline=deadline)))
            winner = await _first_to_speak(calls)
            item, now = winner.first.result(), self._now()
            hedge.heard(now - began, now)
            if winner is not calls[0]:
                self._watch.hedge_won(self._provider, prompt.model)
            await _close([call for call in calls if call is not winner])
            yield item
            async for item in winner.items:
                yield item
        finally:
            await _close(calls)

    async def _is_silent(self, call: "_Call", seconds: float | None) -> bool:
        """Wait for the call's first item, at most for these seconds; None: until it is there."""
        await asyncio.wait({call.first}, timeout=seconds)
        return not call.first.done()

    def _may_hedge(self, model: str, hedge: Hedge) -> bool:
        return self._model.has_room(model) and hedge.may_spend()

    def _hedge(self, name: str) -> Hedge:
        """Return the model's hedge, most recently used last."""
        hedge = self._hedges.pop(name, None) or Hedge(self._limits)
        self._hedges[name] = hedge
        if len(self._hedges) > MOST_NAMES:
            del self._hedges[next(iter(self._hedges))]
        return hedge

    def _now(self) -> float:
        return self._clock() if self._clock is not None else asyncio.get_running_loop().time()


class _Call:
    """One call; its first item is waited for in a task of its own, so that two can be waited for at a time."""

    def __init__(self, items: AsyncGenerator[Pieces | End, None]) -> None:
        self.items = items
        self.first = asyncio.ensure_future(_next(items))


async def _next(items: AsyncGenerator[Pieces | End, None]) -> Pieces | End:
    return await anext(items)


async def _first_to_speak(calls: list[_Call]) -> _Call:
    """Return the call whose first item is there first; one that fails leaves it to the other.

    Raises:
        ModelFailed: what the first call failed of, when all did.
    """
    silent = list(calls)
    while silent:
        await asyncio.wait({call.first for call in silent}, return_when=asyncio.FIRST_COMPLETED)
        for call in [call for call in silent if call.first.done()]:
            if not isinstance(call.first.exception(), ModelFailed):
                return call
            silent.remove(call)
    return calls[0]


async def _close(calls: list[_Call]) -> None:
    """Stop them at once; the tasks have ended when this returns, so that the generators can be closed."""
    for call in calls:
        call.first.cancel()
    await asyncio.gather(*(call.first for call in calls), return_exceptions=True)
    for call in calls:
        await call.items.aclose()
