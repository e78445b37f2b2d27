"""A cross-encoder behind `/v1/rerank`, the request that Cohere, Jina, vLLM, llama.cpp and LiteLLM share.

Texts of the business leave the platform with it: where the server is, is the operator's choice.
"""

import asyncio
import math
from collections.abc import Sequence

import httpx
from prometheus_client import Counter
from pydantic import BaseModel, SecretStr, ValidationError

from runtime import logs
from runtime.errors import Unavailable

RERANKED = Counter(
    "ingest_reranked_total", "Searches that a reranker was asked about, by what came of it.", ["outcome"]
)

_log = logs.get_logger()


class _Ranked(BaseModel):
    index: int
    relevance_score: float


class _Answer(BaseModel):
    results: list[_Ranked]


class HttpReranker:
    """Implements `Reranker`. No breaker: a server that is away costs a search at most the timeout.

    Args:
        url: The whole address, as in http://host:8000/v1/rerank.
        model: As the server names it.
        key: Sent as a bearer token; None for a server that asks for none.
        timeout_s: For the whole call.
    """

    def __init__(self, url: str, *, model: str, key: SecretStr | None, timeout_s: float) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout_s)
        self._url, self._model, self._timeout_s = url, model, timeout_s

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._ask(query, texts)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError) as error:
            RERANKED.labels("failed").inc()
            # the class alone: an error of the contract would hold the texts
            _log.warning("rerank.failed", error=type(error).__name__)
            raise Unavailable("the reranker is away") from None
        RERANKED.labels("done").inc()
        return found

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _ask(self, query: str, texts: Sequence[str]) -> list[float]:
        body = {"model": self._model, "query": query, "documents": list(texts), "top_n": len(texts)}
        response = await self._client.post(self._url, json=body)
        response.raise_for_status()
        by_place = {one.index: one.relevance_score for one in _Answer.model_validate_json(response.content).results}
        found = [by_place.get(place, math.nan) for place in range(len(texts))]
        if not all(map(math.isfinite, found)):
            raise ValueError
        return found
