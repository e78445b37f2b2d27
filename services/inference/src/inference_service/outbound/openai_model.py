"""Answers of OpenAI, or of any server that speaks its protocol: vLLM, LiteLLM, llama.cpp.

The official client says where the server is, which headers and key it gets, and how models are listed; the stream of
tokens is read below it (`token_stream`). Importing that client takes 36 MB: import this module only where it is used.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import openai
import orjson

from inference_service.domain.errors import ModelBroken, ModelUnreachable
from inference_service.domain.model import End, Pieces, Prompt, Timeouts
from inference_service.domain.prompt import Budget, approximate_tokens, chat_messages, fit
from inference_service.outbound.http_refusals import refused
from inference_service.outbound.openai_events import OpenAIEvents
from inference_service.outbound.token_stream import TokenStreams

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
        context_tokens: into which prompts are fitted; the protocol does not tell what a model takes.
    """

    def __init__(
        self, key: str, base_url: str = "", *, timeouts: Timeouts | None = None, context_tokens: int = 32_768
    ) -> None:
        timeouts = timeouts or Timeouts()
        self._context_tokens = context_tokens
        url = address(base_url or OFFICIAL)
        # OpenAI has renamed the limit; many servers that speak its protocol know only the old name.
        self._limit = "max_completion_tokens" if url == OFFICIAL else "max_tokens"
        self._client = openai.AsyncOpenAI(
            api_key=key or _NO_KEY, base_url=url, max_retries=0, timeout=timeouts.first_token_s
        )
        headers = {**self._client.default_headers, **self._client.auth_headers}
        self._streams = TokenStreams(f"{url}/chat/completions", headers, timeouts)

    async def close(self) -> None:
        """Close all connections; streams that still run break."""
        await self._streams.close()
        await self._client.close()

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer piece by piece; see `domain.model.Model`.

        Raises:
            PromptTooLong: what may not be trimmed is beyond the context.
        """
        prompt = fit(prompt, Budget(self._context_tokens, prompt.max_tokens or _ANSWER_TOKENS))
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
        async with aclosing(self._streams.read(orjson.dumps(body), events, deadline)) as items:
            async for item in items:
                yield item

    async def names(self) -> tuple[str, ...]:
        """Return the models that the server lists."""
        async with _official_errors():
            return tuple([model.id async for model in self._client.models.list() if model.id])


@asynccontextmanager
async def _official_errors() -> AsyncIterator[None]:
    """Translate what the official client raises."""
    try:
        yield
    except openai.APIStatusError as error:
        raise refused(error.status_code, error.body, error.response.headers) from None
    except openai.APIConnectionError as error:
        raise ModelUnreachable(f"no connection: {type(error).__name__}") from error
    except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
        raise ModelBroken(f"the list of models cannot be read: {type(error).__name__}") from error
