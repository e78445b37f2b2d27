"""A running platform: its gateways, each process's health, the demo's login."""

import json
import time
from collections.abc import Iterator

import httpx
import psutil

from lumora import plan
from lumora.data_folder import DataFolder
from lumora.doctor.finding import Finding, broken, ok, warning
from lumora.leftovers import is_same
from lumora.ports import LOOPBACK
from lumora.settings import UpSettings

_ANSWER_WITHIN_S = 10.0
_LOG = "read the log of `lumora up`, and restart it if this stays"


def settings_of(owner: int) -> UpSettings | None:
    """How the running `lumora up` was told to run: its one argument; None when that cannot be seen."""
    try:
        return UpSettings.from_argument(psutil.Process(owner).cmdline()[-1])
    except (psutil.Error, OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def leftovers(data: DataFolder) -> Finding:
    """Processes that outlived their supervisor; only asked while none runs."""
    alive = []
    for entry in data.recorded():
        try:
            if is_same(psutil.Process(entry.pid), entry, data.path):
                alive.append(entry.name)
        except (psutil.Error, OSError):
            continue
    if alive:
        return warning("platform", f"An earlier run left {', '.join(alive)}: `lumora down` ends them.")
    return ok("platform", "does not run (`lumora up` starts it)")


def platform(settings: UpSettings, data: DataFolder) -> Iterator[Finding]:
    """What clients and probes see, and the way in."""
    planned = plan.processes(settings)
    for port, name in plan.public_ports(settings, planned).items():
        yield from gateway(name, f"http://{LOOPBACK}:{port}")
    for process in planned:
        yield health(f"{process.name} health", f"http://{LOOPBACK}:{process.internal_port}/health")
    if data.demo.exists():
        yield login(data)


def gateway(name: str, url: str) -> Iterator[Finding]:
    """The three health paths that everyone may ask."""
    for path in ("/health/live", "/health/ready", "/health"):
        yield health(f"{name} {path}", url + path)


def health(check: str, url: str) -> Finding:
    """One health path: 200, and every dependency that it tells of."""
    begin = time.perf_counter()
    try:
        with httpx.Client(timeout=_ANSWER_WITHIN_S, trust_env=False) as client:
            answer = client.get(url)
        report = answer.json()
        parts = dict(report.get("dependencies", {}))
        away = [part for part, state in parts.items() if not state["ok"]]
    except httpx.TransportError as error:
        return broken(check, f"Nothing answers at {url} ({type(error).__name__}): {_LOG}.")
    except (ValueError, AttributeError, KeyError, TypeError):
        return broken(check, f"{url} gives no health report: another program listens there, so end it.")
    took = f"{(time.perf_counter() - begin) * 1000:.0f} ms"
    if not answer.is_success:
        why = f"without {', '.join(away)}" if away else f"status {answer.status_code}"
        return broken(check, f"It is not well ({why}): {_LOG}.")
    if away:
        return warning(check, f"It goes on without {', '.join(away)}: {_LOG}.")
    told = [f"{part} {state['latency_ms']} ms" for part, state in parts.items()]
    return ok(check, ", ".join([took, *told]))


def login(data: DataFolder) -> Finding:
    """Whether the demo business's person can sign in."""
    check = "demo login"
    try:
        demo = json.loads(data.demo.read_text(encoding="utf-8"))
        person = {"email": demo["email"], "password": demo["password"]}
        url = f"{demo['url']}/api/auth/login"
    except (OSError, ValueError, KeyError, TypeError):
        return broken(check, f"{data.demo} is damaged: put a copy back, or start anew with `lumora clean`.")
    try:
        with httpx.Client(timeout=_ANSWER_WITHIN_S, trust_env=False) as client:
            answer = client.post(url, json=person)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return broken(check, f"The platform does not answer ({type(error).__name__}): {_LOG}.")
    if answer.is_success:
        return ok(check, demo["email"])
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        told = "The password of demo.json is refused: it was changed, so sign in with the new one."
        return warning(check, told)
    return broken(check, f"Signing in gives status {answer.status_code}: {_LOG}.")
