"""Who is connected to whom."""

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from contracts.ids import DocumentId
from contracts.ingest import INGEST, IndexDocument
from contracts.streams import streams
from ingest_service.domain.embedding import Traits, chosen
from ingest_service.domain.fetch_page import Fetching
from ingest_service.domain.index_document import Desk
from ingest_service.domain.long_documents import LongDocuments
from ingest_service.domain.places import Places
from ingest_service.domain.shelves import Shelf, Shelves
from ingest_service.domain.slots import Slots
from ingest_service.domain.snapshots import Snapshots
from ingest_service.inbound import on_ingest_job, rpc_documents, rpc_pages, rpc_search, rpc_settings, upkeep
from ingest_service.outbound.aiohttp_web import AiohttpWeb
from ingest_service.outbound.cage.limits import Limits
from ingest_service.outbound.caged_reader import CagedReader
from ingest_service.outbound.cores import cores
from ingest_service.outbound.edge_indexes import EdgeIndexes
from ingest_service.outbound.embedders import MINILM, OF_MINILM, Embedders, Life, Servers
from ingest_service.outbound.file_store import ObjectFiles
from ingest_service.outbound.heap import Heap
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from ingest_service.outbound.postgres_documents import PostgresDocuments
from ingest_service.outbound.postgres_index_uses import PostgresIndexUses
from ingest_service.outbound.postgres_members import PostgresMembers
from ingest_service.outbound.postgres_pages import PostgresPages
from ingest_service.outbound.relay_documents import UNFINISHED, RelayDocuments
from ingest_service.outbound.relay_recut import RelayRecut
from ingest_service.settings import IngestSettings
from runtime.clock import SystemClock
from runtime.errors import Unavailable
from runtime.reconcile import Reconciler, Unfinished
from runtime.service import Service

if TYPE_CHECKING:
    from ingest_service.outbound.http_reranker import HttpReranker
    from ingest_service.outbound.qdrant_indexes import QdrantIndexes
    from ingest_service.outbound.qdrant_server import QdrantServer

QUEUED: Final = next(stream.max_msgs_per_subject for stream in streams() if stream.name == INGEST.stream)
"""Documents of a business that its queue holds: so many may wait for its turn to fetch, and must hold up nobody."""


async def build() -> Service:
    """Connected once, at the top."""
    settings, heap = IngestSettings(), Heap()
    service = Service("ingest", settings)
    database, relay = service.database(settings)
    indexes = _indexes(service, settings, PostgresIndexUses(database))
    counter = MiniLmTokenizer()
    shelves = await _shelves(service, settings, indexes, counter)
    files = ObjectFiles(settings.files_url)
    hours, documents = settings.web_look_again_h, PostgresDocuments(database)
    web = AiohttpWeb(settings.web_private_networks)
    look_again = timedelta(hours=hours) if hours else None
    pages = PostgresPages(database)
    fetching = Fetching(documents, pages, files, web, SystemClock(), look_again)
    limits = Limits(settings.read_memory_mib, settings.read_cpu_s, settings.read_wall_s, settings.ocr_cpu_s)
    reader = CagedReader(limits, ocr_languages=[code for code in settings.ocr_languages.split("+") if code])
    slots = Slots(settings.slots)
    desk = Desk(
        documents=documents,
        members=PostgresMembers(database, documents),
        files=files,
        index=shelves,
        reader=reader,
        clock=SystemClock(),
        observe=on_ingest_job.observe,
        tell_trouble=on_ingest_job.tell_trouble,
        fetching=fetching,
        long=LongDocuments(max(1, settings.slots - 1)),
        at_work=slots,
        fetches=Places(settings.fetches),
    )

    service.consume(on_ingest_job.register(service.bus, desk, slots=settings.slots + settings.fetches * QUEUED))
    rpc_documents.register(service.bus, database, desk)
    rpc_pages.register(service, database, fetching, due=RelayDocuments(relay))
    rpc_settings.register(service, documents, RelayRecut(relay))
    rpc_search.register(service.bus, desk, counter, _reranker(service, settings))
    upkeep.register(service, RelayDocuments(relay), desk, indexes=indexes, inbox=files, memory=heap)

    unfinished = Unfinished(INGEST, UNFINISHED, lambda row: IndexDocument(document_id=DocumentId(row)))
    service.loop("reconcile", Reconciler(service.bus, relay, unfinished).run)
    service.health.critical("files", files.check)
    # without the kernel's help the limits stand, but what a document takes over may read files and talk to others
    service.health.informational("cage", reader.check)
    service.loop("reader", reader.rest_when_idle)
    service.on_stop(indexes.close)
    service.on_stop(reader.close)
    service.on_drain(slots.leave)
    service.on_drain(web.leave)
    service.on_stop(web.close)
    return service


def _reranker(service: Service, settings: IngestSettings) -> "HttpReranker | None":
    if not settings.rerank_url:
        return None
    from ingest_service.outbound.http_reranker import HttpReranker

    reranker = HttpReranker(
        settings.rerank_url,
        model=settings.rerank_model,
        key=settings.rerank_api_key,
        timeout_s=settings.rerank_timeout_s,
    )
    service.on_stop(reranker.close)
    return reranker


async def _shelves(
    service: Service, settings: IngestSettings, indexes: "EdgeIndexes | QdrantIndexes", counter: MiniLmTokenizer
) -> Shelves:
    """The index of the chosen model, and the one that is searched until that is whole."""
    traits = _traits(settings)
    servers = Servers(
        ollama_host=settings.ollama_host,
        openai_base_url=settings.openai_base_url,
        openai_api_key=settings.openai_api_key,
        minilm_threads=settings.embed_threads or cores(),
    )
    embedders = Embedders(servers, counter, Life(service.loop, service.on_stop))
    wanted = await embedders.make(traits)

    async def answers() -> None:
        wanted.check()

    # while it is away documents wait and searches go by words: shown, but no reason to take the service away
    service.health.informational("embedder", answers)
    index = await indexes.open(traits.index_name)
    shelves = Shelves(Shelf(traits.index_name, index, wanted), indexes, embedders)
    # a server of indexes that is away is looked at again by upkeep; until then nothing can be written or found
    with contextlib.suppress(Unavailable):
        await shelves.look()
    return shelves


def _traits(settings: IngestSettings) -> Traits:
    """The embedding model that the settings choose."""
    if settings.embedder == "minilm":
        return MINILM
    return chosen(
        settings.embedder,
        dimension=settings.embed_dimensions,
        query_prefix=settings.embed_query_prefix,
        passage_prefix=settings.embed_passage_prefix,
    )


def snapshots(settings: IngestSettings) -> Snapshots:
    """Copies of the chosen model's index, wherever that is kept; for a process that is not the service."""
    name = _traits(settings).index_name
    if settings.qdrant_url:
        from ingest_service.outbound.qdrant_snapshots import QdrantSnapshots

        return QdrantSnapshots(_server(settings), name)
    from ingest_service.outbound.edge_snapshots import EdgeSnapshots

    kept = settings.snapshot_path or settings.index_path.with_name(f"{settings.index_path.name}-snapshots")
    return EdgeSnapshots(settings.index_path, kept, name)


def _indexes(service: Service, settings: IngestSettings, uses: PostgresIndexUses) -> "EdgeIndexes | QdrantIndexes":
    """The engine in this process, or a server where one is named."""
    if not settings.qdrant_url:
        return EdgeIndexes(settings.index_path)
    from ingest_service.outbound.qdrant_indexes import QdrantIndexes

    indexes = QdrantIndexes(_server(settings), uses, OF_MINILM)
    # without it no search, but documents can still be listed, uploaded and deleted: no reason to take the service away
    service.health.informational("qdrant", indexes.check)
    return indexes


def _server(settings: IngestSettings) -> "QdrantServer":
    from ingest_service.outbound.qdrant_server import QdrantServer  # noqa: PLC0415 - 55 MB only when used

    return QdrantServer(
        url=settings.qdrant_url,
        api_key=settings.qdrant_api_key,
        prefix=settings.qdrant_prefix,
        timeout_s=settings.qdrant_timeout_s,
        write_timeout_s=settings.qdrant_write_timeout_s,
        shards=settings.qdrant_shards,
        replicas=settings.qdrant_replicas,
        write_replicas=settings.qdrant_write_replicas,
        quantization=settings.qdrant_quantization,
    )
