"""The ports: free, or held by our own running platform."""

import contextlib
from collections.abc import Iterator

import psutil

from lumora import plan, ports
from lumora.doctor.finding import Finding, broken, ok
from lumora.refused import PortTaken
from lumora.settings import UpSettings


def listeners(settings: UpSettings, owner: int | None) -> Iterator[Finding]:
    """The gateways' ports and the internal ones; `owner` is the running `lumora up`, which may hold them."""
    planned = plan.processes(settings)
    public = plan.public_ports(settings, planned)
    internal = {process.internal_port: process.name for process in planned}
    if public.keys() & internal.keys():
        shared = ", ".join(str(port) for port in sorted(public.keys() & internal.keys()))
        yield broken("ports", f"Port {shared} is wanted twice: move LUMORA_PORT or LUMORA_INTERNAL_PORT.")
        return
    yield held("public ports", public, "LUMORA_PORT", owner)
    yield held("internal ports", internal, "LUMORA_INTERNAL_PORT", owner)


def held(check: str, wanted: dict[int, str], variable: str, owner: int | None) -> Finding:
    """`wanted`: port to the process that needs it."""
    ours = _ports_below(owner) if owner is not None else frozenset()
    try:
        ports.require_free({port: name for port, name in wanted.items() if port not in ours}, variable)
    except PortTaken as taken:
        return broken(check, taken)
    told = " ".join(str(port) for port in sorted(wanted))
    return ok(check, f"{told}: held by our own platform" if ours & wanted.keys() else f"{told}: free")


def _ports_below(owner: int) -> frozenset[int]:
    found: set[int] = set()
    with contextlib.suppress(psutil.Error, OSError):
        root = psutil.Process(owner)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error, OSError):
                found |= {at.laddr.port for at in process.net_connections("tcp") if at.status == psutil.CONN_LISTEN}
    return frozenset(found)
