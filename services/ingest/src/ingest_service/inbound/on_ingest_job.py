"""Documents to read or delete, one at a time for each slot."""

import time
from datetime import timedelta

from prometheus_client import Counter, Histogram

from contracts.ids import EventId
from contracts.ingest import INGEST, IndexDocument
from ingest_service.domain.document import Failure
from ingest_service.domain.index_document import Desk, give_up_on, work_on
from runtime import logs
from runtime.bus import Bus
from runtime.consume import Consumption, consume_work
from runtime.errors import LumoraError, Rejected
from runtime.tenancy import TenantScope

ENDED = Counter("ingest_documents_total", "Documents that were worked on, by what became of them.", ["outcome"])
_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)
SECONDS = Histogram(
    "ingest_document_seconds", "Time of one attempt at a document, by what became of it.", ["outcome"], buckets=_BUCKETS
)
STAGE_SECONDS = Histogram(
    "ingest_stage_seconds", "Time that one document took in one stage.", ["stage"], buckets=_BUCKETS
)
PUT_OFF = Counter(
    "ingest_documents_put_off_total",
    "Attempts that failed for now, by why and whether it is tried again.",
    ["code", "then"],
)

_log = logs.get_logger()


def observe(stage: str, seconds: float) -> None:
    """For `Desk.observe`."""
    STAGE_SECONDS.labels(stage).observe(seconds)


def tell_trouble(error: Exception, pause: timedelta | None, *, is_news: bool) -> None:
    """For `Desk.tell_trouble`: all are counted, news is logged: our faults with their place, others by code."""
    code = error.code if isinstance(error, LumoraError) else "internal"
    PUT_OFF.labels(code, "later" if pause else "given_up").inc()
    if not is_news:
        return
    delay_s = None if pause is None else pause.total_seconds()
    _log.warning("document.put_off", code=code, delay_s=delay_s, exc_info=None if code != "internal" else error)


def register(bus: Bus, desk: Desk, *, slots: int) -> Consumption:
    """Safe to be delivered twice: the document's row says what is left to do."""

    async def on_ingest_job(job: IndexDocument, scope: TenantScope, _event_id: EventId) -> None:
        begun = time.monotonic()
        ended = await work_on(job.document_id, scope, desk)
        outcome = ended.value if ended else "nothing"
        ENDED.labels(outcome).inc()
        SECONDS.labels(outcome).observe(time.monotonic() - begun)

    async def give_up(job: IndexDocument, scope: TenantScope, error: Exception) -> None:
        failure = Failure(
            "internal", "Reading it failed several times through a fault of ours. Have it read again later."
        )
        if isinstance(error, Rejected):
            failure = Failure(error.code, error.detail)
        await give_up_on(job.document_id, scope, desk, failure)

    return consume_work(bus, INGEST, on_ingest_job, slots=slots, give_up=give_up)
