"""INFERENCE_… settings, and the variables that the providers' own clients use."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.settings import DatabaseSettings


class InferenceSettings(DatabaseSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="INFERENCE_", extra="ignore", frozen=True, populate_by_name=True)

    tenant_running: int = 8
    """Answers of one business that may be accepted or running; what is beyond waits in Postgres."""
    tenant_queued: int = 50
    """Answers of one business that may wait; beyond that it gets 429."""
    worker_slots: int = 64
    """Answers that one process works on at a time."""
    model_slots: int | None = None
    """Answers that one model of one provider works on at a time, in one process; None: see `domain.rations`."""
    hedging: bool = True
    """Whether a second call may be made beside one that is silent for unusually long: at most 5 % of the calls."""
    answer_deadline_s: float = 180.0
    """A model's whole answer must have come by then."""
    trace_days: int = Field(default=30, ge=1)
    """How long it is kept why an answer was given, in days."""
    gap_days: int = Field(default=90, ge=1)
    """How long a question that found nothing good is kept, in days; a gap, after it was last asked."""
    ollama_host: str | None = Field(default=None, alias="OLLAMA_HOST")
    anthropic_api_key: SecretStr | None = Field(default=None, alias="ANTHROPIC_API_KEY")
    anthropic_base_url: str = Field(default="", alias="ANTHROPIC_BASE_URL")
    openai_api_key: SecretStr = Field(default=SecretStr(""), alias="OPENAI_API_KEY")
    openai_base_url: str = Field(default="", alias="OPENAI_BASE_URL")
    """A server of one's own may need no key: either of the two makes the provider known."""
