"""INGEST_… settings."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.settings import DatabaseSettings


class IngestSettings(DatabaseSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", extra="ignore", frozen=True)

    files_url: str
    """The file store shared with the gateway: file:///…, s3://…, gs://…, az://…."""
    index_path: Path
    """The folder of the vector index; one process at a time. Not used with a Qdrant server."""
    qdrant_url: str = ""
    """http(s)://host:port of a Qdrant server, 1.19 or newer; empty: the engine in this process."""
    qdrant_api_key: SecretStr | None = None
    qdrant_prefix: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "lumora"
    """The collection's name begins so; the embedding model's name and dimension follow."""
    qdrant_timeout_s: Annotated[int, Field(ge=1, le=60)] = 2
    """Of one request; a search as a whole has 3 s."""
    qdrant_shards: Annotated[int, Field(ge=1)] = 1
    """Of a collection that is made; this and the next three mean nothing for one that exists."""
    qdrant_replicas: Annotated[int, Field(ge=1)] = 1
    qdrant_write_replicas: Annotated[int, Field(ge=1)] = 1
    """Replicas that must have a write before it counts."""
    qdrant_quantization: Literal["none", "int8"] = "none"
    read_memory_mib: Annotated[int, Field(ge=128)] = 480
    """The whole of a process that reads one document, what the readers themselves need included."""
    read_cpu_s: Annotated[int, Field(ge=1)] = 20
    """For one document; each further megabyte of it adds a second."""
    read_wall_s: Annotated[float, Field(ge=1)] = 120
    """The same by the clock on the wall: for a reader that waits instead of working."""
    embed_threads: int = 1
    """Threads of one run of the embedding model."""
    slots: int = 2
    """Documents at work at the same time: a short one need not wait for the end of a long one."""
