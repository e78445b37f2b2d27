"""Answers of OpenAI, or of any server that speaks its protocol: vLLM, LiteLLM, llama.cpp.

The official client says where the server is, which headers and key it gets, and how models are listed; the stream of
tokens is read below it (`token_stream`). Importing that client takes 36 MB: import this module only where it is used.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

import openai

from inference_service.domain.model import End, Pieces, Prompt, Timeouts
from inference_service.domain.prompt import Budget, approximate_tokens, chat_messages, fit
from inference_service.outbound.context_sizes import (
    ASKED_WITHIN_S,
    ContextSizes,
    listed_size,
    litellm_sizes,
    llamacpp_size,
)
from inference_service.outbound.official_clients import listing, streams_of
from inference_service.outbound.openai_events import OpenAIEvents

OFFICIAL: Final = "https://api.openai.com/v1"
_ANSWER_TOKENS: Final = 1024
"""Kept free for an answer whose length nobody limited."""

_NO_KEY: Final = "none"
"""The official client wants a key even for a server that asks for none."""

_VERSION: Final = re.compile(r"//.*/v\d+[a-z]*\d*(/|$)")


def address(given: str) -> str:
    """Return the base URL with its version: `/v1` is added where the address names none."""
    url = given.rstrip("/")
    return url if _VERSION.search(url) else f"{url}/v1"


class OpenAIModel:
    """The provider `openai`. Make it inside a running loop; `close` it.

    Args:
        key: as OPENAI_API_KEY; empty for a server that asks for none.
        base_url: as OPENAI_BASE_URL, with or without `/v1`; empty is OpenAI's own.
        timeouts: how long the server may be silent.
        context_tokens: into which prompts are fitted for a model of which the server tells nothing: the protocol has no
            word for it, and OpenAI itself does not tell.
    """

    def __init__(
        self, key: str, base_url: str = "", *, timeouts: Timeouts | None = None, context_tokens: int = 32_768
    ) -> None:
        timeouts = timeouts or Timeouts()
        self._sizes = ContextSizes(context_tokens)
        self._url = url = address(base_url or OFFICIAL)
        # OpenAI has renamed the limit; many servers that speak its protocol know only the old name.
        self._limit = "max_completion_tokens" if url == OFFICIAL else "max_tokens"
        self._client = openai.AsyncOpenAI(
            api_key=key or _NO_KEY, base_url=url, max_retries=0, timeout=timeouts.first_token_s
        )
        self._streams = streams_of(self._client, f"{url}/chat/completions", timeouts)

    async def close(self) -> None:
        """Close all connections; streams that still run break."""
        await self._streams.close()
        await self._client.close()

    def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer piece by piece; see `domain.model.Model`.

        Raises:
            PromptTooLong: what may not be trimmed is beyond the context.
        """
        prompt = fit(prompt, Budget(self._sizes.of(prompt.model), prompt.max_tokens or _ANSWER_TOKENS))
        messages = chat_messages(prompt)
        events = OpenAIEvents(sum(approximate_tokens(message.content) for message in messages))
        body = {
            "model": prompt.model,
            "messages": [message._asdict() for message in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        limits = {"temperature": prompt.temperature, self._limit: prompt.max_tokens}
        body |= {name: value for name, value in limits.items() if value is not None}
        return self._streams.read(body, events, deadline)

    async def names(self) -> tuple[str, ...]:
        """Return the models that the server lists, and note what they take."""
        async with listing(
            status=openai.APIStatusError, connection=openai.APIConnectionError, other=openai.OpenAIError
        ):
            listed = [model async for model in self._client.models.list() if model.id]
            sizes = {model.id: listed_size(model.model_extra or {}) for model in listed}
        if self._url != OFFICIAL and not any(sizes.values()):
            sizes = await self._asked_sizes(tuple(sizes))
        self._sizes.are(sizes)
        return tuple(model.id for model in listed)

    async def _asked_sizes(self, names: tuple[str, ...]) -> dict[str, int | None]:
        """Ask where LiteLLM and llama.cpp tell what their models take; other servers know neither address."""
        root = self._url.removesuffix("/v1")
        with suppress(TimeoutError):
            async with asyncio.timeout(ASKED_WITHIN_S):
                with suppress(openai.OpenAIError, ValueError, AttributeError):
                    return litellm_sizes(await self._client.get(f"{root}/model/info", cast_to=object))
                with suppress(openai.OpenAIError, ValueError, AttributeError):
                    props = await self._client.get(f"{root}/props", cast_to=object)
                    return dict.fromkeys(names, llamacpp_size(props))
        return {}
