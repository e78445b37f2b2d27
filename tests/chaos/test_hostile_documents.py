"""Documents that are made to do harm, read by the real platform while another business goes on with its own."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import hostile_documents
from tests.support.business import Business
from tests.support.hostile_documents import Hostile
from tests.support.platform import eventually
from tests.support.report import Played, Tell
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(480)]

PROMISED_S = 30
PATIENCE_S = 150
"""A reader has 15 s of a processor and gives way to everything else: on a machine that is busy with other tests that
may take until the limit by the clock, 120 s."""
MOST_MEMORY = 512_000_000
SIMPLE = "# Opening hours {n}\n\nWe are open from nine to five, on day {n} as on any other.\n"


MAY_BE_READ = {"deep-nesting.pdf"}
"""Harmless to a reader that does not follow what it need not follow."""


async def test_case_16_hostile_documents(stage: Stage, tell: Tell) -> None:
    attacker, bystander = await stage.business(), await stage.business()
    (before,) = stage.platform.processes("ingest")[:1]
    stop = asyncio.Event()
    ends: dict[str, tuple[str | None, float]] = {}
    reading = asyncio.create_task(_read_on(bystander, stop))
    try:
        for name, make in hostile_documents.MAKERS.items():
            ends[name] = await _outcome(attacker, Hostile(name, await asyncio.to_thread(make)))
    finally:
        stop.set()
        read = await reading

    assert {name for name, (code, _) in ends.items() if code is None} <= MAY_BE_READ
    slowest = max(ends, key=lambda name: ends[name][1])
    peaks = await _peaks(stage)
    codes = sorted({str(code) for code, _ in ends.values()})
    slowest_s = ends[slowest][1]
    line = (
        f"{len(ends)} hostile documents: {', '.join(codes)}; slowest {slowest}, "
        f"{slowest_s:.1f} s ({PROMISED_S} promised); no reader above "
        f"{MOST_MEMORY / 1e6:.0f} MB; {read} documents of another business read meanwhile"
    )
    tell(Played("16", line, slowest_s))
    assert read >= len(ends)
    assert peaks["512000000.0"] == peaks["+Inf"] > len(ends)
    assert stage.platform.processes("ingest")[0] == before, "the worker did not outlive them"
    assert _named(stage.platform.settings.data, "climbed*") == []


def _named(folder: str, pattern: str) -> list[Path]:
    return list(Path(folder).rglob(pattern))


async def _outcome(business: Business, hostile: Hostile) -> tuple[str | None, float]:
    """The code with which it or a file of it was refused or failed, None if it was read; and the seconds that took."""
    begun = time.monotonic()
    form = {"file": (hostile.name, hostile.data, "application/octet-stream")}
    answer = await business.rest.request("POST", "/api/documents", headers=business.bearer, files=form)
    if answer.is_client_error:
        return str(answer.json()["code"]), time.monotonic() - begun
    ended = await _end(business, answer.json()["id"], timeout_s=PATIENCE_S)
    refused = [ended, *await _failed_of(business, ended)]
    codes = [each["error"]["code"] for each in refused if each["error"] is not None]
    return next(iter(codes), None), time.monotonic() - begun


async def _failed_of(business: Business, archive: Any) -> Any:
    """What came of an archive and failed, once all of it is at rest."""

    async def are_all_at_rest() -> bool:
        told = await business.call("GET", f"/api/documents/{archive['id']}")
        return bool(told["led_to"] == told["led_to_ready"] + told["led_to_failed"])

    await eventually(are_all_at_rest, timeout_s=PATIENCE_S, every_s=0.25)
    return (await business.call("GET", f"/api/documents?came_of={archive['id']}&state=failed"))["items"]


async def _end(business: Business, document_id: str, *, timeout_s: float) -> Any:
    async def look() -> Any:
        now = await business.call("GET", f"/api/documents/{document_id}")
        return now if now["state"] in {"ready", "failed"} else None

    return await eventually(look, timeout_s=timeout_s, every_s=0.25)


async def _read_on(business: Business, stop: asyncio.Event) -> int:
    """One document after the other until told to stop; how many were read."""
    count = 0
    while not stop.is_set():
        form = {"file": ("hours.md", SIMPLE.format(n=count).encode(), "text/markdown")}
        document = await business.call("POST", "/api/documents", files=form)
        ended = await _end(business, document["id"], timeout_s=PATIENCE_S)
        assert ended["state"] == "ready", ended
        count += 1
    return count


async def _peaks(stage: Stage) -> dict[str, float]:
    """How many readers needed at most so many bytes, as the service counts them."""
    answer = await stage.rest.get(f"http://127.0.0.1:{stage.platform.internal_port('ingest')}/metrics")
    found = re.findall(r'ingest_read_peak_bytes_bucket\{le="([^"]+)"\} (\S+)', answer.text)
    return {bound if bound == "+Inf" else str(float(bound)): float(count) for bound, count in found}
