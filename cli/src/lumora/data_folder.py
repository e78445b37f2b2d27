"""The one folder that holds everything `lumora up` keeps, its lock, and the processes that were started from it."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumora.refused import AlreadyRunning, DiskFull, Refused

#: What Lumora may put into the folder: `clean` deletes these and nothing else.
ENTRIES = (
    "demo.json",
    "files",
    "index",
    "nats",
    "ports.json",
    "postgres",
    "postgres.new",
    "postgres.password",
    "processes.json",
    "history",
    "secrets.json",
    "snapshots",
    "up.lock",
    "lumora-data.txt",
)
MARKER = "lumora-data.txt"
_MARKER_TEXT = "This folder holds the data of a Lumora platform. `lumora clean` deletes it; nothing else should.\n"


@dataclass(frozen=True)
class Recorded:
    """A process that an earlier `up` started: enough to know it again, whatever its pid is used for by now."""

    name: str
    pid: int
    argv: tuple[str, ...]
    run: str


class DataFolder:
    """Paths below LUMORA_DATA."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def secrets(self) -> Path:
        """Keys and passwords, mode 0600."""
        return self.path / "secrets.json"

    @property
    def demo(self) -> Path:
        """Login and key of the demo business, mode 0600."""
        return self.path / "demo.json"

    @property
    def ports(self) -> Path:
        """The ports NATS and Postgres were given first, kept over restarts."""
        return self.path / "ports.json"

    @property
    def nats(self) -> Path:
        """nats.conf and the JetStream store."""
        return self.path / "nats"

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.path / "postgres"

    @property
    def files(self) -> Path:
        """The object store: inbox, originals, outbox."""
        return self.path / "files"

    @property
    def index(self) -> Path:
        """The vector index."""
        return self.path / "index"

    @property
    def snapshots(self) -> Path:
        """Copies of the vector index."""
        return self.path / "snapshots"

    @property
    def history(self) -> Path:
        """Questions typed into `lumora chat`."""
        return self.path / "history"

    def prepare(self) -> None:
        """Make the folder, closed to other users, and mark it as ours.

        Raises:
            Refused: the folder is somebody else's, or cannot be made.
            DiskFull: no room for even the marker.
        """
        marker = self.path / MARKER
        try:
            if self.path.is_dir() and not marker.exists() and any(self.path.iterdir()):
                raise Refused(f"{self.path} holds something that is not Lumora's: set LUMORA_DATA to another folder.")
            self.path.mkdir(parents=True, exist_ok=True)
            # Postgres refuses root and runs as another user there: that user may pass through, not look inside.
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            if not marker.exists():
                marker.write_text(_MARKER_TEXT, encoding="utf-8")
        except OSError as error:
            raise refusal(error, self.path) from error

    def is_ours(self) -> bool:
        """Whether a platform was ever started on this folder."""
        return (self.path / MARKER).is_file()

    def lock(self) -> int:
        """Take the folder for this process; the kernel gives it back however the process ends.

        Raises:
            AlreadyRunning: another `up` has it.
        """
        descriptor = os.open(self.path / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning(
                f"Lumora already runs on {self.path} (process {self.owner() or 'unknown'}): "
                "stop it with `lumora down`, or set LUMORA_DATA and LUMORA_PORT for a second one."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor

    def owner(self) -> int | None:
        """The pid of the `up` that holds the folder now, if one does."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            descriptor = os.open(self.path / "up.lock", os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(os.pread(descriptor, 20, 0))
            finally:
                os.close(descriptor)
        return None

    def record(self, processes: list[Recorded]) -> None:
        """Note which processes run, so that a later start can end what a crash left behind."""
        rows = [{"name": p.name, "pid": p.pid, "argv": p.argv, "run": p.run} for p in processes]
        write_private(self.path / "processes.json", rows)

    def recorded(self) -> list[Recorded]:
        """What `record` noted last; an unreadable file counts as nothing."""
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            rows = json.loads((self.path / "processes.json").read_text(encoding="utf-8"))
            return [Recorded(r["name"], int(r["pid"]), tuple(r["argv"]), r["run"]) for r in rows]
        return []

    def present(self) -> list[tuple[Path, int]]:
        """What there is to delete: (path, bytes)."""
        paths = [self.path / name for name in ENTRIES]
        return [(path, size_of(path)) for path in paths if path.exists()]

    def delete(self) -> None:
        """Delete what is ours; the folder too if that leaves it empty."""
        for path, _ in self.present():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        with contextlib.suppress(OSError):
            self.path.rmdir()


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    if not path.is_dir():
        return path.stat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())


def write_private(path: Path, content: Any) -> None:
    """Write JSON so that only we can read it, and so that a crash leaves the old file or the new one.

    Raises:
        DiskFull: there is no room.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise refusal(error, path.parent) from error


def refusal(error: OSError, path: Path) -> Refused:
    """Say what a file-system error under `path` asks of the person."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"The disk that holds {path} is full: free some space, or set LUMORA_DATA to another disk.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Refused(
            f"{path} cannot be written by this user: change its owner, or set LUMORA_DATA to another folder."
        )
    return Refused(f"{path} cannot be used ({error.strerror}): set LUMORA_DATA to another folder.")
