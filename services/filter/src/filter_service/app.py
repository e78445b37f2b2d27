"""Who is connected to whom."""

from contracts.filter import OPEN_STREAM
from contracts.ids import uuid7
from filter_service.domain.benches import Benches
from filter_service.domain.open_streams import OpenStreams
from filter_service.inbound import on_policy_changed, rpc_check_input, rpc_open, rpc_policies, rpc_redact
from filter_service.inbound.raw_tokens import RawTokens
from filter_service.outbound.nats_screens import NatsScreens
from filter_service.outbound.postgres_decisions import PostgresDecisions
from filter_service.outbound.postgres_policies import PostgresPolicies
from filter_service.outbound.prometheus_observer import PrometheusObserver, show_open_streams
from filter_service.settings import FilterSettings
from runtime.clock import SystemClock
from runtime.service import Service


async def build() -> Service:
    """Connected once, at the top."""
    settings = FilterSettings()
    service = Service("filter", settings)
    bus, clock, instance = service.bus, SystemClock(), uuid7().hex
    database, _relay = service.database(settings)
    policies, decisions, observer = PostgresPolicies(database), PostgresDecisions(database, clock), PrometheusObserver()
    benches = Benches(policies, clock)
    screens = NatsScreens(bus)
    streams = OpenStreams(screens, decisions, observer, clock)
    raw_tokens = RawTokens(bus, instance, streams=streams, screens=screens, observer=observer)
    show_open_streams(lambda: len(streams))

    rpc_open.register(bus, instance, benches, streams, observer)
    rpc_check_input.register(bus, benches, observer)
    rpc_policies.register(bus, policies, benches)
    rpc_redact.register(bus)

    async def drain() -> None:
        await bus.retire(OPEN_STREAM)
        await raw_tokens.drain(settings.stream_drain_s)

    service.on_start(raw_tokens.subscribe)
    service.on_start(lambda: on_policy_changed.listen(bus, benches))
    service.loop("beat", raw_tokens.beat)
    service.loop("receipts", raw_tokens.confirm)
    service.loop("decisions", decisions.run)
    service.on_drain(drain)
    service.on_stop(decisions.flush)
    return service
