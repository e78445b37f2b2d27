"""GATEWAY_… settings."""

from pydantic_settings import SettingsConfigDict

from runtime.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = 8000
    files_url: str = "file:///tmp/lumora/files"
    requests_per_minute: int = 100
    """Of one caller, counted across all gateways."""
    replicas: int = 1
    """How many gateways there are: each takes its share of the limit while the shared counters are away."""
    origins: tuple[str, ...] = ()
    """Further origins whose pages may open a chat for people, beside our own."""
