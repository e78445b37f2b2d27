"""The embedded Postgres: the cluster is made once, configured at each start, and run as our own child.

Passwords (SCRAM) on loopback TCP are the only way in: the wheel's own default trusts every local connection, so that
any service could log in as any role.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lumora.checks import Binaries
from lumora.ports import LOOPBACK
from lumora.refused import Refused, StartFailed
from lumora.spawn import launcher

if TYPE_CHECKING:
    import psutil

#: Made by initdb; creates the services' roles and is used for nothing else.
SUPERUSER = "lumora"

# One small machine: 32 MiB of buffers, one statement at a time per session, no compilation (it costs more than our
# short statements take), no extra processes for reading. Durability is never traded: fsync, full pages, checksums.
_SETTINGS = {
    "listen_addresses": f"'{LOOPBACK}'",
    "unix_socket_directories": "''",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "80",
    "shared_buffers": "'32MB'",
    "work_mem": "'4MB'",
    "maintenance_work_mem": "'32MB'",
    "effective_cache_size": "'512MB'",
    "huge_pages": "off",
    "jit": "off",
    "io_method": "'sync'",
    "max_worker_processes": "4",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "autovacuum_max_workers": "2",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "'replica'",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "'256MB'",
    "min_wal_size": "'32MB'",
    "checkpoint_completion_target": "0.9",
    "log_destination": "'stderr'",
    "logging_collector": "off",
    "log_line_prefix": "''",
    "log_checkpoints": "off",
    # Log lines hold no values of statements: they may be personal.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "'panic'",
    "log_error_verbosity": "'terse'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
_STATUS_LINE = 7
_HBA = f"host all all {LOOPBACK}/32 scram-sha-256\n"


@dataclass(frozen=True)
class ServerUser:
    """Who runs Postgres when we are root, which it refuses to be."""

    uid: int
    gid: int


def server_user() -> ServerUser | None:
    """The user to become: none unless we are root, then LUMORA_POSTGRES_USER or `nobody`.

    Raises:
        Refused: there is no such user.
    """
    if os.geteuid() != 0:
        return None
    name = os.environ.get("LUMORA_POSTGRES_USER", "nobody")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise Refused(
            f"Postgres does not run as root, and there is no user `{name}` to run it as: "
            "set LUMORA_POSTGRES_USER to an unprivileged user, or start Lumora as one."
        ) from None
    if entry.pw_uid == 0:
        raise Refused("LUMORA_POSTGRES_USER must name an unprivileged user: Postgres does not run as root.")
    return ServerUser(entry.pw_uid, entry.pw_gid)


class PostgresCluster:
    """The files of the database, and the command that serves them."""

    def __init__(self, folder: Path, binaries: Binaries, user: ServerUser | None) -> None:
        self.folder = folder
        self.binaries = binaries
        self.user = user

    @property
    def exists(self) -> bool:
        """Whether the cluster was made (completely: it is renamed into place at the end)."""
        return (self.folder / "PG_VERSION").is_file()

    def make(self, superuser_password: str) -> None:
        """Run initdb beside the final place and rename: a crash half-way leaves nothing that looks finished.

        Raises:
            StartFailed: initdb's own last line.
        """
        fresh = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = self.folder.with_name("postgres.password")
        password.touch(mode=0o600)
        password.write_text(superuser_password + "\n", encoding="utf-8")
        try:
            self._own(fresh)
            self._own(password)
            self._initdb(fresh, password)
        finally:
            password.unlink()
        fresh.replace(self.folder)

    def _initdb(self, fresh: Path, password: Path) -> None:
        options = ["--username", SUPERUSER, "--pwfile", str(password), "--encoding", "UTF8", "--auth", "scram-sha-256"]
        locale = ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C", "--no-instructions"]
        command = [str(self.binaries.initdb), "--pgdata", str(fresh), *options, *locale]
        ran = subprocess.run(  # noqa: S603 - our own initdb, no shell
            self.launcher(death_signal=9, command=command), capture_output=True, text=True, check=False, cwd="/"
        )
        if ran.returncode != 0:
            raise StartFailed(
                f"Postgres could not make its database in {fresh}: {_last_line(ran.stderr or ran.stdout)}"
            )

    def configure(self, port: int) -> None:
        """Write postgresql.conf and pg_hba.conf, before each start."""
        settings = {**_SETTINGS, "port": str(port)}
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        for name, content in (("postgresql.conf", text), ("pg_hba.conf", _HBA), ("pg_ident.conf", "")):
            path = self.folder / name
            path.write_text(content, encoding="utf-8")
            self._own(path)
        self._drop_foreign_pid_file()

    def _drop_foreign_pid_file(self) -> None:
        """Remove a pid file whose number now belongs to another program: Postgres would wait for that one.

        Otherwise the file stays. It also leads Postgres to the shared memory of sessions that outlived a killed
        server, and those must be gone before a new one writes.
        """
        path = self.folder / "postmaster.pid"
        try:
            pid = int(path.read_text(encoding="utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        import psutil  # noqa: PLC0415 - only after a crash; the supervisor stays small

        if psutil.pid_exists(pid) and not any(works_in(process, self.folder) for process in psutil.process_iter()):
            path.unlink()

    def command(self) -> list[str]:
        """The server in the foreground: it logs to its output and stops on SIGINT (fast)."""
        return [str(self.binaries.postgres), "-D", str(self.folder)]

    def launcher(self, *, death_signal: int, command: list[str]) -> list[str]:
        """Wrap a command so that it runs as the server's user and ends with us."""
        wrap = launcher(death_signal=death_signal)
        if self.user is not None:
            wrap += ["--uid", str(self.user.uid), "--gid", str(self.user.gid)]
            wrap += ["--reach", str(self.folder), "--reach", str(self.binaries.postgres)]
        return [*wrap, "--", *command]

    def _own(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)


def works_in(process: "psutil.Process", folder: Path) -> bool:
    """Whether the process has `folder` as its working directory, as every process of a Postgres server does."""
    import psutil  # noqa: PLC0415 - only after a crash; the supervisor stays small

    try:
        return Path(process.cwd()) == folder.resolve()
    except (psutil.Error, OSError):
        return False


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower() or "fatal:" in line.lower()]
    return (errors or lines or ["it gave no reason"])[-1]


def is_up(folder: Path, pid: int) -> bool:
    """Whether the server with this pid accepts connections: it writes "ready" into the 8th line of its pid file.

    Asking it over the network while it recovers would put a FATAL line into its log each time.
    """
    try:
        lines = (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > _STATUS_LINE and lines[0].strip() == str(pid) and lines[_STATUS_LINE].strip() == "ready"
