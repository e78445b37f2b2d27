"""FILTER_… settings."""

from pydantic_settings import SettingsConfigDict

from runtime.settings import DatabaseSettings


class FilterSettings(DatabaseSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="FILTER_", extra="ignore", frozen=True)

    stream_drain_s: float = 30.0
    """How long open streams may take to end after SIGTERM; the rest is replayed at another replica."""
