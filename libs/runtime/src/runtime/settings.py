"""Settings that every service has. A service's own class adds to these and names its prefix, as in GATEWAY_NATS_URL."""

import os

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read from the environment; secrets have no default."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    nats_url: str = "nats://127.0.0.1:4222"
    nats_seed: SecretStr
    """The nkey seed of the service's own NATS user."""
    internal_host: str = "127.0.0.1"
    internal_port: int = 9000
    """Health and metrics, never the public."""
    log_level: str = "INFO"
    drain_s: float = 45.0
    """How long running work may take to end after SIGTERM."""


class DatabaseSettings(ServiceSettings):
    """For services with a schema of their own."""

    database_url: SecretStr
    """postgresql://<service>_app:…@host/db: the role of the handlers."""
    relay_url: SecretStr
    """postgresql://<service>_relay:…@host/db: the role of outbox relay and reconciler."""
    pool_size: int = 10


def telemetry_endpoint() -> str | None:
    """Where traces go (OpenTelemetry's own variable); None: nowhere."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None
