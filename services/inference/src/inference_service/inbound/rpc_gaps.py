"""Knowledge gaps: what customers asked in vain."""

from contracts.gaps import (
    CLOSE_GAP,
    GET_GAP,
    LIST_GAPS,
    REOPEN_GAP,
    CloseGap,
    GapReply,
    Gaps,
    GetGap,
    ListGaps,
    ReopenGap,
)
from inference_service.domain.ports import GapStore
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, gaps: GapStore) -> None:
    """Answer `rpc.inference.{list_gaps,get_gap,close_gap,reopen_gap}`."""

    async def list_gaps(question: ListGaps, scope: TenantScope) -> Gaps:
        return await gaps.list(scope, question)

    async def get_gap(question: GetGap, scope: TenantScope) -> GapReply:
        return GapReply(gap=await gaps.get(scope, question.gap_id))

    async def close_gap(question: CloseGap, scope: TenantScope) -> GapReply:
        return GapReply(gap=await gaps.close(scope, question))

    async def reopen_gap(question: ReopenGap, scope: TenantScope) -> GapReply:
        return GapReply(gap=await gaps.reopen(scope, question.gap_id))

    bus.answer(LIST_GAPS, list_gaps)
    bus.answer(GET_GAP, get_gap)
    bus.answer(CLOSE_GAP, close_gap)
    bus.answer(REOPEN_GAP, reopen_gap)
