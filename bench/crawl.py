"""How long does a site take until all its pages are knowledge? Beside a client that only fetches them one by one.

    make bench b=crawl                                           # a minute
    make bench b=crawl ARGS="--pages 200 --latencies 0.02 1"

A site on loopback answers each request after so many seconds. Its first page links to all others and is registered with
depth 1 through a real platform's public API. Visits to one site come one at a time, so that the client that only
fetches is the least that it can take.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web

from tests.support import imports
from tests.support.stage import Stage, open_stage

WITHIN_S = 1_800.0
PAGE = (
    "<html><head><title>Page {0}</title></head><body><h1>Page {0}</h1><p>Tent {0} weighs {0} kg.</p>{1}</body></html>"
)


@asynccontextmanager
async def site(pages: int, latency_s: float) -> AsyncIterator[str]:
    """Its address."""
    links = "".join(f'<p><a href="/{number}">Tent {number}</a></p>' for number in range(1, pages + 1))

    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(latency_s)
        name = request.match_info["name"]
        if name and not name.isdigit():
            return web.Response(status=404)
        return web.Response(text=PAGE.format(name or "0", "" if name else links), content_type="text/html")

    app = web.Application()
    app.router.add_get("/{name:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def fetched_s(url: str, pages: int) -> float:
    begun = time.monotonic()
    async with ClientSession() as session:
        for number in range(pages + 1):
            async with session.get(f"{url}/{number or ''}") as answer:
                await answer.read()
    return time.monotonic() - begun


async def ready_s(stage: Stage, url: str, pages: int) -> float:
    business = await stage.business()
    begun = time.monotonic()
    await business.call("POST", "/api/documents", json={"url": f"{url}/", "depth": 1})
    found = await imports.until_at_rest(stage, business, pages + 1, timeout_s=WITHIN_S)
    if failed := [row.filename for row in found if row.state != "ready"]:
        raise SystemExit(f"pages failed: {failed[:3]}")
    return time.monotonic() - begun


async def measure(pages: int, latencies_s: list[float]) -> None:
    print(f"| a request takes, s | {pages} pages fetched, s | ready, s | ratio | s a page |\n" + "| ---: " * 5 + "|")
    async with open_stage(environment={"INGEST_WEB_PRIVATE_NETWORKS": '["127.0.0.0/8"]'}) as stage:
        for latency_s in latencies_s:
            async with site(pages, latency_s) as url:
                alone, ready = await fetched_s(url, pages), await ready_s(stage, url, pages)
            print(
                f"| {latency_s:g} | {alone:.1f} | {ready:.1f} | {ready / alone:.2f} | {ready / pages:.2f} |", flush=True
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--latencies", type=float, nargs="+", default=[0.02, 0.3], help="seconds; several in a row")
    given = parser.parse_args()
    asyncio.run(measure(given.pages, given.latencies))


if __name__ == "__main__":
    main()
