"""How a business's documents are cut: asked, changed, and what is cut otherwise is read anew."""

import asyncio
import contextlib

from prometheus_client import Counter

from contracts.ingest import (
    GET_SETTINGS,
    PUT_SETTINGS,
    GetKnowledgeSettings,
    KnowledgeSettings,
    KnowledgeSettingsReply,
    PutKnowledgeSettings,
)
from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.ports import Documents
from ingest_service.domain.recut import CutOtherwise, recut
from runtime import logs
from runtime.errors import Retryable
from runtime.service import Service
from runtime.tenancy import TenantScope

ROUND_S = 30.0
BUSY_ROUND_S = 1.0
DIGITS = 3
"""Of a share, so that what was asked for compares equal to what is kept."""
RECUT = Counter("ingest_documents_recut_total", "Documents read anew because their business wants them cut otherwise.")

_log = logs.get_logger()


def register(service: Service, documents: Documents, cut_otherwise: CutOtherwise) -> None:
    """Answer `rpc.ingest.{get,put}_settings`, and have documents cut as they say."""
    changed = asyncio.Event()

    async def get(_request: GetKnowledgeSettings, scope: TenantScope) -> KnowledgeSettingsReply:
        return _reply(await documents.cut_settings(scope))

    async def put(request: PutKnowledgeSettings, scope: TenantScope) -> KnowledgeSettingsReply:
        asked = request.settings
        settings = CutSettings(asked.passage_tokens, round(asked.overlap, DIGITS))
        await documents.set_cut_settings(scope, settings)
        changed.set()
        return _reply(settings)

    async def keep_cut() -> None:
        while True:
            changed.clear()
            try:
                begun = await recut(cut_otherwise, documents)
            except Retryable as error:
                _log.warning("recut.waiting", reason=error.code)
                begun = 0
            RECUT.inc(begun)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BUSY_ROUND_S if begun else ROUND_S):
                    await changed.wait()

    service.bus.answer(GET_SETTINGS, get)
    service.bus.answer(PUT_SETTINGS, put)
    service.loop("recut", keep_cut)


def _reply(settings: CutSettings) -> KnowledgeSettingsReply:
    shown = KnowledgeSettings(passage_tokens=settings.passage_tokens, overlap=settings.overlap)
    return KnowledgeSettingsReply(settings=shown)
