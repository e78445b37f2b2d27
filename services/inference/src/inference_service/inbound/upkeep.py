"""What nobody asks for: questions that found nothing good are gathered, some seconds after they were asked."""

import asyncio
import contextlib
from collections.abc import Iterator

from inference_service.domain.errors import EmbedderFailed
from inference_service.domain.extract import Embedder
from inference_service.domain.gather_gaps import gather_gaps
from inference_service.domain.ports import Redaction, TenantsWaiting, VainQuestions
from runtime import logs
from runtime.errors import Retryable
from runtime.service import Service

ROUND_S = 3.0

_log = logs.get_logger()


def register(
    service: Service, tenants: TenantsWaiting, questions: VainQuestions, *, redaction: Redaction, embedder: Embedder
) -> None:
    """Look every few seconds; any replica may, for a tenant's questions are sorted under its lock."""

    async def gather() -> None:
        while True:
            await asyncio.sleep(ROUND_S)
            await gather_round(tenants, questions, redaction=redaction, embedder=embedder)

    service.loop("gaps", gather)


async def gather_round(
    tenants: TenantsWaiting, questions: VainQuestions, *, redaction: Redaction, embedder: Embedder
) -> None:
    """Gather what waits of every tenant; one whose questions cannot be gathered now keeps no other one waiting."""
    with _waiting():
        for scope in await tenants.with_unsorted_questions():
            with _waiting():
                while await gather_gaps(scope, questions, redaction=redaction, embedder=embedder):
                    pass


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    try:
        yield
    except (Retryable, EmbedderFailed, OSError, TimeoutError) as error:
        _log.warning("gaps.waiting", error=type(error).__name__)
