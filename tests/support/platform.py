"""The real platform for tests: `lumora up` in a folder and on ports of its own, whole or in part."""

import asyncio
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from lumora import plan
from lumora.data_folder import DataFolder
from lumora.embedded.secrets import Secrets, load_or_make
from lumora.settings import UpSettings
from tests.support.children import bound
from tests.support.ports import free_ports

READY_S = 120
EVERYTHING = tuple(plan.MODULES)


@dataclass
class Platform:
    """A running `lumora up`."""

    settings: UpSettings
    environment: Mapping[str, str]
    process: "subprocess.Popen[str] | None" = None
    ready: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    _reader: threading.Thread | None = None
    _is_ready: threading.Event = field(default_factory=threading.Event)

    def start(self) -> "Platform":
        """Start and wait for the ready line; in the main thread, with which it ends.

        Raises:
            RuntimeError: it ended, or took too long; the message carries its last lines.
        """
        self.launch()
        return self.wait_ready()

    def launch(self) -> None:
        """Start it; in the main thread, with which it ends."""
        self.lines = []
        self.process = subprocess.Popen(
            bound("-m", "lumora.up", self.settings.to_argument()),
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._is_ready.clear()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_ready(self) -> "Platform":
        """Wait for the ready line; in any thread.

        Raises:
            RuntimeError: it ended, or took too long; the message carries its last lines.
        """
        self._is_ready.wait(READY_S)
        if not self.ready:
            self.kill()
            raise RuntimeError("lumora up did not get ready:\n" + "\n".join(self.lines[-60:]))
        return self

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith('{"event": "ready"'):
                self.ready = json.loads(line)
                self._is_ready.set()
        self._is_ready.set()

    def stop(self, timeout_s: float = 90) -> int:
        """Drain; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        finally:
            self.kill()

    def kill(self) -> None:
        """End everything at once."""
        if self.process is None:
            return
        for process in self.tree():
            with _gone_is_fine():
                process.kill()
        self.process.wait(10)
        if self._reader is not None:
            self._reader.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.ready = {}

    def tree(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        assert self.process is not None
        with _gone_is_fine():
            root = psutil.Process(self.process.pid)
            return [root, *root.children(recursive=True)]
        return []

    def processes(self, service: str) -> list[psutil.Process]:
        """The live processes of a service (`nats` and `postgres` too), oldest first."""
        mark = {"nats": "nats-server", "postgres": "postgres"}.get(service) or plan.MODULES[service]
        found = [process for process in self.tree()[1:] if _runs(process, mark)]
        return sorted(found, key=lambda process: process.create_time())

    def process_of(self, name: str) -> psutil.Process | None:
        """The live process of this name in the log (`gateway-1`); None while there is none."""
        planned = next(process for process in plan.processes(self.settings) if process.name == name)
        variable = f"{planned.service.upper()}_INTERNAL_PORT"
        for process in self.processes(planned.service):
            with _gone_is_fine():
                if process.environ().get(variable) == str(planned.internal_port):
                    return process
        return None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def folder(self) -> DataFolder:
        return DataFolder(Path(self.settings.data))

    @property
    def secrets(self) -> Secrets:
        return load_or_make(self.folder.secrets, users=(), roles=())

    @property
    def nats_url(self) -> str:
        return self._environments().nats_url

    def seed(self, user: str) -> str:
        """The nkey seed of a NATS user."""
        return self.secrets.nkeys[user].seed

    def postgres_url(self, role: str) -> str:
        """As `<service>_app`, `<service>_relay`, `<service>_owner`, or the superuser `lumora`."""
        return self._environments().postgres_url(role)

    def env(self, service: str, internal_port: int) -> dict[str, str]:
        """The variables with which one more process of a service can be run beside."""
        process = plan.Process(service, 9, f"{service}-test", internal_port)
        return self._environments().of(process)

    def process_names(self) -> tuple[str, ...]:
        """Its processes, as the log names them."""
        return tuple(process.name for process in plan.processes(self.settings))

    def gateway_names(self) -> tuple[str, ...]:
        return tuple(process.name for process in plan.processes(self.settings) if process.service == "gateway")

    def worker_names(self) -> tuple[str, ...]:
        return tuple(process.name for process in plan.processes(self.settings) if process.service == "inference")

    def internal_port(self, name: str) -> int:
        """Health and metrics of a process, by its name in the log (`inference-1`)."""
        return next(process.internal_port for process in plan.processes(self.settings) if process.name == name)

    def _environments(self) -> plan.Environments:
        ports = json.loads(self.folder.ports.read_text(encoding="utf-8"))
        return plan.Environments(self.settings, self.folder, self.secrets, ports, "test")


def make_platform(
    *,
    only: tuple[str, ...] = (),
    gateways: int = 1,
    workers: int = 1,
    is_demo: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Platform:
    """A platform that is not started yet, in a new folder, on free ports."""
    data = tempfile.mkdtemp(prefix="lumora-test-")
    Path(data).chmod(0o711)
    public = free_ports(gateways)
    internal = free_ports(12 + gateways + workers)
    settings = UpSettings(
        port=public,
        internal_port=internal,
        data=data,
        is_demo=is_demo,
        gateways=gateways,
        workers=workers,
        only=only,
        is_json=True,
        is_verbose=False,
    )
    return Platform(settings, dict(environment or {}))


async def eventually(check: Any, *, timeout_s: float = 20, every_s: float = 0.05) -> Any:
    """Wait until `check()` (plain or async) gives something true, and return it.

    Raises:
        AssertionError: it never did; the last value or error is named.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    last: Any = None
    while asyncio.get_running_loop().time() < deadline:
        try:
            last = check()
            if asyncio.iscoroutine(last):
                last = await last
            if last:
                return last
        except AssertionError as error:
            last = error
        await asyncio.sleep(every_s)
    raise AssertionError(f"not within {timeout_s} s; last: {last!r}")


def _runs(process: psutil.Process, mark: str) -> bool:
    with _gone_is_fine():
        return any(mark in part for part in process.cmdline())
    return False


class _gone_is_fine:  # noqa: N801 - reads as a word in a with statement
    """A process may end while we look at it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: object) -> bool:
        return kind is not None and issubclass(kind, (psutil.Error, ProcessLookupError))
