"""Answers of an Ollama server.

The official client says where the server is, which headers and key it gets, how models are listed and shown, and how
its errors read. The stream of tokens is read below it (`token_stream`), with our own split into lines:
bench/readers_cost.py measured 0.04 CPU seconds per 1,000 paced tokens; the client takes 0.15, and the whole platform
may take 0.25. The client over an aiohttp transport costs the same as ours, but is one more dependency and hides which
connections are new.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import httpx
import ollama

from inference_service.domain.errors import ModelFailed, ModelUnreachable
from inference_service.domain.model import End, Pieces, Prompt, Timeouts
from inference_service.domain.prompt import Budget, approximate_tokens, chat_messages, fit
from inference_service.outbound.context_sizes import ASKED_WITHIN_S, ContextSizes
from inference_service.outbound.http_refusals import refused
from inference_service.outbound.ollama_lines import OllamaLines
from inference_service.outbound.token_stream import TokenStreams

_ANSWER_TOKENS: Final = 1024
"""Kept free for an answer whose length nobody limited."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model can do; `context_tokens` is None when the server does not tell."""

    context_tokens: int | None
    capabilities: tuple[str, ...]


class _Official(ollama.AsyncClient):
    """The official client, which also tells where and with which headers it asks."""

    def address(self) -> tuple[str, dict[str, str]]:
        return str(self._client.base_url).rstrip("/"), dict(self._client.headers)

    async def aclose(self) -> None:
        await self._client.aclose()


class _Reader:
    """What the bytes of an answer mean; `prompt_tokens` is what to say when the server did not count them."""

    def __init__(self, prompt_tokens: int) -> None:
        self._lines = OllamaLines()
        self._prompt_tokens = prompt_tokens

    @property
    def is_over(self) -> bool:
        return self._lines.last is not None

    def feed(self, data: bytes) -> tuple[str, ...]:
        return self._lines.feed(data)

    def close(self) -> tuple[str, ...]:
        return self._lines.close()

    def end(self) -> End:
        return self._lines.end(self._prompt_tokens)


class OllamaModel:
    """The provider `ollama`. Make it inside a running loop; `close` it.

    Args:
        host: as OLLAMA_HOST; None reads that variable, as the official client does.
        timeouts: how long the server may be silent.
        context_tokens: the context to ask of the server (`num_ctx`), into which prompts are fitted: the server itself
            would cut a longer one without a word. The same for all prompts of a model, because another one reloads it;
            less for a model that was made for less.
        headers: further ones, for a server behind a door of its own.
        connections: open at once; a stream holds one.
    """

    def __init__(
        self,
        host: str | None = None,
        *,
        timeouts: Timeouts | None = None,
        context_tokens: int = 8192,
        headers: Mapping[str, str] | None = None,
        connections: int = 512,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._context_tokens = context_tokens
        self._sizes = ContextSizes(context_tokens)
        self._client = _Official(host, headers=headers, timeout=self._timeouts.first_token_s)
        url, sent = self._client.address()
        self._streams = TokenStreams(f"{url}/api/chat", sent, self._timeouts, connections)

    async def close(self) -> None:
        """Close all connections; streams that still run break."""
        await self._streams.close()
        await self._client.aclose()

    def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer piece by piece; see `domain.model.Model`. Thinking is not shown, but counts as a sign of life.

        Raises:
            PromptTooLong: what may not be trimmed is beyond the context.
        """
        context = min(self._context_tokens, self._sizes.of(_whole(prompt.model)))
        prompt = fit(prompt, Budget(context, prompt.max_tokens or _ANSWER_TOKENS))
        reader = _Reader(sum(approximate_tokens(message.content) for message in chat_messages(prompt)))
        return self._streams.read(_body(prompt, context), reader, deadline)

    async def names(self) -> tuple[str, ...]:
        """Return the models that the server has, and note what they take."""
        async with _official_errors():
            listed = await self._client.list()
        names = tuple(entry.model for entry in listed.models if entry.model)
        with suppress(TimeoutError):
            async with asyncio.timeout(ASKED_WITHIN_S):
                sizes = await asyncio.gather(*(self._context_of(name) for name in names))
                self._sizes.are(dict(zip(map(_whole, names), sizes, strict=True)))
        return names

    async def _context_of(self, name: str) -> int | None:
        try:
            return (await self.describe(name)).context_tokens
        except ModelFailed:
            return None

    async def describe(self, name: str) -> Traits:
        """Return what a model can do.

        Raises:
            ModelRejected: the server has no such model.
            ModelFailed: the server cannot be asked.
        """
        async with _official_errors():
            shown = await self._client.show(name)
        info = shown.modelinfo or {}
        context = info.get(f"{info.get('general.architecture')}.context_length")
        return Traits(context if isinstance(context, int) else None, tuple(shown.capabilities or ()))


def _body(prompt: Prompt, context_tokens: int) -> dict[str, object]:
    wanted = {"temperature": prompt.temperature, "num_predict": prompt.max_tokens, "num_ctx": context_tokens}
    return {
        "model": prompt.model,
        "messages": [message._asdict() for message in chat_messages(prompt)],
        "stream": True,
        "options": {name: value for name, value in wanted.items() if value is not None},
    }


def _whole(name: str) -> str:
    """Return the name as the server lists it: one without a tag means the tag `latest`."""
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


@asynccontextmanager
async def _official_errors() -> AsyncIterator[None]:
    """Translate what the official client raises."""
    try:
        yield
    except ollama.ResponseError as error:
        raise refused(error.status_code, {"error": error.error}, {}) from error
    except (ConnectionError, httpx.TransportError, httpx.InvalidURL) as error:
        raise ModelUnreachable(f"no connection: {type(error).__name__}") from error
