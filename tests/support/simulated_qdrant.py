"""A simulated Qdrant server: the REST requests that ingest's official client sends, answered by Qdrant's own engine.

Simulated are the doors, the cluster (there is none: shards and replicas are noted, not made) and the faults. Searching,
filtering and counting are the real engine's (`qdrant_edge`). Each body is read by the official client's own models,
which forbid what the protocol does not know. Written for client and server 1.20.
"""

import asyncio
import hashlib
import io
import tarfile
import tempfile
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, cast
from uuid import UUID

import qdrant_edge as edge
from aiohttp import ClientSession, web
from pydantic import ValidationError
from qdrant_client import models

VERSION = "1.20.0"
Fault = int | float | Literal["drop", "stall"]
"""A status, seconds that pass first, a connection that breaks, or silence."""
Json = dict[str, Any]


class Refused(Exception):
    """A request that the server does not take: status and words."""

    def __init__(self, status: int, words: str) -> None:
        self.status, self.words = status, words


@dataclass
class Collection:
    """An engine of its own, and how it was asked to be made."""

    shard: edge.EdgeShard
    layout: models.CreateCollection
    folder: Path
    indexes: dict[str, Json] = field(default_factory=dict)


@dataclass
class SimulatedQdrant:
    """The server. Use it as an async context manager; `url` is then where it listens."""

    api_key: str = ""
    version: str = VERSION
    port: int = 0
    url: str = ""
    collections: dict[str, Collection] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    """One for each request to come."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request, in order."""
    snapshots: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """By collection and name; a collection that is lost leaves its own behind."""
    remote_shards: int = 0
    """Of each collection, on nodes that are only told of."""
    _kept: ExitStack = field(default_factory=ExitStack)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._middleware], client_max_size=32 * 2**20)
        at = "/collections/{name}"
        app.add_routes(
            [
                web.get("/", self._version),
                web.get(f"{at}/exists", self._exists),
                web.get("/collections", self._list),
                web.put(at, self._create),
                web.delete(at, self._remove),
                web.put(f"{at}/index", self._index),
                web.put(f"{at}/points", self._upsert),
                web.post(f"{at}/points", self._retrieve),
                web.post(f"{at}/points/payload", self._set_payload),
                web.post(f"{at}/points/delete", self._delete),
                web.post(f"{at}/points/query", self._query),
                web.post(f"{at}/points/count", self._count),
                web.post(f"{at}/points/scroll", self._scroll),
                web.get(f"{at}/cluster", self._cluster),
                web.post(f"{at}/snapshots", self._make_snapshot),
                web.get(f"{at}/snapshots", self._list_snapshots),
                web.get(f"{at}/snapshots/{{snapshot}}", self._download),
                web.put(f"{at}/snapshots/recover", self._recover),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = cast("int", self._runner.addresses[0][1])
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        for name in list(self.collections):
            self.drop(name)
        self._kept.close()

    def drop(self, name: str) -> None:
        """Lose a collection, as an operator may."""
        self.collections.pop(name).shard.close()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        fault = self.faults.popleft() if self.faults else None
        if fault == "drop" and request.transport is not None:
            request.transport.abort()
        if fault == "stall":
            await asyncio.Event().wait()
        if isinstance(fault, float):
            await asyncio.sleep(fault)
        if isinstance(fault, int):
            return _error(fault, "simulated fault")
        if self.api_key and request.headers.get("api-key") != self.api_key:
            return _error(401, "Must provide an API key or an Authorization bearer token")
        try:
            answer: web.StreamResponse = await handler(request)
        except Refused as refused:
            return _error(refused.status, refused.words)
        except ValidationError as error:
            return _error(400, f"Format error in JSON body: {error}")
        return answer

    async def _version(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"title": "qdrant - simulated", "version": self.version})

    async def _exists(self, request: web.Request) -> web.Response:
        return _result({"exists": request.match_info["name"] in self.collections})

    async def _create(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name in self.collections:
            raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
        layout = models.CreateCollection(**await request.json())
        folder = self._folder()
        self.collections[name] = Collection(edge.EdgeShard.create(str(folder), _config(layout)), layout, folder)
        return _result(True)

    async def _list(self, request: web.Request) -> web.Response:
        del request
        return _result({"collections": [{"name": name} for name in self.collections]})

    async def _remove(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        is_there = name in self.collections
        if is_there:
            self.drop(name)
        return _result(is_there)

    async def _index(self, request: web.Request) -> web.Response:
        held, wanted = self._held(request), models.CreateFieldIndex(**await request.json())
        schema = wanted.field_schema
        if isinstance(schema, models.KeywordIndexParams):
            made: Any = edge.KeywordIndexParams(is_tenant=schema.is_tenant)
        elif isinstance(schema, models.IntegerIndexParams):
            made = edge.IntegerIndexParams(lookup=schema.lookup, range=schema.range)
        else:
            raise Refused(400, "an index of this type is not simulated")
        held.indexes[wanted.field_name] = schema.model_dump(exclude_none=True, mode="json")
        held.shard.update(edge.UpdateOperation.create_field_index(wanted.field_name, made))
        return _done()

    async def _upsert(self, request: web.Request) -> web.Response:
        held, wanted = self._held(request), models.PointsList(**await request.json())
        points = [
            edge.Point(UUID(str(point.id)), {name: _vector(value) for name, value in vectors.items()}, point.payload)
            for point in wanted.points
            if isinstance(vectors := point.vector, dict)
        ]
        held.shard.update(edge.UpdateOperation.upsert_points(points))
        return _done()

    async def _set_payload(self, request: web.Request) -> web.Response:
        held, wanted = self._held(request), models.SetPayload(**await request.json())
        held.shard.update(edge.UpdateOperation.set_payload_by_filter(_filter(wanted.filter), wanted.payload))
        return _done()

    async def _delete(self, request: web.Request) -> web.Response:
        held, wanted = self._held(request), models.FilterSelector(**await request.json())
        held.shard.update(edge.UpdateOperation.delete_points_by_filter(_filter(wanted.filter)))
        return _done()

    async def _query(self, request: web.Request) -> web.Response:
        held, wanted = self._held(request), models.QueryRequest(**await request.json())
        params = None
        if wanted.params is not None and isinstance(wanted.params.idf, models.IdfCorpusParams):
            params = edge.SearchParams(idf=edge.IdfParams(corpus=_filter(wanted.params.idf.corpus)))
        found = held.shard.query(
            edge.QueryRequest(
                limit=wanted.limit or 10,
                query=edge.Query.Nearest(_vector(wanted.query), using=wanted.using),
                filter=_filter(wanted.filter),
                with_payload=cast("list[str]", wanted.with_payload),
                params=params,
            )
        )
        points = [{"id": str(one.id), "version": 0, "score": one.score, "payload": one.payload} for one in found]
        return _result({"points": points})

    async def _count(self, request: web.Request) -> web.Response:
        held, wanted = self._held(request), models.CountRequest(**await request.json())
        chosen = None if wanted.filter is None else _filter(wanted.filter)
        return _result({"count": held.shard.count(edge.CountRequest(exact=True, filter=chosen))})

    async def _retrieve(self, request: web.Request) -> web.Response:
        held, wanted = self._held(request), models.PointRequest(**await request.json())
        ids, fields = [UUID(str(one)) for one in wanted.ids], cast("list[str]", wanted.with_payload)
        found = held.shard.retrieve(ids, with_payload=fields, with_vector=False)
        return _result([{"id": str(one.id), "payload": one.payload} for one in found])

    async def _scroll(self, request: web.Request) -> web.Response:
        held, wanted = self._held(request), models.ScrollRequest(**await request.json())
        start = None if wanted.offset is None else UUID(str(wanted.offset))
        fields = cast("list[str]", wanted.with_payload)
        found, following = held.shard.scroll(edge.ScrollRequest(offset=start, limit=wanted.limit, with_payload=fields))
        points = [{"id": str(one.id), "payload": one.payload} for one in found]
        return _result({"points": points, "next_page_offset": None if following is None else str(following)})

    async def _cluster(self, request: web.Request) -> web.Response:
        self._held(request)
        far = [{"shard_id": n, "peer_id": 2, "state": "Active"} for n in range(1, self.remote_shards + 1)]
        near = [{"shard_id": 0, "points_count": 0, "state": "Active"}]
        told = {"peer_id": 1, "shard_count": 1 + len(far), "local_shards": near, "remote_shards": far}
        return _result({**told, "shard_transfers": []})

    async def _make_snapshot(self, request: web.Request) -> web.Response:
        held, kept = self._held(request), self.snapshots.setdefault(request.match_info["name"], {})
        held.shard.flush()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(held.folder, "shard")
        name = f"{request.match_info['name']}-{len(kept)}.snapshot"
        kept[name] = packed.getvalue()
        return _result(_description(name, kept[name]))

    async def _list_snapshots(self, request: web.Request) -> web.Response:
        self._held(request)
        kept = self.snapshots.get(request.match_info["name"], {})
        return _result([_description(name, packed) for name, packed in kept.items()])

    async def _download(self, request: web.Request) -> web.Response:
        kept = self.snapshots.get(request.match_info["name"], {})
        if request.match_info["snapshot"] not in kept:
            raise Refused(404, "Not found: Snapshot doesn't exist")
        return web.Response(body=kept[request.match_info["snapshot"]])

    async def _recover(self, request: web.Request) -> web.Response:
        """Fetched, checked and unpacked before anything of the collection is touched, as the server does it."""
        held, wanted = self._held(request), models.SnapshotRecover(**await request.json())
        headers = {"api-key": wanted.api_key} if wanted.api_key else {}
        async with ClientSession() as session, session.get(wanted.location, headers=headers) as answer:
            packed = await answer.read()
            if answer.status != 200:
                raise Refused(400, f"Bad request: Failed to download snapshot from {wanted.location}")
        if wanted.checksum and wanted.checksum != hashlib.sha256(packed).hexdigest():
            raise Refused(400, "Bad request: Snapshot checksum mismatch")
        folder = self._folder()
        try:
            with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
                for entry in tar:
                    _unpack(tar, entry, folder)
        except tarfile.TarError as error:
            raise Refused(400, f"Bad request: {error}") from error
        recovered = edge.EdgeShard.load(str(folder / "shard"), _config(held.layout))
        held.shard.close()
        held.shard, held.folder = recovered, folder / "shard"
        return _result(True)

    def _folder(self) -> Path:
        return Path(self._kept.enter_context(tempfile.TemporaryDirectory()))

    def _held(self, request: web.Request) -> Collection:
        name = request.match_info["name"]
        if name not in self.collections:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return self.collections[name]


def _unpack(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    """One file by hand: `filter` of the standard library came with Python 3.11.4."""
    place = (folder / entry.name).resolve()
    if not place.is_relative_to(folder.resolve()) or not (entry.isdir() or entry.isreg()):
        raise tarfile.TarError(f"{entry.name} is not a file below the snapshot")
    if packed := tar.extractfile(entry):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(packed.read())


def _config(layout: models.CreateCollection) -> edge.EdgeConfig:
    if not isinstance(layout.vectors, dict) or any(one.distance != "Dot" for one in layout.vectors.values()):
        raise Refused(400, "only named vectors with the dot product are simulated")
    sparse = (layout.sparse_vectors or {}).items()
    return edge.EdgeConfig(
        vectors={
            name: edge.EdgeVectorParams(size=one.size, distance=edge.Distance.Dot)
            for name, one in layout.vectors.items()
        },
        sparse_vectors={
            name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if one.modifier == "idf" else None)
            for name, one in sparse
        },
    )


def _vector(given: Any) -> Any:
    if isinstance(given, models.SparseVector):
        return edge.SparseVector(given.indices, given.values)
    if isinstance(given, list):
        return given
    if isinstance(given, models.NearestQuery):
        return _vector(given.nearest)
    raise Refused(400, f"a {type(given).__name__} is not simulated")


def _filter(given: Any) -> edge.Filter:
    return edge.Filter(must=_conditions(given.must), must_not=_conditions(given.must_not))


def _conditions(given: Any) -> list[Any]:
    listed = given if isinstance(given, list) else [] if given is None else [given]
    return [_filter(one) if isinstance(one, models.Filter) else _field(one) for one in listed]


def _field(given: Any) -> edge.FieldCondition | edge.HasIdCondition:
    if isinstance(given, models.HasIdCondition):
        return edge.HasIdCondition({UUID(str(one)) for one in given.has_id})
    if isinstance(given, models.FieldCondition) and isinstance(given.match, models.MatchValue):
        return edge.FieldCondition(given.key, match=edge.MatchValue(given.match.value))
    if isinstance(given, models.FieldCondition) and isinstance(given.match, models.MatchAny):
        return edge.FieldCondition(given.key, match=edge.MatchAny(cast("list[str]", given.match.any)))
    raise Refused(400, "a condition of this kind is not simulated")


def _result(result: object) -> web.Response:
    return web.json_response({"result": result, "status": "ok", "time": 0.0})


def _description(name: str, packed: bytes) -> Json:
    made_at, checksum = f"2025-01-01T00:00:{len(name) % 60:02}", hashlib.sha256(packed).hexdigest()
    return {"name": name, "creation_time": made_at, "size": len(packed), "checksum": checksum}


def _done() -> web.Response:
    return _result({"operation_id": 0, "status": "completed"})


def _error(status: int, words: str) -> web.Response:
    headers = {"Retry-After": "2"} if status == 429 else {}
    return web.json_response({"status": {"error": words}, "time": 0.0}, status=status, headers=headers)
