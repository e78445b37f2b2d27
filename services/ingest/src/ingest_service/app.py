"""Who is connected to whom."""

from contracts.ids import DocumentId
from contracts.ingest import INGEST, IndexDocument
from ingest_service.domain.index_document import Desk
from ingest_service.inbound import on_ingest_job, rpc_documents, rpc_search, upkeep
from ingest_service.outbound import minilm_model
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


async def build() -> Service:
    """Connected once, at the top."""
    settings, heap = IngestSettings(), Heap()
    service = Service("ingest", settings)
    database, relay = service.database(settings)
    embedder = MiniLmEmbedder(await minilm_model.built(), threads=settings.embed_threads)
    index = await EdgeIndex.open_when_free(settings.index_path)
    files = ObjectFiles(settings.files_url)
    desk = Desk(PostgresDocuments(database), files, index, embedder, embedder, SystemClock())

    service.consume(on_ingest_job.register(service.bus, desk, slots=settings.slots))
    rpc_documents.register(service.bus, database, desk)
    rpc_search.register(service.bus, desk)
    upkeep.register(service, RelayDocuments(relay), desk, index=index, inbox=files, memory=heap)

    unfinished = Unfinished(INGEST, UNFINISHED, lambda row: IndexDocument(document_id=DocumentId(row)))
    service.loop("reconcile", Reconciler(service.bus, relay, unfinished).run)
    service.health.critical("files", files.check)
    service.on_stop(index.close)
    return service
