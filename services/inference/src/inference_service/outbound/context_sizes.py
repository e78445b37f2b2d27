"""How many tokens a model takes, prompt and answer together, where its provider tells."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeGuard

ASKED_WITHIN_S: Final = 3.0
"""Whoever does not answer what its models take is listed all the same."""


class ContextSizes:
    """What a provider told of its models when it last listed them.

    Args:
        fallback: for a model of which nothing was told, in tokens.
    """

    def __init__(self, fallback: int) -> None:
        self._fallback = fallback
        self._told: dict[str, int] = {}

    def of(self, model: str) -> int:
        """Return the tokens that the model takes."""
        return self._told.get(model, self._fallback)

    def are(self, told: Mapping[str, int | None]) -> None:
        """Take a whole list; models of which nothing was told, and those that are gone, get the fallback."""
        self._told = {model: size for model, size in told.items() if size}


def listed_size(entry: Mapping[str, Any]) -> int | None:
    """Return what an entry of an OpenAI-compatible `/v1/models` says of its model's context; None where it does not.

    vLLM says `max_model_len`, OpenRouter `context_length`; llama.cpp says in `meta` what it was started with (`n_ctx`).
    What a model was trained for (`n_ctx_train`) is not what its server takes.
    """
    meta = entry.get("meta")
    found = (entry.get("max_model_len"), entry.get("context_length"), meta.get("n_ctx") if _is_map(meta) else None)
    return next((size for size in map(_size, found) if size), None)


def litellm_sizes(body: object) -> dict[str, int | None]:
    """Return what LiteLLM's `/model/info` says: the smallest of a name's deployments, since any may be asked."""
    entries: Iterable[Any] = body.get("data") or () if isinstance(body, dict) else ()
    sizes: dict[str, int | None] = {}
    for entry in entries:
        info = entry.get("model_info")
        size = _size(info.get("max_input_tokens")) if _is_map(info) else None
        if size:
            name = str(entry.get("model_name"))
            sizes[name] = min(size, sizes.get(name) or size)
    return sizes


def llamacpp_size(body: object) -> int | None:
    """Return what llama.cpp's `/props` says that each of its slots takes; it serves one model."""
    settings = body.get("default_generation_settings") if isinstance(body, dict) else None
    return _size(settings.get("n_ctx")) if _is_map(settings) else None


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _is_map(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)
