"""The providers that were found at start: by the variables their own clients use, and `extractive` always."""

import asyncio
from collections.abc import Mapping

from contracts.inference import ModelInfo
from inference_service.domain.errors import ModelFailed
from inference_service.domain.ports import Candidate
from runtime import logs

EXTRACTIVE = "extractive"
CAPABILITIES = ("chat", "stream")

_log = logs.get_logger()


class FoundProviders:
    """Implements `Providers`."""

    def __init__(self, providers: Mapping[str, Candidate]) -> None:
        self._providers = providers
        self._default = f"{EXTRACTIVE}/sentences"

    async def choose_default(self) -> None:
        """Agents that name no model get the first one of a real model provider that answers now, else `extractive`."""
        for info in await self.list():
            if info.provider != EXTRACTIVE:
                self._default = info.id
                break
        _log.info("models.default", model=self._default)

    def find(self, model_id: str) -> Candidate | None:
        provider, _, name = model_id.partition("/")
        found = self._providers.get(provider)
        return Candidate(found.model, name, found.needs_knowledge) if found is not None else None

    def default(self) -> str:
        return self._default

    async def list(self) -> tuple[ModelInfo, ...]:
        names = await asyncio.gather(*(self._names(provider) for provider in self._providers))
        return tuple(
            ModelInfo(id=f"{provider}/{name}", provider=provider, name=name, capabilities=CAPABILITIES)
            for provider, found in zip(self._providers, names, strict=True)
            for name in found
        )

    async def _names(self, provider: str) -> tuple[str, ...]:
        try:
            return await self._providers[provider].model.names()
        except ModelFailed as error:
            _log.warning("provider.away", provider=provider, code=error.code)
            return ()
