"""INGEST_… settings."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from runtime.settings import DatabaseSettings


class IngestSettings(DatabaseSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", extra="ignore", frozen=True)

    files_url: str
    """The file store shared with the gateway: file:///…, s3://…, gs://…, az://…."""
    index_path: Path
    """The folder of the vector index; one process at a time."""
    embed_threads: int = 1
    """Threads of one run of the embedding model."""
    slots: int = 2
    """Documents at work at the same time: a short one need not wait for the end of a long one."""
