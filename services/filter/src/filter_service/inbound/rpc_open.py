"""A worker asks for a stream: this replica answers with a subject of its own, so a message's tokens stay together."""

from contracts import subjects
from contracts.filter import OPEN_STREAM, OpenStream, StreamOpened
from filter_service.domain.answer import Answer
from filter_service.domain.benches import Benches
from filter_service.domain.open_streams import OpenStreams
from filter_service.domain.ports import Observer
from filter_service.inbound.rpc_check_input import judged
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, instance: str, benches: Benches, streams: OpenStreams, observer: Observer) -> None:
    """Answer `rpc.filter.open`."""

    async def open_stream(order: OpenStream, scope: TenantScope) -> StreamOpened:
        pinned = order.policy_version
        bench = await (benches.current(scope) if pinned is None else benches.at(scope, pinned))
        answer = Answer(scope.tenant_id, order.conversation_id, order.message_id, order.attempt)
        streams.open(answer, bench, seen_seq=order.seen_seq, is_replayed=pinned is not None)
        return StreamOpened(
            subject=subjects.raw(instance, order.message_id),
            policy_version=bench.version,
            window=bench.window_chars,
            batches=subjects.raw_batch(instance),
            verdict=None if order.question is None else judged(bench, order.question, observer),
        )

    bus.answer(OPEN_STREAM, open_stream)
