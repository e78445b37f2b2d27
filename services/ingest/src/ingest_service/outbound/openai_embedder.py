"""Embeddings of OpenAI, or of any server that speaks its protocol (vLLM, LiteLLM, llama.cpp), by the official client.

Importing that client takes 36 MB: import this module only where it is used.
"""

import re
from collections.abc import Sequence
from typing import Final

import openai
from openai.types import CreateEmbeddingResponse

from ingest_service.domain.embedding import EmbedderAway
from ingest_service.outbound.http_answers import refused

OFFICIAL: Final = "https://api.openai.com/v1"
CONNECT_S: Final = 2.0
ANSWER_S: Final = 120.0
"""Whoever asks has a deadline of its own."""
_NO_KEY: Final = "none"
"""The official client wants a key even for a server that asks for none."""
_VERSION: Final = re.compile(r"//.*/v\d+[a-z]*\d*(/|$)")


class OpenAIVectors:
    """Implements `VectorSource`. Make it inside a running loop; `close` it.

    Args:
        key: As OPENAI_API_KEY; empty for a server that asks for none.
        base_url: As OPENAI_BASE_URL, with or without `/v1`; empty is OpenAI's own.
        model: As the server knows it.
        dimension: Asked of the server where it is not the model's own; else None.
    """

    def __init__(self, key: str, base_url: str, model: str, dimension: int | None = None) -> None:
        url = (base_url or OFFICIAL).rstrip("/")
        self._client = openai.AsyncOpenAI(
            api_key=key or _NO_KEY,
            base_url=url if _VERSION.search(url) else f"{url}/v1",
            max_retries=0,
            timeout=openai.Timeout(ANSWER_S, connect=CONNECT_S),
        )
        self._model = model
        self._dimension = openai.omit if dimension is None else dimension

    async def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        try:
            # the client's own choice, base64, is not known to every server that speaks the protocol
            answer = await self._client.embeddings.create(
                model=self._model, input=list(texts), dimensions=self._dimension, encoding_format="float"
            )
            return _in_order(answer)
        except openai.APIStatusError as error:
            raise refused(error.status_code, error.response.headers) from None
        except openai.APIConnectionError as error:
            raise EmbedderAway("the embedding model's server cannot be reached") from error
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError) as error:
            raise EmbedderAway("the embedding model's server says what cannot be read") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def _in_order(answer: CreateEmbeddingResponse) -> list[list[float]]:
    """Each vector says which text's it is; a server need not answer in order."""
    return [one.embedding for one in sorted(answer.data, key=lambda one: one.index)]
