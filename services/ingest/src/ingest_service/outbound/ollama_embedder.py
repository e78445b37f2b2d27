"""Embeddings of an Ollama server (`/api/embed`), through its official client."""

from collections.abc import Mapping, Sequence
from typing import Final

import httpx
import ollama

from ingest_service.domain.embedding import EmbedderAway
from ingest_service.outbound.http_answers import refused

CONNECT_S: Final = 2.0
ANSWER_S: Final = 120.0
"""Whoever asks has a deadline of its own; a model that is loaded first takes its time."""


class _Official(ollama.AsyncClient):
    """The official client, with a way to close it that has types."""

    async def aclose(self) -> None:
        await self._client.aclose()


class OllamaVectors:
    """Implements `VectorSource`. Make it inside a running loop; `close` it.

    Args:
        host: As OLLAMA_HOST; empty is the official client's own default.
        model: As the server knows it.
        dimension: Asked of the server where it is not the model's own; else None.
    """

    def __init__(self, host: str, model: str, dimension: int | None = None) -> None:
        self._client = _Official(host or None, timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S))
        self._model = model
        self._dimension = dimension

    async def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        try:
            answer = await self._client.embed(self._model, list(texts), truncate=True, dimensions=self._dimension)
        except ollama.ResponseError as error:
            raise refused(error.status_code, _headers(error)) from None
        except (ConnectionError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise EmbedderAway("the embedding model's server cannot be reached") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise EmbedderAway("the embedding model's server says what cannot be read") from error
        return answer.embeddings

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _headers(error: ollama.ResponseError) -> Mapping[str, str]:
    """The client's errors tell status and words; the headers are in the one that they were made of."""
    of = error.__context__
    return of.response.headers if isinstance(of, httpx.HTTPStatusError) else {}
