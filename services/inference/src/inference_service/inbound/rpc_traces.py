"""Why an answer was given."""

from contracts.trace import GET_TRACE, GetTrace, TraceReply
from inference_service.domain.ports import Traces
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, traces: Traces) -> None:
    """Answer `rpc.inference.get_trace`."""

    async def get_trace(question: GetTrace, scope: TenantScope) -> TraceReply:
        return TraceReply(trace=await traces.get(scope, question.conversation_id, question.message_id))

    bus.answer(GET_TRACE, get_trace)
