"""Reads a provider's stream of tokens below its official client, with aiohttp: a third of the client's CPU.

The official client says where to ask and with which headers; a reader says what the bytes mean.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Final, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson

from inference_service.domain.errors import ModelBroken, ModelUnreachable
from inference_service.domain.model import End, Pieces, Timeouts
from inference_service.outbound.http_refusals import refused, silent

_OWN_HEADERS: Final = frozenset({"accept-encoding", "connection", "content-length", "host"})
"""Headers that the transport sets itself."""

_LAST_CHUNK_S: Final = 0.2
"""How long to wait for the end of the body after the last event, so that the connection can be used again."""


class Reader(Protocol):
    """What one stream's bytes mean."""

    @property
    def is_over(self) -> bool:
        """The provider said that the answer is whole."""
        ...

    def feed(self, data: bytes) -> tuple[str, ...]:
        """Return the pieces of text that became whole. Raises ModelFailed."""
        ...

    def close(self) -> tuple[str, ...]:
        """Note that the body ended, and return what only its end made whole; `is_over` says whether it may end.

        Raises ModelFailed.
        """
        ...

    def end(self) -> End:
        """Return the End, once it is over."""
        ...


class TokenStreams:
    """Connections to one provider. Make it inside a running loop; `close` it."""

    def __init__(self, url: str, headers: Mapping[str, object], timeouts: Timeouts, connections: int = 512) -> None:
        self._url = url
        self._timeouts = timeouts
        kept = {name: value for name, value in headers.items() if isinstance(value, str)}
        sent = {name: value for name, value in kept.items() if name.lower() not in _OWN_HEADERS}
        sent["Accept-Encoding"] = "identity"  # a compressed stream would arrive late
        # Servers commonly drop idle connections after 75 s: ours go first.
        self._pooled = self._session(sent, aiohttp.TCPConnector(limit=connections, keepalive_timeout=30))
        self._unpooled = self._session(sent, aiohttp.TCPConnector(limit=connections, force_close=True))

    async def close(self) -> None:
        """Close all connections; streams that still run break."""
        await self._pooled.close()
        await self._unpooled.close()

    async def read(
        self, body: Mapping[str, object], reader: Reader, deadline: float
    ) -> AsyncGenerator[Pieces | End, None]:
        """Post the question and give the answer's pieces and End; see `domain.model.Model.stream`."""
        loop = asyncio.get_running_loop()
        speaks_by = min(loop.time() + self._timeouts.first_token_s, deadline)
        response = await self._ask(orjson.dumps(body), speaks_by=speaks_by, deadline=deadline)
        silence, now = _Silence(response, loop), loop.time()
        try:
            while not reader.is_over:
                if now >= deadline:
                    raise silent(deadline)
                silence.begins(speaks_by)
                data = await response.content.readany()
                silence.ends()
                if texts := reader.feed(data) if data else reader.close():
                    yield Pieces(texts)
                if not data:
                    break
                now = loop.time()
                speaks_by = min(now + self._timeouts.stall_s, deadline)
            if not reader.is_over:
                raise ModelBroken("the stream ended without its end mark")
            await _drain(response)
            yield reader.end()
        except (aiohttp.ClientError, OSError) as error:
            if silence.has_struck:
                raise silent(deadline) from None
            raise ModelBroken(f"the stream broke off: {type(error).__name__}") from error
        finally:
            silence.stop()
            response.close()  # at once: this is how a stop reaches the model

    def _session(self, headers: dict[str, str], connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_note_reuse)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect_s)
        return aiohttp.ClientSession(
            headers=headers, connector=connector, timeout=limits, trace_configs=[trace], proxy=_proxy(self._url)
        )

    async def _ask(self, body: bytes, *, speaks_by: float, deadline: float) -> aiohttp.ClientResponse:
        """Send the question and return the answer's open stream."""
        try:
            async with asyncio.timeout_at(speaks_by):
                response = await self._post(body)
                if response.status >= 400:  # noqa: PLR2004 - HTTP's own border
                    words = await response.content.read(4096)
                    response.close()
                    raise refused(response.status, words, response.headers)
                return response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ModelUnreachable(f"no connection: {type(error).__name__}") from error
        except TimeoutError as error:
            raise silent(deadline) from error
        except aiohttp.InvalidURL as error:
            raise ModelUnreachable("the server's address is not valid") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ModelBroken(f"the connection broke before the answer: {type(error).__name__}") from error

    async def _post(self, body: bytes) -> aiohttp.ClientResponse:
        """Post, and once more when a connection from the pool turns out to be stale: nothing was answered on it yet."""
        note = SimpleNamespace(is_reused=False)
        try:
            return await self._pooled.post(self._url, data=body, trace_request_ctx=note, allow_redirects=False)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            if not note.is_reused:
                raise
            return await self._unpooled.post(self._url, data=body, allow_redirects=False)


def _proxy(url: str) -> str | None:
    """The environment's proxy for this address, with who we are to it.

    Read once: aiohttp would read the environment, and look for a .netrc in a thread, for every question.
    """
    address = urlsplit(url)
    return None if proxy_bypass(address.hostname or "") else getproxies().get(address.scheme)


class _Silence:
    """Closes a response on which nothing came in time, so that whoever reads it wakes up.

    A timer for each read would cost a fifth of reading; this one is moved only when it fires. It does not run while
    nobody reads: a slow consumer is not a silent server.
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


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the end of the body, which gives the connection back to the pool; the answer is whole without it."""
    with suppress(aiohttp.ClientError, OSError):
        async with asyncio.timeout(_LAST_CHUNK_S):
            while await response.content.readany():
                pass


async def _note_reuse(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    if context.trace_request_ctx is not None:
        context.trace_request_ctx.is_reused = True
