"""Who is connected to whom."""

from uuid import UUID

from pydantic import SecretStr

from contracts.ids import MessageId
from contracts.inference import ANSWER, AnswerTurn
from inference_service.domain.answer import Desk
from inference_service.domain.guarded import GuardedModel
from inference_service.domain.hedged import HedgedModel
from inference_service.domain.model import Model
from inference_service.domain.ports import Candidate
from inference_service.domain.rations import HOSTED, ONE_MACHINE
from inference_service.inbound import (
    on_answer_job,
    rpc_agents,
    rpc_conversations,
    rpc_gaps,
    rpc_hand_off,
    rpc_traces,
    rpc_turns,
    upkeep,
)
from inference_service.outbound.ended_hints import EndedHints
from inference_service.outbound.extractive_model import ExtractiveModel
from inference_service.outbound.filter_rpc import FilterInputCheck, FilterRedaction
from inference_service.outbound.ingest_rpc import IngestEmbedder, IngestKnowledge
from inference_service.outbound.ollama_model import OllamaModel
from inference_service.outbound.postgres_agents import PostgresAgents
from inference_service.outbound.postgres_conversations import PostgresConversations
from inference_service.outbound.postgres_gaps import PostgresGaps, RelayTenants
from inference_service.outbound.postgres_hand_offs import PostgresHandOffs
from inference_service.outbound.postgres_traces import PostgresTraces
from inference_service.outbound.postgres_turns import PostgresTurns
from inference_service.outbound.prometheus_providers import PrometheusProviders
from inference_service.outbound.providers import EXTRACTIVE, FoundProviders
from inference_service.outbound.stop_signals import ControlStops
from inference_service.outbound.token_sink import FilterSink
from inference_service.outbound.token_wire import TokenWire
from inference_service.settings import InferenceSettings
from runtime.expiry import Expiry
from runtime.reconcile import Reconciler, Unfinished
from runtime.service import Service

_TAKE_UNFINISHED = """
    UPDATE turn SET enqueued_at = now(), times_enqueued = times_enqueued + 1
    WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM turn
        WHERE state IN ('accepted', 'running') AND (lease_until IS NULL OR lease_until < now())
            AND enqueued_at < now() - interval '30 seconds'
        ORDER BY enqueued_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id, id, times_enqueued
"""

RATIONS = {"ollama": ONE_MACHINE, "anthropic": HOSTED, "openai": HOSTED}


async def build() -> Service:
    """Connected once, at the top."""
    settings = InferenceSettings()
    service = Service("inference", settings)
    bus = service.bus
    database, relay = service.database(settings)
    turns = PostgresTurns(database, running_limit=settings.tenant_running, queued_limit=settings.tenant_queued)
    providers = _providers(service, settings)
    stops, wire = ControlStops(bus), TokenWire(bus)
    desk = Desk(
        turns=turns,
        knowledge=IngestKnowledge(bus),
        check=FilterInputCheck(bus),
        sink=FilterSink(bus, wire),
        followers=EndedHints(bus),
        providers=providers,
        stops=stops,
        embedder=IngestEmbedder(bus),
        deadline_s=settings.answer_deadline_s,
    )
    service.on_start(stops.start)
    service.on_start(wire.start)
    service.loop("tokens", wire.run)
    service.consume(on_answer_job.register(bus, desk, slots=settings.worker_slots))
    rpc_turns.register(bus, turns)
    rpc_agents.register(bus, PostgresAgents(database), providers)
    rpc_conversations.register(bus, PostgresConversations(database))
    rpc_hand_off.register(bus, PostgresHandOffs(database))
    rpc_traces.register(bus, PostgresTraces(database))
    gaps = PostgresGaps(database)
    rpc_gaps.register(bus, gaps)
    upkeep.register(service, RelayTenants(relay), gaps, redaction=FilterRedaction(bus), embedder=desk.embedder)
    kept = {
        ("trace", "created_at"): settings.trace_days,
        ("gap_question", "asked_at"): settings.gap_days,
        ("gap", "last_seen"): settings.gap_days,
    }
    service.loop("expiry", Expiry(relay, kept).run)
    unfinished = Unfinished(ANSWER, _TAKE_UNFINISHED, _job)
    service.loop("reconcile", Reconciler(bus, relay, unfinished).run)
    return service


def _job(row_id: UUID) -> AnswerTurn:
    return AnswerTurn(message_id=MessageId(row_id))


def _providers(service: Service, settings: InferenceSettings) -> FoundProviders:
    found = {EXTRACTIVE: Candidate(ExtractiveModel(IngestEmbedder(service.bus)), "", needs_knowledge=True)}
    for provider, model in _models(service, settings).items():
        found[provider] = Candidate(_rationed(provider, model, settings), "", needs_knowledge=False)
    providers = FoundProviders(found)
    service.on_start(providers.look)
    service.loop("models", providers.watch)
    return providers


def _rationed(provider: str, model: Model, settings: InferenceSettings) -> Model:
    """The model behind its breaker and bulkhead, asked twice where that helps."""
    rations, watch = RATIONS[provider], PrometheusProviders()
    places = settings.model_slots or rations.places
    guarded = GuardedModel(provider, model, watch, places=places, patience_s=rations.patience_s)
    return HedgedModel(provider, guarded, watch) if settings.hedging and rations.is_hedged else guarded


def _models(service: Service, settings: InferenceSettings) -> dict[str, Model]:
    """Those that the environment names, the first choice for a default first."""
    found: dict[str, Model] = {}
    if settings.ollama_host:
        ollama = OllamaModel(settings.ollama_host)
        service.on_stop(ollama.close)
        found["ollama"] = ollama
    if settings.anthropic_api_key:
        found["anthropic"] = _anthropic(service, settings.anthropic_api_key, settings)
    if settings.openai_api_key or settings.openai_base_url:
        found["openai"] = _openai(service, settings)
    return found


def _anthropic(service: Service, key: SecretStr, settings: InferenceSettings) -> Model:
    from inference_service.outbound.anthropic_model import AnthropicModel

    model = AnthropicModel(key.get_secret_value(), settings.anthropic_base_url)
    service.on_stop(model.close)
    return model


def _openai(service: Service, settings: InferenceSettings) -> Model:
    from inference_service.outbound.openai_model import OpenAIModel

    model = OpenAIModel(settings.openai_api_key.get_secret_value(), settings.openai_base_url)
    service.on_stop(model.close)
    return model
