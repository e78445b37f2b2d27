"""Which processes the platform has, and what each is told: the same variables as in production, other URLs."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lumora.data_folder import DataFolder
from lumora.embedded.postgres import SUPERUSER
from lumora.embedded.secrets import Secrets
from lumora.leftovers import RUN_VARIABLE
from lumora.ports import LOOPBACK
from lumora.settings import UpSettings

DATABASE = "lumora"
#: Service and the module that runs it, in the order of their internal ports.
MODULES = {
    "operator": "runtime.operator",
    "auth": "auth_service",
    "filter": "filter_service",
    "ingest": "ingest_service",
    "learning": "learning_service",
    "inference": "inference_service",
    "gateway": "gateway_service",
}
# Optional packages that NATS's client, the log and telemetry would import only because another part has them.
_OPTIONAL = ("aiohttp", "psutil", "rich")
_UNUSED = dict.fromkeys(MODULES, _OPTIONAL) | dict.fromkeys(("inference", "ingest"), ("psutil", "rich"))
WITH_DATABASE = ("auth", "filter", "ingest", "learning", "inference")
_ROLES = ("owner", "app", "relay")
_NATS_USERS = (*MODULES, "provisioner", "system")


@dataclass(frozen=True)
class Process:
    """One process of a service; `number` counts replicas from 0."""

    service: str
    number: int
    name: str
    internal_port: int

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that runs it."""
        return (sys.executable, "-m", "lumora.embedded.serve", MODULES[self.service], *_UNUSED[self.service])


def nats_users() -> tuple[str, ...]:
    """Everyone who signs in to NATS."""
    return _NATS_USERS


def postgres_roles() -> tuple[str, ...]:
    """Everyone who signs in to Postgres: the superuser, and each service's owner, handlers and relay."""
    return (SUPERUSER, *(f"{service}_{role}" for service in WITH_DATABASE for role in _ROLES))


def processes(settings: UpSettings) -> list[Process]:
    """The processes to start, each with its own internal port."""
    return [
        Process(service, number, name, settings.internal_port + place)
        for place, (service, number, name) in enumerate(_replicas(settings))
    ]


def _replicas(settings: UpSettings) -> Iterator[tuple[str, int, str]]:
    counts = {"inference": settings.workers, "gateway": settings.gateways}
    for service in MODULES:
        if settings.only and service not in settings.only:
            continue
        count = counts.get(service, 1)
        for number in range(count):
            yield service, number, service if count == 1 else f"{service}-{number + 1}"


def public_ports(settings: UpSettings, planned: list[Process]) -> dict[int, str]:
    """The ports that clients use: one a gateway, from LUMORA_PORT on."""
    return {settings.port + process.number: process.name for process in planned if process.service == "gateway"}


class Environments:
    """What each process is told."""

    def __init__(
        self, settings: UpSettings, folder: DataFolder, secrets: Secrets, ports: Mapping[str, int], run: str
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._secrets = secrets
        self._ports = ports
        self._run = run

    def plain(self) -> dict[str, str]:
        """What every process gets: our own environment, and whose run it belongs to."""
        return {**os.environ, RUN_VARIABLE: self._run, "PYTHONUNBUFFERED": "1"}

    def postgres_url(self, role: str, database: str = DATABASE) -> str:
        """Where and as whom; the password is URL-safe."""
        return f"postgresql://{role}:{self._secrets.passwords[role]}@{LOOPBACK}:{self._ports['postgres']}/{database}"

    def preparing(self) -> dict[str, str]:
        """What the one-shot needs that writes nats.conf and provisions both servers."""
        return {
            **self.plain(),
            "LUMORA_DATA": str(self._folder.path),
            "LUMORA_NATS_PORT": str(self._ports["nats"]),
            "LUMORA_POSTGRES_PORT": str(self._ports["postgres"]),
        }

    def port(self, server: str) -> int:
        """Where `nats` or `postgres` listens."""
        return self._ports[server]

    @property
    def nats_url(self) -> str:
        """Where NATS listens."""
        return f"nats://{LOOPBACK}:{self._ports['nats']}"

    def of(self, process: Process) -> dict[str, str]:
        """The variables of one service's process."""
        own = {
            "NATS_URL": self.nats_url,
            "NATS_SEED": self._secrets.nkeys[process.service].seed,
            "INTERNAL_HOST": LOOPBACK,
            "INTERNAL_PORT": str(process.internal_port),
        }
        if process.service in WITH_DATABASE:
            own["DATABASE_URL"] = self.postgres_url(f"{process.service}_app")
            own["RELAY_URL"] = self.postgres_url(f"{process.service}_relay")
        own.update(self._special(process))
        prefix = process.service.upper()
        return {**self.plain(), **{f"{prefix}_{name}": value for name, value in own.items()}}

    def _special(self, process: Process) -> dict[str, str]:
        files = self._folder.files.as_uri()
        match process.service:
            case "operator":
                return {"PROVISIONER_SEED": self._secrets.nkeys["provisioner"].seed, **_limits("TENANT_RUNNING")}
            case "auth":
                return {"MASTER_KEY": self._secrets.master_key}
            case "ingest":
                index, snapshots = str(self._folder.index), str(self._folder.snapshots)
                return {"FILES_URL": files, "INDEX_PATH": index, "SNAPSHOT_PATH": snapshots}
            case "inference":
                return _limits("TENANT_RUNNING", "TENANT_QUEUED", "WORKER_SLOTS", "MODEL_SLOTS", "HEDGING")
            case "gateway":
                port, replicas = str(self._settings.port + process.number), str(self._settings.gateways)
                own = {"HOST": LOOPBACK, "PORT": port, "REPLICAS": replicas, "FILES_URL": files}
                return {**own, **_limits("REQUESTS_PER_MINUTE")}
            case _:
                return {}


def _limits(*names: str) -> dict[str, str]:
    """The platform's limits that were set, as LUMORA_<name>; a service knows its own defaults."""
    return {name: os.environ[f"LUMORA_{name}"] for name in names if os.environ.get(f"LUMORA_{name}")}
