"""Which ports are free, and who holds the others."""

import contextlib
import json
import socket
from pathlib import Path

from lumora.data_folder import write_private
from lumora.refused import PortTaken

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now (a closed connection that lingers does not count)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            # Some systems let two sockets bind one address; only one may listen.
            probe.listen(1)
        except OSError:
            return False
    return True


def holder(port: int) -> str | None:
    """The program that listens on `port`, as "name, process 123", when the system lets us see it."""
    import psutil  # noqa: PLC0415 - only on the way to an error; the supervisor stays small

    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            at = connection.laddr
            if connection.status == psutil.CONN_LISTEN and at and at.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()}, process {connection.pid}"
    return None


def require_free(ports: dict[int, str], variable: str) -> None:
    """Refuse to start when one of `ports` (port: who wants it) is taken.

    Raises:
        PortTaken: names the port, its holder and the variable that moves us elsewhere.
    """
    for port, wanted_by in ports.items():
        if is_free(port):
            continue
        by = holder(port)
        suggestion = free_port() if len(ports) == 1 else next_free_range(port, len(ports))
        raise PortTaken(
            f"Port {port}, which the {wanted_by} needs, is taken{f' by {by}' if by else ''}: "
            f"stop that program, or choose another port with {variable}={suggestion}."
        )


def free_port() -> int:
    """A port nobody uses at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def next_free_range(after: int, count: int) -> int:
    """The first of `count` consecutive free ports, in steps of 100 above `after`."""
    for start in range(after - after % 100 + 100, 65_000 - count, 100):
        if all(is_free(port) for port in range(start, start + count)):
            return start
    return free_port()


def keep_ports(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """A port for each name: the one it had before if that is free, else a new one; remembered in `path`."""
    known: dict[str, int] = {}
    with contextlib.suppress(FileNotFoundError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
    chosen: dict[str, int] = {}
    for name in names:
        port = known.get(name)
        while not isinstance(port, int) or port in chosen.values() or not is_free(port):
            port = free_port()
        chosen[name] = port
    if chosen != known:
        write_private(path, chosen)
    return chosen
