"""Answers of an Ollama server.

The official client says where the server is, which headers and key it gets, how models are listed and shown, and how
its errors read. The stream of tokens is read below it, with aiohttp and our own split into lines:
bench/readers_cost.py measured 0.04 CPU seconds per 1,000 paced tokens; the client takes 0.15, and the whole platform
may take 0.25. The client over an aiohttp transport costs the same as ours, but is one more dependency and hides which
connections are new.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Final

import aiohttp
import httpx
import ollama
import orjson

from inference_service.domain.errors import (
    ModelBroken,
    ModelFailed,
    ModelLate,
    ModelOverloaded,
    ModelRejected,
    ModelStalled,
    ModelUnreachable,
)
from inference_service.domain.model import End, Pieces, Prompt, Timeouts
from inference_service.domain.prompt import Budget, approximate_tokens, chat_messages, fit
from inference_service.outbound.ollama_lines import OllamaLines

_OVERLOADED: Final = frozenset({429, 503, 529})
_OWN_HEADERS: Final = frozenset({"accept-encoding", "connection", "content-length", "host"})
"""Headers that the transport sets itself; a compressed stream would also arrive late."""

_ANSWER_TOKENS: Final = 1024
"""Kept free for an answer whose length nobody limited."""

_LAST_CHUNK_S: Final = 0.2
"""How long to wait for the end of the body after the last line, so that the connection can be used again."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model can do; `context_tokens` is None when the server does not tell."""

    context_tokens: int | None
    capabilities: tuple[str, ...]


class _Official(ollama.AsyncClient):
    """The official client, which also tells where and with which headers it asks."""

    def address(self) -> tuple[str, dict[str, str]]:
        headers = {name: value for name, value in self._client.headers.items() if name not in _OWN_HEADERS}
        return str(self._client.base_url).rstrip("/"), headers

    async def aclose(self) -> None:
        await self._client.aclose()


class OllamaModel:
    """The provider `ollama`. Make it inside a running loop; `close` it.

    Args:
        host: as OLLAMA_HOST; None reads that variable, as the official client does.
        timeouts: how long the server may be silent.
        context_tokens: the context to ask of the server (`num_ctx`), into which prompts are fitted: the server itself
            would cut a longer one without a word. The same for all prompts, because another one reloads the model.
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
        self._client = _Official(host, headers=headers, timeout=self._timeouts.first_token_s)
        url, sent = self._client.address()
        self._url = f"{url}/api/chat"
        # Servers commonly drop idle connections after 75 s: ours go first.
        self._pooled = self._session(sent, aiohttp.TCPConnector(limit=connections, keepalive_timeout=30))
        self._unpooled = self._session(sent, aiohttp.TCPConnector(limit=connections, force_close=True))

    async def close(self) -> None:
        """Close all connections; streams that still run break."""
        await self._pooled.close()
        await self._unpooled.close()
        await self._client.aclose()

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer piece by piece; see `domain.model.Model`. Thinking is not shown, but counts as a sign of life.

        Raises:
            PromptTooLong: what may not be trimmed is beyond the context.
        """
        prompt = fit(prompt, Budget(self._context_tokens, prompt.max_tokens or _ANSWER_TOKENS))
        loop = asyncio.get_running_loop()
        speaks_by = min(loop.time() + self._timeouts.first_token_s, deadline)
        response = await self._ask(prompt, speaks_by=speaks_by, deadline=deadline)
        silence = _Silence(response, loop)
        lines = OllamaLines()
        try:
            while lines.last is None:
                data = await _read(response, silence, speaks_by=speaks_by, deadline=deadline)
                if texts := lines.feed(data) if data else lines.close():
                    yield Pieces(texts)
                if not data and lines.last is None:
                    raise ModelBroken("the stream ended without its last line")
                speaks_by = min(loop.time() + self._timeouts.stall_s, deadline)
            await _drain(response)
            yield lines.end(sum(approximate_tokens(message.content) for message in chat_messages(prompt)))
        finally:
            silence.stop()
            response.close()  # at once: this is how a stop reaches the model

    async def names(self) -> tuple[str, ...]:
        """Return the models that the server has."""
        async with _official_errors():
            listed = await self._client.list()
        return tuple(entry.model for entry in listed.models if entry.model)

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

    def _session(self, headers: dict[str, str], connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_note_reuse)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect_s)
        return aiohttp.ClientSession(
            headers=headers, connector=connector, timeout=limits, trace_configs=[trace], trust_env=True
        )

    async def _ask(self, prompt: Prompt, *, speaks_by: float, deadline: float) -> aiohttp.ClientResponse:
        """Send the question and return the answer's open stream."""
        body = orjson.dumps(self._body(prompt))
        try:
            async with asyncio.timeout_at(speaks_by):
                response = await self._post(body)
                if response.status >= 400:  # noqa: PLR2004 - HTTP's own border
                    raise await _refusal(response)
                return response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ModelUnreachable(f"no connection: {type(error).__name__}") from error
        except TimeoutError as error:
            raise _silent(deadline) from error
        except aiohttp.InvalidURL as error:
            raise ModelUnreachable("the server's address is not valid") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ModelBroken(f"the connection broke before the answer: {type(error).__name__}") from error

    async def _post(self, body: bytes) -> aiohttp.ClientResponse:
        """Post, and once more when a connection from the pool turns out to be stale: nothing was answered on it yet."""
        note = SimpleNamespace(is_reused=False)
        try:
            return await self._pooled.post(self._url, data=body, trace_request_ctx=note)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            if not note.is_reused:
                raise
            return await self._unpooled.post(self._url, data=body)

    def _body(self, prompt: Prompt) -> dict[str, object]:
        wanted = {
            "temperature": prompt.temperature,
            "num_predict": prompt.max_tokens,
            "num_ctx": self._context_tokens,
        }
        return {
            "model": prompt.model,
            "messages": [message._asdict() for message in chat_messages(prompt)],
            "stream": True,
            "options": {name: value for name, value in wanted.items() if value is not None},
        }


class _Silence:
    """Closes a response on which nothing came in time, so that whoever reads it wakes up.

    A timer for each read would cost a fifth of reading (bench/readers_cost.py); this one is moved only when it fires.
    It does not run while nobody reads: a slow consumer is not a silent server.
    """

    def __init__(self, response: aiohttp.ClientResponse, loop: asyncio.AbstractEventLoop) -> None:
        self.has_struck = False
        self._response = response
        self._loop = loop
        self._limit = self._fires_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def begins(self, limit: float) -> None:
        """Begin to wait, until the loop time `limit`."""
        self._limit = limit
        if limit < self._fires_at:
            self._arm(limit)

    def ends(self) -> None:
        """Something came."""
        self._limit = math.inf

    def stop(self) -> None:
        """Nobody will read any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, when: float) -> None:
        self.stop()
        self._fires_at = when
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._fires_at = math.inf
        if self._loop.time() >= self._limit:
            self.has_struck = True
            self._response.close()
        elif self._limit < math.inf:
            self._arm(self._limit)


async def _read(response: aiohttp.ClientResponse, silence: _Silence, *, speaks_by: float, deadline: float) -> bytes:
    """Return what the socket has, at least one byte; empty at the end of the body."""
    if asyncio.get_running_loop().time() >= deadline:
        raise _silent(deadline)
    silence.begins(speaks_by)
    try:
        data = await response.content.readany()
    except (aiohttp.ClientError, OSError) as error:
        if silence.has_struck:
            raise _silent(deadline) from None
        raise ModelBroken(f"the stream broke off: {type(error).__name__}") from error
    silence.ends()
    return data


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the end of the body, which gives the connection back to the pool; the answer is whole without it."""
    with suppress(aiohttp.ClientError, OSError):
        async with asyncio.timeout(_LAST_CHUNK_S):
            while await response.content.readany():
                pass


async def _note_reuse(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    if context.trace_request_ctx is not None:
        context.trace_request_ctx.is_reused = True


async def _refusal(response: aiohttp.ClientResponse) -> ModelFailed:
    """Return what a status from 400 up means; the sentence is read as the official client reads it."""
    text = (await response.content.read(4096)).decode(errors="replace")
    response.close()
    return _failed(ollama.ResponseError(text, response.status), response.headers.get("Retry-After"))


def _failed(error: ollama.ResponseError, retry_after: str | None = None) -> ModelFailed:
    """Translate the official client's error by its status."""
    sentence = f"{error.status_code}: {str(error.error)[:200]}"
    if error.status_code in _OVERLOADED:
        return ModelOverloaded(sentence, retry_after_s=_seconds(retry_after))
    if 400 <= error.status_code < 500:  # noqa: PLR2004 - HTTP's own borders
        return ModelRejected(sentence)
    return ModelBroken(sentence, retry_after_s=_seconds(retry_after))


def _seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After header (RFC 9110 section 10.2.3): seconds or a date; None when there is none to understand."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        when = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _silent(deadline: float) -> ModelStalled:
    if asyncio.get_running_loop().time() >= deadline:
        return ModelLate("the deadline passed before the answer was whole")
    return ModelStalled("the model said nothing for too long")


@asynccontextmanager
async def _official_errors() -> AsyncIterator[None]:
    """Translate what the official client raises."""
    try:
        yield
    except ollama.ResponseError as error:
        raise _failed(error) from error
    except (ConnectionError, httpx.TransportError, httpx.InvalidURL) as error:
        raise ModelUnreachable(f"no connection: {type(error).__name__}") from error
