"""AUTH_… settings."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.settings import DatabaseSettings


class AuthSettings(DatabaseSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="AUTH_", extra="ignore", frozen=True)

    master_key: SecretStr
    """64 hex digits (256 bits): seals the signing keys. Without it nobody's token can be signed again."""
    password_threads: Annotated[int, Field(ge=1)] = 2
    """Passwords hashed at the same time, each with 64 MiB of memory."""
    password_queue: Annotated[int, Field(ge=1)] = 32
    """How many may wait beyond those; more get 503, in under 2 s."""
