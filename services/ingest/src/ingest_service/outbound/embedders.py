"""Which class embeds for which model; a model's client and weights are loaded when it is used alone."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import SecretStr

from ingest_service.domain.embedding import IndexName, Traits, chosen
from ingest_service.domain.ports import Embedder, EmbedderWatch, TokenCounter, VectorSource
from ingest_service.domain.remembered_queries import RememberedQueries
from ingest_service.domain.served_embedder import ServedEmbedder
from ingest_service.domain.shelves import NoEmbedder
from ingest_service.outbound import minilm_model
from ingest_service.outbound.prometheus_embedder import PrometheusEmbedder
from runtime.clock import SystemClock

MINILM: Final = Traits("minilm", minilm_model.NAME, minilm_model.DIMENSION, build=minilm_model.GRAPH)
OF_MINILM: Final = (MINILM.index_name, IndexName(minilm_model.NAME, minilm_model.DIMENSION))
"""Its index, and that of the build before, whose vectors are near enough to be searched until they are replaced."""


class Source(VectorSource, Protocol):
    """A server's connections, which are closed at the end."""

    async def close(self) -> None:
        """Close all connections."""
        ...


@dataclass(frozen=True)
class Servers:
    """Where models run, by the variables that their own clients use; empty is what the client takes by itself."""

    ollama_host: str
    openai_base_url: str
    openai_api_key: SecretStr
    minilm_threads: int


@dataclass(frozen=True)
class Life:
    """Where an embedder puts what has to run beside it, and what has to be closed."""

    run: Callable[[str, Callable[[], Coroutine[Any, Any, None]]], None]
    close: Callable[[Callable[[], Awaitable[None]]], None]


class Embedders:
    """Makes embedders; implements `domain.shelves.Embedders`."""

    def __init__(self, servers: Servers, counter: TokenCounter, life: Life) -> None:
        self._servers = servers
        self._counter = counter
        self._life = life
        self._watch: EmbedderWatch = PrometheusEmbedder()
        self._own: Embedder | None = None

    async def make(self, traits: Traits) -> Embedder:
        """The embedder of a model, with its memory of recent questions."""
        if traits.provider == "minilm":
            # one for both while the index of the build before is replaced
            self._own = self._own or RememberedQueries(await self._minilm())
            return self._own
        source = self._source(traits)
        self._life.close(source.close)
        served = ServedEmbedder(source, traits, counter=self._counter, watch=self._watch, clock=SystemClock())
        self._life.run("embedder", served.keep_in_touch)
        return RememberedQueries(served)

    async def of(self, name: IndexName) -> Embedder:
        """The embedder of an index that was made earlier; with other marks than the usual ones it cannot be told."""
        if name in OF_MINILM:
            return await self.make(MINILM)
        try:
            traits = chosen(name.model, dimension=name.dimension)
        except ValueError:
            return NoEmbedder(name)
        is_same = traits.index_name == name
        return await self.make(traits) if is_same and self._may_ask(traits) else NoEmbedder(name)

    def _may_ask(self, traits: Traits) -> bool:
        servers = self._servers
        if traits.provider == "ollama":
            return bool(servers.ollama_host)
        return bool(servers.openai_base_url or servers.openai_api_key.get_secret_value())

    def _source(self, traits: Traits) -> Source:
        dimension = traits.dimension if traits.asks_dimension else None
        servers = self._servers
        if traits.provider == "ollama":
            from ingest_service.outbound.ollama_embedder import OllamaVectors

            return OllamaVectors(servers.ollama_host, traits.name, dimension)
        from ingest_service.outbound.openai_embedder import OpenAIVectors

        return OpenAIVectors(servers.openai_api_key.get_secret_value(), servers.openai_base_url, traits.name, dimension)

    async def _minilm(self) -> Embedder:
        from ingest_service.outbound.minilm_embedder import MiniLmEmbedder

        return MiniLmEmbedder(await minilm_model.built(), threads=self._servers.minilm_threads)
