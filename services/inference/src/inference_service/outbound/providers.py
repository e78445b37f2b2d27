"""The providers that this process was told of, and what they list: asked at start and every 5 minutes."""

import asyncio
from collections.abc import Mapping
from typing import Final

from contracts.models import ModelInfo
from inference_service.domain.errors import ModelFailed
from inference_service.domain.ports import Candidate
from runtime import logs

EXTRACTIVE = "extractive"
CAPABILITIES = ("chat", "stream")
LOOK_EVERY_S: Final = 300.0
_ANSWERS_WITHIN_S: Final = 10.0
"""One provider that hangs must not hold back the others, nor the start."""

_log = logs.get_logger()


class FoundProviders:
    """Implements `Providers`. A model that is not listed can be named all the same: it may be there when it is asked.

    Args:
        providers: by name.
        answers_within_s: how long one may take to list its models, in seconds.
    """

    def __init__(self, providers: Mapping[str, Candidate], *, answers_within_s: float = _ANSWERS_WITHIN_S) -> None:
        self._providers = providers
        self._answers_within_s = answers_within_s
        self._found: tuple[ModelInfo, ...] = ()
        self._default = f"{EXTRACTIVE}/sentences"

    async def look(self) -> None:
        """Ask every provider for its models."""
        names = await asyncio.gather(*(self._names(provider) for provider in self._providers))
        self._found = tuple(
            ModelInfo(id=f"{provider}/{name}", provider=provider, name=name, capabilities=CAPABILITIES)
            for provider, found in zip(self._providers, names, strict=True)
            for name in found
        )
        self._choose_default()

    async def watch(self) -> None:
        """Look again for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    def find(self, model_id: str) -> Candidate | None:
        provider, _, name = model_id.partition("/")
        found = self._providers.get(provider)
        return Candidate(found.model, name, found.needs_knowledge) if found is not None else None

    def default(self) -> str:
        return self._default

    async def list(self) -> tuple[ModelInfo, ...]:
        """Return what was found when somebody last looked."""
        return self._found

    def _choose_default(self) -> None:
        """Agents that name no model get the first one of a real model provider, else `extractive`.

        The choice stays while it is listed, and while nothing else is: an agent keeps what it was given, so a provider
        that is away for a moment must not make new agents worse for good.
        """
        real = [info.id for info in self._found if info.provider != EXTRACTIVE]
        if real and self._default not in real:
            self._default = real[0]
            _log.info("models.default", model=self._default)

    async def _names(self, provider: str) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(self._answers_within_s):
                return await self._providers[provider].model.names()
        except ModelFailed as error:
            _log.warning("provider.away", provider=provider, code=error.code)
        except TimeoutError:
            _log.warning("provider.away", provider=provider, code="model_stalled")
        return ()
