"""LEARNING_… settings."""

from pydantic_settings import SettingsConfigDict

from runtime.settings import DatabaseSettings


class LearningSettings(DatabaseSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="LEARNING_", extra="ignore", frozen=True)
