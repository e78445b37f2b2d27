"""INGEST_… settings."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.settings import DatabaseSettings


class IngestSettings(DatabaseSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", extra="ignore", frozen=True, populate_by_name=True)

    files_url: str
    """The file store shared with the gateway: file:///…, s3://…, gs://…, az://…."""
    index_path: Path
    """The folder of the vector index; one process at a time. Not used with a Qdrant server."""
    snapshot_path: Path | None = None
    """Where copies of that index are kept; None: beside it, in a folder of the same name with `-snapshots`."""
    qdrant_url: str = ""
    """http(s)://host:port of a Qdrant server, 1.19 or newer; empty: the engine in this process."""
    qdrant_api_key: SecretStr | None = None
    qdrant_prefix: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "lumora"
    """The collection's name begins so; the embedding model's name and dimension follow."""
    qdrant_timeout_s: Annotated[int, Field(ge=1, le=60)] = 2
    """Of one request that reads; a search as a whole has 3 s."""
    qdrant_write_timeout_s: Annotated[int, Field(ge=1, le=300)] = 60
    qdrant_shards: Annotated[int, Field(ge=1)] = 1
    """Of a collection that is made; this and the next three mean nothing for one that exists."""
    qdrant_replicas: Annotated[int, Field(ge=1)] = 1
    qdrant_write_replicas: Annotated[int, Field(ge=1)] = 1
    """Replicas that must have a write before it counts."""
    qdrant_quantization: Literal["none", "int8"] = "none"
    read_memory_mib: Annotated[int, Field(ge=128)] = 480
    """The whole of a process that reads one document, what the readers themselves need included."""
    read_cpu_s: Annotated[int, Field(ge=1)] = 15
    """For one document; each further megabyte of it adds a second."""
    read_wall_s: Annotated[float, Field(ge=1)] = 120
    """The same by the clock on the wall: for a reader that waits instead of working."""
    ocr_languages: Annotated[str, Field(pattern=r"^[A-Za-z_]*(\+[A-Za-z_]+)*$")] = ""
    """Tesseract's languages for pages that are pictures, as in `deu+eng`; empty: the first six that are installed."""
    ocr_cpu_s: Annotated[int, Field(ge=0, le=3_600)] = 300
    """For the pictures of one document, beyond `read_cpu_s`; 0: pictures are not read."""
    web_look_again_h: Annotated[float, Field(ge=0)] = 24
    """Hours until a page that came from the web is looked at again; 0: never."""
    web_private_networks: tuple[IPvAnyNetwork, ...] = ()
    """Networks that pages may be fetched from although they are not public, as a JSON list of CIDR blocks."""
    embedder: str = "minilm"
    """`minilm`, `ollama/<model>` or `openai/<model>`; a change indexes everything anew beside the old index."""
    embed_dimensions: Annotated[int | None, Field(ge=1, le=8_192)] = None
    """Numbers of a vector; None is the model's own. Needed for a model that is not known."""
    embed_query_prefix: str | None = None
    """What stands before a question; None is what the model was trained with, if that is known."""
    embed_passage_prefix: str | None = None
    """The same before a passage."""
    ollama_host: str = Field(default="", alias="OLLAMA_HOST")
    openai_api_key: SecretStr = Field(default=SecretStr(""), alias="OPENAI_API_KEY")
    openai_base_url: str = Field(default="", alias="OPENAI_BASE_URL")
    rerank_url: Annotated[str, Field(pattern=r"^(https?://.+)?$")] = ""
    """The whole address of a reranker, as in http://host:8000/v1/rerank; empty: passages stay as they were found."""
    rerank_model: str = ""
    rerank_api_key: SecretStr | None = None
    rerank_timeout_s: Annotated[float, Field(gt=0, le=2)] = 0.5
    """Then the order is the one found without it; a search as a whole has 3 s."""
    embed_threads: Annotated[int, Field(ge=0)] = 0
    """Threads in which MiniLM embeds passages while nobody asks, one otherwise; 0: as many as cores, up to four."""
    slots: Annotated[int, Field(ge=1)] = 3
    """Documents at work at the same time. All but one of them may be long, each of another business: a short one need
    not wait for the end of a long one."""
    fetches: Annotated[int, Field(ge=1)] = 4
    """Pages that are fetched at the same time, beside those: each of another business, so that a slow site holds up its
    own pages alone."""
