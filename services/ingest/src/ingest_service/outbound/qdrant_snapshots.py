"""Copies of a collection on a Qdrant server, made and kept by the server itself."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import quote

from qdrant_client import models
from qdrant_client.http.exceptions import UnexpectedResponse

from ingest_service.domain.embedding import IndexName
from ingest_service.domain.snapshots import Snapshot, SnapshotRefused, Tell
from ingest_service.outbound.qdrant_server import NOT_FOUND, QdrantServer, answered, collection_name, connected
from runtime.errors import Unavailable

_PATIENCE_S: Final = 3_600
"""The server answers when it is done, and an index may be large."""
_NEXT: Final = (
    "It is searched now. Restart ingest to have it compared with Postgres at once (it does so every hour): "
    "what is missing is written then, and what was deleted is taken out."
)
T = TypeVar("T")


class QdrantSnapshots:
    """Implements `Snapshots` for a collection that lies on one node: each node of several keeps copies of its own."""

    def __init__(self, server: QdrantServer, name: IndexName) -> None:
        self._server = server
        self._client = connected(replace(server, timeout_s=_PATIENCE_S))
        self._collection = collection_name(server.prefix, name.model, name.dimension)

    async def create(self, tell: Tell) -> Snapshot:
        await self._refuse_several_nodes()
        made = await self._ask(lambda: self._client.create_snapshot(self._collection, wait=True))
        if made is None:
            raise Unavailable("the server made no copy")
        snapshot = _snapshot(made)
        tell(snapshot.size_bytes, snapshot.size_bytes)
        return snapshot

    async def all(self) -> Sequence[Snapshot]:
        return sorted(map(_snapshot, await self._listed()), key=lambda one: str(one.made_at))

    async def restore(self, name: str, tell: Tell) -> str:
        await self._refuse_several_nodes()
        found = next((one for one in await self._listed() if one.name == name), None)
        if found is None:
            raise SnapshotRefused("The server has no such copy of this collection; see the list.")
        key = self._server.api_key
        await self._ask(
            lambda: self._client.recover_snapshot(
                self._collection,
                f"{self._server.url.rstrip('/')}/collections/{self._collection}/snapshots/{quote(name)}",
                api_key=None if key is None else key.get_secret_value(),
                checksum=found.checksum,
                priority=models.SnapshotPriority.SNAPSHOT,
                wait=True,
            )
        )
        tell(found.size, found.size)
        return _NEXT

    async def _listed(self) -> Sequence[models.SnapshotDescription]:
        return await self._ask(lambda: self._client.list_snapshots(self._collection))

    async def _refuse_several_nodes(self) -> None:
        told = await self._ask(lambda: self._client.collection_cluster_info(self._collection))
        if told.remote_shards:
            raise SnapshotRefused(
                "The collection is spread over several nodes, and each keeps copies of its own: see docs/operations.md."
            )

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await answered(call)
        except UnexpectedResponse as error:
            if error.status_code == NOT_FOUND:
                raise SnapshotRefused("The server has no collection for this embedding model.") from error
            raise SnapshotRefused(f"The server refuses this copy ({error.status_code}): it is damaged.") from error


def _snapshot(told: models.SnapshotDescription) -> Snapshot:
    made_at = datetime.fromisoformat(told.creation_time).replace(tzinfo=UTC) if told.creation_time else None
    return Snapshot(told.name, made_at, told.size)
