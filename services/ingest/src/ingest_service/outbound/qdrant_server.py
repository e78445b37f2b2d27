"""A Qdrant server as its official client asks it: where it is, and what its refusals mean.

Importing the client takes 55 MB: import this module only where a server is used.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import httpx
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from runtime import logs
from runtime.errors import Overloaded, Unavailable

TRIES: Final = 2
PAUSE_S: Final = 0.1
NOT_FOUND, CONFLICT, TOO_MANY, SERVER_ERROR = 404, 409, 429, 500
T = TypeVar("T")

_log = logs.get_logger()


@dataclass(frozen=True, slots=True)
class QdrantServer:
    """Where the server is, and how a collection is made; an existing one is left as it is.

    Attributes:
        url: http(s)://host:port, with a path where a proxy asks for one.
        api_key: Sent with each request; None for a server that asks for none.
        prefix: The collection's name begins so; the rest names the embedding model and its dimension.
        timeout_s: Of one request that reads.
        write_timeout_s: Of one that writes: nobody waits for it as for a search, and to show a long document takes a
            busy server seconds.
        shards: Parts that a collection is spread over.
        replicas: Copies of each part.
        write_replicas: Copies that must have a write before it counts.
        quantization: `int8` keeps a byte a number in memory and ranks the best again by the exact vectors.
    """

    url: str
    api_key: SecretStr | None = None
    prefix: str = "lumora"
    timeout_s: int = 5
    write_timeout_s: int = 60
    shards: int = 1
    replicas: int = 1
    write_replicas: int = 1
    quantization: Literal["none", "int8"] = "none"


def collection_name(prefix: str, model: str, dimension: int) -> str:
    """No prefix holds the mark behind it, so that nobody's collections look like those of a longer or shorter one."""
    return f"{prefix}_{re.sub('[^a-z0-9]+', '-', model.lower())}-{dimension}"


def connected(server: QdrantServer) -> AsyncQdrantClient:
    """A client; nothing is asked yet."""
    key = None if server.api_key is None else {"api-key": server.api_key.get_secret_value()}
    # given as a header, because the client's own argument warns of http:// even within one cluster
    return AsyncQdrantClient(
        url=server.url, headers=key, timeout=server.timeout_s, prefer_grpc=False, check_compatibility=False
    )


async def answered(call: Callable[[], Awaitable[T]]) -> T:
    """What the server says; asked again once when the connection broke: each of our requests may be repeated.

    Raises:
        Overloaded: It asks for patience.
        Unavailable: It cannot be reached, is slow, fails, or does not know our key.
        UnexpectedResponse: It refuses the request itself.
    """
    for left in reversed(range(TRIES)):
        try:
            return await call()
        except ResponseHandlingException as error:
            if not left or not isinstance(error.source, httpx.NetworkError | httpx.RemoteProtocolError):
                raise Unavailable("the vector index is away") from error
            await asyncio.sleep(PAUSE_S)
        except ResourceExhaustedResponse as error:
            raise Overloaded("the vector index is overloaded", retry_after_s=error.retry_after_s) from error
        except UnexpectedResponse as error:
            status = error.status_code or SERVER_ERROR
            if status >= SERVER_ERROR or status in {401, 403, 408, TOO_MANY}:
                _log.warning("index.refused", status=status)
                raise Unavailable("the vector index refuses to answer") from error
            raise
    raise AssertionError("every try returns or raises")
