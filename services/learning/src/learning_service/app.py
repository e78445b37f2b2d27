"""Who is connected to whom."""

from learning_service.inbound import on_facts, rpc_stats
from learning_service.outbound.postgres_figures import PostgresFigures
from learning_service.settings import LearningSettings
from runtime.clock import SystemClock
from runtime.service import Service


async def build() -> Service:
    """Connected once, at the top."""
    settings = LearningSettings()
    service = Service("learning", settings)
    database, _relay = service.database(settings)
    figures = PostgresFigures(database)
    service.consume(on_facts.register(service.bus, figures, SystemClock()))
    rpc_stats.register(service.bus, figures)
    return service
