"""A website on loopback: its pages can be changed, taken away and made to fail; it notes who asked for what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Website:
    """Answers from `pages` (path to body), `redirects` and `failing`; `asked` holds paths in order.

    What is in `slow` is answered when `goes_on` is set.
    Those in `hanging` get a byte each so many seconds, without end; `held` of them are under way.
    `retry_after` is said with every failure.
    """

    url: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    hanging: dict[str, float] = field(default_factory=dict)
    retry_after: str | None = None
    held: int = 0
    asked: list[str] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request: a page has an ETag, and is not sent again to who has it."""
        self.asked.append(request.path_qs)
        if request.path_qs in self.slow:
            await self.goes_on.wait()
        if request.path_qs in self.hanging:
            return await self._hang(request, self.hanging[request.path_qs])
        response = self._response(request)
        self.answered.append(response.status)
        return response

    async def _hang(self, request: web.Request, every_s: float) -> web.StreamResponse:
        self.held += 1
        response = web.StreamResponse()
        try:
            while True:
                await asyncio.sleep(every_s)
                if not response.prepared:
                    await response.prepare(request)
                await response.write(b"x")
        finally:
            self.held -= 1

    def _response(self, request: web.Request) -> web.Response:
        path = request.path_qs
        if path in self.failing:
            patience = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return web.Response(status=self.failing[path], headers=patience)
        if path in self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects[path]})
        if path not in self.pages:
            return web.Response(status=404)
        tag = f'"{hash(self.pages[path])}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(body=self.pages[path], headers={"ETag": tag, "Content-Type": "text/html"})


@asynccontextmanager
async def website() -> AsyncIterator[Website]:
    """A site on a free port."""
    site = Website()
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    # who hangs is told when its visitor leaves, and does not outlive the site
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        await runner.cleanup()
