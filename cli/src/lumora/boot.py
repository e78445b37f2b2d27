"""Brings the platform up in order, and down again."""

import asyncio
import json
import secrets as random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lumora import checks, plan, ports
from lumora.data_folder import DataFolder, Recorded
from lumora.embedded import nats, postgres
from lumora.embedded.secrets import load_or_make
from lumora.leftovers import end_leftovers
from lumora.log_view import Line
from lumora.one_shot import OneShot
from lumora.probe import answers_ready
from lumora.refused import Refused, StartFailed
from lumora.settings import UpSettings
from lumora.supervise import Child, ChildSpec, Supervisor, own_line

_SERVERS, _SERVICES = 0, 1
_LOOK_EVERY_S = 0.05
_READY_WITHIN_S = 120.0
_DEATHS_BEFORE_GIVING_UP = 5


class Platform:
    """Everything that runs below one `lumora up`."""

    def __init__(self, settings: UpSettings, say: Callable[[Line], None]) -> None:
        self.url = f"http://{ports.LOOPBACK}:{settings.port}"
        self.demo: dict[str, Any] | None = None
        self._settings = settings
        self._say = say
        self._folder = DataFolder(Path(settings.data))
        self._planned = plan.processes(settings)
        self._run = random.token_hex(8)
        self._supervisor = Supervisor(say, self._record)

    async def boot(self) -> None:
        """Check, then start Postgres and NATS, provision them, start the services, seed the demo.

        Raises:
            Refused: something the person has to change.
        """
        cluster, binaries = self._prepare()
        kept = ports.keep_ports(self._folder.ports, ("nats", "postgres"))
        secrets = load_or_make(self._folder.secrets, users=plan.nats_users(), roles=plan.postgres_roles())
        told = plan.Environments(self._settings, self._folder, secrets, kept, self._run)
        if not cluster.exists:
            self._tell("postgres.make", f"Making the database in {self._folder.postgres}.")
            cluster.make(secrets.passwords[postgres.SUPERUSER])
        await self._start_servers(told, binaries, cluster)
        services = self._supervisor.start([self._service(process, told) for process in self._planned], tier=_SERVICES)
        await self._until_ready(services)
        if self._settings.is_demo and not self._settings.only:
            await self._seed(told)

    def _prepare(self) -> tuple[postgres.PostgresCluster, checks.Binaries]:
        self._folder.prepare()
        self._folder.lock()
        checks.require_space(self._folder.path)
        binaries = checks.find_binaries()
        user = postgres.server_user()
        ended = end_leftovers(self._folder)
        if ended:
            names = ", ".join(sorted({entry.name for entry in ended}))
            self._tell("leftovers.ended", f"An earlier run was cut off; ended what it left: {names}.")
        ports.require_free(plan.public_ports(self._settings, self._planned), "LUMORA_PORT")
        internal = {process.internal_port: process.name for process in self._planned}
        ports.require_free(internal, "LUMORA_INTERNAL_PORT")
        return postgres.PostgresCluster(self._folder.postgres, binaries, user), binaries

    def _postgres(self, cluster: postgres.PostgresCluster, told: plan.Environments) -> ChildSpec:
        async def is_ready(pid: int) -> bool:
            return postgres.is_up(cluster.folder, pid)

        return ChildSpec(
            name="postgres",
            argv=tuple(cluster.command()),
            env=told.plain(),
            is_ready=is_ready,
            stop_signal=signal.SIGINT,
            kill_signal=signal.SIGQUIT,
            death_signal=signal.SIGINT,
            before=lambda: cluster.configure(told.port("postgres")),
            launcher=lambda command: cluster.launcher(death_signal=signal.SIGINT, command=command),
        )

    async def _start_servers(
        self, told: plan.Environments, binaries: checks.Binaries, cluster: postgres.PostgresCluster
    ) -> None:
        """Start Postgres, and NATS as soon as its configuration is written; make in both what the services need.

        Raises:
            Refused: a server does not come up, or the provisioning failed.
        """
        work = OneShot("provision", [sys.executable, "-m", "lumora.prepare"], told.preparing(), self._say)
        configured = work.event("nats.configured")

        async def start_nats() -> None:
            await configured.wait()
            await self._until_ready(self._supervisor.start([self._nats(told, binaries)], tier=_SERVERS))

        try:
            async with asyncio.TaskGroup() as together:
                started = self._supervisor.start([self._postgres(cluster, told)], tier=_SERVERS)
                together.create_task(self._until_ready(started))
                together.create_task(start_nats())
                together.create_task(work.run())
        except* Refused as refused:
            raise refused.exceptions[0] from None

    def _nats(self, told: plan.Environments, binaries: checks.Binaries) -> ChildSpec:
        async def is_ready(_pid: int) -> bool:
            return await nats.is_up(told.port("nats"))

        return ChildSpec(
            name="nats",
            argv=(str(binaries.nats_server), "--config", str(self._folder.nats / "nats.conf")),
            env=nats.environment(told.plain()),
            is_ready=is_ready,
        )

    def _service(self, process: plan.Process, told: plan.Environments) -> ChildSpec:
        async def is_ready(_pid: int) -> bool:
            return await answers_ready(process.internal_port)

        return ChildSpec(name=process.name, argv=process.argv, env=told.of(process), is_ready=is_ready)

    async def _until_ready(self, children: list[Child]) -> None:
        """Wait until each is ready once.

        Raises:
            StartFailed: one keeps dying, or is not ready in two minutes.
        """
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                await asyncio.gather(*(self._until_one_is_ready(child) for child in children))
        except TimeoutError:
            late = ", ".join(child.spec.name for child in children if not child.was_ready)
            raise StartFailed(f"Not ready after {_READY_WITHIN_S:g} s: {late}. The lines above say why.") from None

    async def _until_one_is_ready(self, child: Child) -> None:
        while not await child.ready():
            if child.deaths_before_ready >= _DEATHS_BEFORE_GIVING_UP:
                told = "\n".join(child.last_lines) or "(nothing)"
                raise StartFailed(f"{child.spec.name} ends each time it is started. What it said last:\n{told}")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _seed(self, told: plan.Environments) -> None:
        if not self._folder.demo.exists():
            self._tell("demo.seed", "Making the demo business and reading its documents.")
        environment = {**told.plain(), "LUMORA_URL": self.url, "LUMORA_DATA": str(self._folder.path)}
        await OneShot("seed", [sys.executable, "-m", "lumora.seed"], environment, self._say).run()
        content = json.loads(self._folder.demo.read_text(encoding="utf-8"))
        self.demo = {name: content[name] for name in ("email", "password", "agent_id", "api_key")}

    async def stop(self) -> None:
        """Drain the services, then stop the servers."""
        await self._supervisor.stop()

    def kill(self) -> None:
        """End everything now; the data survives that."""
        self._supervisor.kill()

    def _record(self, children: list[Child]) -> None:
        running = [(child.spec, child.pid) for child in children]
        rows = [Recorded(spec.name, pid, spec.argv, self._run) for spec, pid in running if pid is not None]
        try:
            self._folder.record(rows)
        except Refused as refused:
            # A full disk must not end the supervision of what runs; the record only helps after a crash.
            self._say(own_line("warning", "processes.not_recorded", str(refused)))

    def _tell(self, event: str, sentence: str) -> None:
        self._say(own_line("info", event, sentence))
