"""Three simulated providers beside the built-in answerer: what is unplugged while people read."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from runtime.testing.anthropic_server import SimulatedAnthropic
from runtime.testing.openai_server import SimulatedOpenAI
from runtime.testing.scripted_server import ScriptedServer
from tests.support.stage import Stage, open_stage

EXTRACTIVE = "extractive/sentences"
WORKER = "inference"
BREAKER = "inference_breaker_state"
CLOSED, HALF_OPEN, OPEN = 0.0, 1.0, 2.0


@dataclass
class Providers:
    """A stage with one worker, and the servers that it knows."""

    stage: Stage
    servers: Mapping[str, ScriptedServer]

    def order(self, first: str, model: str, next_model: str) -> tuple[str, ...]:
        """Model ids: the first provider's `model`, then `next_model` of the others, the built-in answerer last."""
        others = [f"{name}/{next_model}" for name in self.servers if name != first]
        return (f"{first}/{model}", *others, EXTRACTIVE)

    async def metric(self, name: str, **labels: str) -> float | None:
        """One sample of the worker's /metrics; None when it is not there."""
        port = self.stage.platform.internal_port(WORKER)
        answer = await self.stage.rest.get(f"http://127.0.0.1:{port}/metrics")
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    async def breaker(self, model_id: str) -> float | None:
        provider, _, model = model_id.partition("/")
        return await self.metric(BREAKER, provider=provider, model=model)


@asynccontextmanager
async def open_providers() -> AsyncIterator[Providers]:
    """Start the platform with an Ollama, an Anthropic and an OpenAI server, all simulated; no documents are asked."""
    async with SimulatedAnthropic() as anthropic, SimulatedOpenAI() as openai:
        environment = {
            "ANTHROPIC_API_KEY": "simulated",
            "ANTHROPIC_BASE_URL": anthropic.url,
            "OPENAI_BASE_URL": openai.url,
            "LUMORA_TENANT_RUNNING": "40",
        }
        async with open_stage(gateways=1, workers=1, without=("ingest",), environment=environment) as stage:
            yield Providers(stage, {"ollama": stage.model, "anthropic": anthropic, "openai": openai})
