"""What is the same in the official clients of Anthropic and OpenAI: one generator wrote both."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from inference_service.domain.errors import ModelBroken, ModelUnreachable
from inference_service.domain.model import Timeouts
from inference_service.outbound.http_refusals import refused
from inference_service.outbound.token_stream import TokenStreams


class OfficialClient(Protocol):
    """What is asked of a client beside its own calls."""

    @property
    def default_headers(self) -> Mapping[str, Any]: ...

    @property
    def auth_headers(self) -> Mapping[str, Any]: ...


def streams_of(client: OfficialClient, url: str, timeouts: Timeouts) -> TokenStreams:
    """Return the way to stream from `url` as this client would: with its headers and its key."""
    return TokenStreams(url, {**client.default_headers, **client.auth_headers}, timeouts)


@asynccontextmanager
async def listing(
    *, status: type[Exception], connection: type[Exception], other: type[Exception]
) -> AsyncIterator[None]:
    """Translate what a client raises while it lists its models.

    Args:
        status: its error for an HTTP status from 400 up.
        connection: its error for an answer that never came.
        other: the root of all of its errors.

    Raises:
        ModelFailed: as the rest of this service knows it.
    """
    try:
        yield
    except status as error:
        raise _refused(error) from None
    except connection as error:
        raise ModelUnreachable(f"no connection: {type(error).__name__}") from error
    except (other, ValueError, AttributeError, TypeError) as error:
        raise ModelBroken(f"the list of models cannot be read: {type(error).__name__}") from error


def _refused(error: Any) -> Exception:
    return refused(error.status_code, error.body, error.response.headers)
