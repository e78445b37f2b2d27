"""Who is connected to whom."""

from typing import TYPE_CHECKING

from contracts.ids import DocumentId
from contracts.ingest import INGEST, IndexDocument
from ingest_service.domain.index_document import Desk
from ingest_service.inbound import on_ingest_job, rpc_documents, rpc_search, upkeep
from ingest_service.outbound import minilm_model
from ingest_service.outbound.cage.limits import Limits
from ingest_service.outbound.caged_reader import CagedReader
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.file_store import ObjectFiles
from ingest_service.outbound.heap import Heap
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.postgres_documents import UNFINISHED, PostgresDocuments
from ingest_service.outbound.relay_documents import RelayDocuments
from ingest_service.settings import IngestSettings
from runtime.clock import SystemClock
from runtime.reconcile import Reconciler, Unfinished
from runtime.service import Service

if TYPE_CHECKING:
    from ingest_service.outbound.qdrant_index import QdrantIndex


async def build() -> Service:
    """Connected once, at the top."""
    settings, heap = IngestSettings(), Heap()
    service = Service("ingest", settings)
    database, relay = service.database(settings)
    embedder = MiniLmEmbedder(await minilm_model.built(), threads=settings.embed_threads)
    index = await _index(service, settings, embedder.model)
    files = ObjectFiles(settings.files_url)
    reader = CagedReader(Limits(settings.read_memory_mib, settings.read_cpu_s, settings.read_wall_s))
    desk = Desk(PostgresDocuments(database), files, index, embedder, reader, SystemClock(), on_ingest_job.observe)

    service.consume(on_ingest_job.register(service.bus, desk, slots=settings.slots))
    rpc_documents.register(service.bus, database, desk)
    rpc_search.register(service.bus, desk)
    upkeep.register(service, RelayDocuments(relay), desk, index=index, inbox=files, memory=heap)

    unfinished = Unfinished(INGEST, UNFINISHED, lambda row: IndexDocument(document_id=DocumentId(row)))
    service.loop("reconcile", Reconciler(service.bus, relay, unfinished).run)
    service.health.critical("files", files.check)
    # without the kernel's help the limits stand, but what a document takes over may read files and talk to others
    service.health.informational("cage", reader.check)
    service.loop("reader", reader.rest_when_idle)
    service.on_stop(index.close)
    service.on_stop(reader.close)
    return service


async def _index(service: Service, settings: IngestSettings, model: str) -> "EdgeIndex | QdrantIndex":
    """The engine in this process, or a server where one is named."""
    if not settings.qdrant_url:
        return await EdgeIndex.open_when_free(settings.index_path)
    from ingest_service.outbound.qdrant_index import QdrantIndex, QdrantServer  # noqa: PLC0415 - 55 MB only when used

    server = QdrantServer(
        url=settings.qdrant_url,
        api_key=settings.qdrant_api_key,
        prefix=settings.qdrant_prefix,
        timeout_s=settings.qdrant_timeout_s,
        shards=settings.qdrant_shards,
        replicas=settings.qdrant_replicas,
        write_replicas=settings.qdrant_write_replicas,
        quantization=settings.qdrant_quantization,
    )
    index = QdrantIndex(server, model=model, dimension=minilm_model.DIMENSION)
    # without it no search, but documents can still be listed, uploaded and deleted: no reason to take the service away
    service.health.informational("qdrant", index.check)
    return index
