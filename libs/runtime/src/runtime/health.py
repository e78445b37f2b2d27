"""Liveness, readiness and metrics on the internal port."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[None]]
CHECK_TIMEOUT_S = 2.0


class Health:
    """Named checks; a critical one that fails makes the service not ready, the others are shown only."""

    def __init__(self) -> None:
        self._critical: dict[str, Check] = {}
        self._informational: dict[str, Check] = {}
        self._is_alive: dict[str, Callable[[], bool]] = {}
        self.is_started = False
        self.is_draining = False

    def critical(self, name: str, check: Check) -> None:
        """`check` raises when the part is away."""
        self._critical[name] = check

    def informational(self, name: str, check: Check) -> None:
        """As `critical`, but never a reason to send no more traffic."""
        self._informational[name] = check

    def alive(self, name: str, test: Callable[[], bool]) -> None:
        """False means that only a restart can help."""
        self._is_alive[name] = test

    def is_alive(self) -> bool:
        return all(test() for test in self._is_alive.values())

    async def report(self) -> dict[str, Any]:
        """`ready` and every dependency with its latency in milliseconds."""
        checks = {**self._critical, **self._informational}
        results = await asyncio.gather(*(_run(check) for check in checks.values()))
        dependencies = dict(zip(checks, results, strict=True))
        failed = [name for name in self._critical if not dependencies[name]["ok"]]
        ready = self.is_started and not self.is_draining and not failed
        return {"ready": ready, "draining": self.is_draining, "dependencies": dependencies}


async def _run(check: Check) -> dict[str, Any]:
    begin = time.perf_counter()
    try:
        await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001 - whatever a dependency raises, it is away
        return {"ok": False, "error": type(error).__name__}
    return {"ok": True, "latency_ms": round((time.perf_counter() - begin) * 1000, 2)}


class UnsignalledServer(uvicorn.Server):
    """uvicorn cuts every socket on SIGTERM; here the service decides when it stops (`should_exit`)."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def internal_server(health: Health, host: str, port: int) -> UnsignalledServer:
    """The server of /health/live, /health/ready, /health and /metrics: bare ASGI, a framework would be waste here."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, kind, body = await _answer(health, scope["path"])
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, lifespan="off", ws="none")
    return UnsignalledServer(config)


async def _answer(health: Health, path: str) -> tuple[int, str, bytes]:
    if path == "/metrics":
        return 200, CONTENT_TYPE_LATEST, generate_latest()
    if path == "/health/live":
        alive = health.is_alive()
        return (200 if alive else 503), "application/json", json.dumps({"alive": alive}).encode()
    if path in {"/health/ready", "/health"}:
        report = await health.report()
        return (200 if report["ready"] else 503), "application/json", json.dumps(report).encode()
    return 404, "application/json", b"{}"
