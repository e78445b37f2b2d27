"""The collections of one platform on a Qdrant server: one for each embedding model and dimension."""

import re
from collections.abc import Collection, Sequence
from typing import Final, Protocol

from ingest_service.domain.embedding import IndexName
from ingest_service.outbound.qdrant_index import QdrantIndex
from ingest_service.outbound.qdrant_server import QdrantServer, answered, collection_name, connected

_AFTER_PREFIX: Final = re.compile(r"(?P<model>[a-z0-9-]+)-(?P<dimension>\d+)")


class Uses(Protocol):
    """Which collections the ingest processes of a platform need: each tells of its own."""

    async def tell(self, collections: Collection[str]) -> None:
        """They are needed from now on for a day."""
        ...

    async def told(self) -> Collection[str]:
        """All that some process has told of within a day."""
        ...


class QdrantIndexes:
    """Implements `Indexes`.

    Args:
        server: Where it is.
        uses: What all processes tell of.
        known: Models that may have been used before. A collection's name tells a model in small letters and dashes
            alone: the index of a model that is not among these is searched by words until it is replaced.
    """

    def __init__(self, server: QdrantServer, uses: Uses, known: Sequence[IndexName] = ()) -> None:
        self._server = server
        self._uses = uses
        self._client = connected(server)
        self._known = {self._collection(name): name for name in known}
        self._open: dict[IndexName, QdrantIndex] = {}

    async def names(self) -> Sequence[IndexName]:
        """As `Indexes.names`.

        Raises:
            Unavailable: The server is away.
        """
        listed = (await answered(self._client.get_collections)).collections
        begin = f"{self._server.prefix}_"
        ours = sorted(one.name for one in listed if one.name.startswith(begin))
        told = {name: _AFTER_PREFIX.fullmatch(name.removeprefix(begin)) for name in ours}
        return [
            self._known.get(name) or IndexName(match["model"], int(match["dimension"]))
            for name, match in told.items()
            if match
        ]

    async def open(self, name: IndexName) -> QdrantIndex:
        if name not in self._open:
            self._open[name] = QdrantIndex(self._server, model=name.model, dimension=name.dimension)
            self._known[self._collection(name)] = name
        return self._open[name]

    async def drop(self, name: IndexName) -> None:
        index = self._open.pop(name, None)
        if index is not None:
            await index.close()
        await answered(lambda: self._client.delete_collection(self._collection(name)))

    async def use(self, *names: IndexName) -> None:
        """As `Indexes.use`.

        Raises:
            Unavailable: It could not be told.
        """
        await self._uses.tell({self._collection(name) for name in names})

    async def unused(self) -> Sequence[IndexName]:
        """As `Indexes.unused`.

        Raises:
            Unavailable: The server is away, or nobody knows what is used.
        """
        # in this order: whoever makes one has told of it before
        names = await self.names()
        used = await self._uses.told()
        return [name for name in names if self._collection(name) not in used]

    async def check(self) -> None:
        """For health.

        Raises:
            Unavailable: The server is away or too old.
        """
        for index in list(self._open.values()):
            await index.check()

    async def compact(self) -> None:
        """Nothing: the server drops deleted points by itself."""

    async def close(self) -> None:
        """Let go of the connections."""
        while self._open:
            _, index = self._open.popitem()
            await index.close()
        await self._client.close()

    def _collection(self, name: IndexName) -> str:
        return collection_name(self._server.prefix, name.model, name.dimension)
