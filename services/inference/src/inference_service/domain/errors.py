"""What can go wrong in inference, drawn once.

LumoraError
├── ModelFailed                  a provider gave no answer, or no whole one
│   ├── ModelUnreachable         nobody listens there
│   ├── ModelOverloaded          429, 503, 529: try later, or elsewhere
│   ├── ModelRejected            any other 4xx: the same request will never be taken
│   │   └── PromptTooLong        what may not be trimmed is beyond the model's context
│   ├── ModelStalled             no first token, or none for too long
│   │   └── ModelLate            the turn's deadline passed
│   └── ModelBroken              reset, error or garbage in the stream, no end mark, 5xx
└── EmbedderFailed               no embeddings now; who ranks by them ranks without
"""

from runtime.errors import LumoraError


class ModelFailed(LumoraError):
    """A provider gave no answer, or no whole one.

    `code` is the stable word for clients, logs and metrics; `retry_after_s` is how long the provider asked to be left
    alone, None when it did not say; `detail` may quote the provider, never the prompt.
    """

    default_code = "model_broken"

    @property
    def retryable(self) -> bool:
        """Whether the same prompt may succeed later at the same provider."""
        return self.kind.retryable


class ModelUnreachable(ModelFailed):
    """No connection could be made."""

    default_code = "model_unreachable"


class ModelOverloaded(ModelFailed):
    """The provider is busy (429, 503, 529)."""

    default_code = "model_overloaded"


class ModelRejected(ModelFailed):
    """The provider refused this request, for example because it does not know the model."""

    default_code = "model_rejected"


class PromptTooLong(ModelRejected):
    """What may not be trimmed (persona, rules, the question) leaves no room in the model's context."""

    default_code = "too_large"


class ModelStalled(ModelFailed):
    """No first token, or no further one, within the provider's timeouts."""

    default_code = "model_stalled"


class ModelLate(ModelStalled):
    """The turn's deadline passed before the answer was whole."""

    default_code = "deadline_exceeded"


class ModelBroken(ModelFailed):
    """The answer broke off: reset, error in the stream, garbage, no end mark, or a server error."""


class EmbedderFailed(LumoraError):
    """Embeddings cannot be had now."""

    default_code = "unavailable"
