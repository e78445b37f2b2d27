"""What the platform adds to a model's tokens: time, and CPU of every process, beside a straight line and a plain relay.

    make bench b=token_path                                  # 1, 20, 100 streams, paced and flat out: about 6 minutes
    make bench                                               # the same, shorter and once
    uv run python bench/token_path.py --streams 20 --repeats 5 --json

Starts a fake Ollama server whose tokens carry their own send time (bench/fake_upstream.py), `lumora up` in a folder of
its own, and bench/peers/relay.py; loads each in turn through its WebSocket (bench/load_ws.py) and prints Markdown.
Paced streams get 50 tokens a second each, as a model's reader would; flat out is a test of throughput, where latency
is time in queues. Each run is repeated, figures are medians. CPU is that of every process of the target, servers and
supervisor too, by the kernel's own clocks: it hardly moves with the machine's load. Latencies do, so the load average
is told. Knowledge is off: search is measured elsewhere.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from token_tables import machine, tables

BENCH = Path(__file__).resolve().parent
STREAMS_A_BUSINESS = 8
"""As many answers of one business run at once; the rest would wait, and waiting is not what is measured."""
LIMITS = {"LUMORA_REQUESTS_PER_MINUTE": "1000000", "LUMORA_WORKER_SLOTS": "128", "LUMORA_MODEL_SLOTS": "128"}
"""Limits that guard what is not measured here: the model is simulated and answers any number at a time."""
INTERNAL_PORTS = 24


@dataclass(frozen=True)
class Scenario:
    """One load. `rate` in tokens a second and stream, 0 for no limit."""

    name: str
    streams: int
    tokens: int
    rate: int
    rounds: int

    @property
    def model(self) -> str:
        return f"fake-n{self.tokens}-r{self.rate}"

    @property
    def ramp_s(self) -> float:
        """Begun over the length of one answer, so that as many begin as end at any time."""
        return self.tokens / self.rate if self.rate and self.streams > 1 else 0.0


@dataclass(frozen=True)
class Target:
    """What is loaded."""

    name: str
    url: str
    pid: int
    options: tuple[str, ...] = ()


def scenarios(given: argparse.Namespace) -> list[Scenario]:
    """Turns of one token tell what a turn costs without its tokens."""
    found = [Scenario("turns", 20, 1, 0, 10)]
    for streams in given.streams:
        rounds = 3 if streams == 1 else given.rounds
        found.append(Scenario(f"paced {streams}", streams, given.tokens, 50, rounds))
        found.append(Scenario(f"flat out {streams}", streams, given.tokens, 0, max(rounds, 100 // streams)))
    return [scenario for scenario in found if not given.only or scenario.name in given.only]


# ---- what runs ------------------------------------------------------------------------------------------------------


@contextmanager
def running(command: list[str], **more: Any) -> "Iterator[subprocess.Popen[str]]":
    """A process in a session of its own, ended with all its children."""
    process = subprocess.Popen(command, text=True, start_new_session=True, **more)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    for first in range(21_000 + os.getpid() % 4_000, 32_000, count):
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    sys.exit("no free ports")


def wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def start_upstream(stack: ExitStack, given: argparse.Namespace) -> Target:
    if given.fake:
        return Target("direct", given.fake, os.getpid())
    url = f"http://127.0.0.1:{free_ports(1)}"
    program = Path(given.shared) / "fake_llm.py" if given.shared else BENCH / "fake_upstream.py"
    command = [sys.executable, str(program), "--port", url.rpartition(":")[2]]
    upstream = stack.enter_context(running(command, stdout=subprocess.DEVNULL))
    wait_for(f"{url}/api/tags")
    return Target("direct", url, upstream.pid)


def start_relay(stack: ExitStack, upstream: str) -> Target:
    port = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(BENCH / "peers"), "relay:app", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning"]
    relay = stack.enter_context(running(command, env={**os.environ, "UPSTREAM": upstream}))
    wait_for(f"http://127.0.0.1:{port}/openapi.json")
    return Target("relay", f"http://127.0.0.1:{port}", relay.pid)


def start_platform(
    stack: ExitStack, upstream: str, given: argparse.Namespace, python: str | Path = sys.executable
) -> Target:
    """Of the checkout that this interpreter belongs to."""
    data = Path(tempfile.mkdtemp(prefix="lumora-bench-"))
    stack.callback(shutil.rmtree, data, ignore_errors=True)
    data.chmod(0o711)
    first = free_ports(INTERNAL_PORTS + given.gateways)
    ports = ["--port", str(first), "--internal-port", str(first + given.gateways)]
    counts = ["--gateways", str(given.gateways), "--workers", str(given.workers)]
    command = [str(python), "-m", "lumora", "up", "--json", "--no-demo", "--data", str(data / "data")]
    environment = {**os.environ, **LIMITS, "OLLAMA_HOST": upstream}
    platform = stack.enter_context(running([*command, *ports, *counts], env=environment, stdout=subprocess.PIPE))
    assert platform.stdout is not None
    for line in platform.stdout:
        if line.startswith('{"event": "ready"'):
            break
    else:
        sys.exit("the platform did not get ready")
    url = f"http://127.0.0.1:{first}"
    people = data / "people.json"
    count = -(-max(20, *given.streams) // STREAMS_A_BUSINESS)
    people.write_text(json.dumps([register(url, number) for number in range(count)]), encoding="utf-8")
    return Target("lumora", url, platform.pid, ("--credentials", str(people)))


def register(url: str, number: int) -> tuple[str, str]:
    """A business with an agent; returns an API key, which outlives the run, and the agent's id."""
    owner = {"email": f"owner{number}@example.com", "password": "a long enough password"}
    session = post(f"{url}/api/auth/register", {**owner, "company_name": f"Business {number}", "industry": "retail"})
    token = session["access_token"]
    key = post(f"{url}/api/auth/api-keys", {"name": "bench", "scopes": ["chat"]}, token)["key"]
    agent = post(f"{url}/api/agent/create", {"name": "Bench", "model": "ollama/fake-n200-r50"}, token)
    return key, agent["id"]


def post(url: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


# ---- measuring ------------------------------------------------------------------------------------------------------


def load(target: Target, scenario: Scenario) -> dict[str, Any]:
    command = [sys.executable, str(BENCH / "load_ws.py"), target.name, target.url, "--pid", str(target.pid)]
    told = {"model": scenario.model, "tokens": scenario.tokens, "streams": scenario.streams}
    told |= {"rounds": scenario.rounds, "ramp-s": scenario.ramp_s}
    options = [part for name, value in told.items() for part in (f"--{name}", str(value))]
    done = subprocess.run([*command, *options, *target.options], stdout=subprocess.PIPE, check=True, timeout=600)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def measure(targets: list[Target], planned: list[Scenario], repeats: int) -> list[dict[str, Any]]:
    """Each scenario on each target, then all again: what the machine does meanwhile strikes all alike."""
    runs = []
    for repeat in range(repeats):
        for scenario in planned:
            for target in targets:
                report = load(target, scenario) | {"scenario": scenario.name, "repeat": repeat}
                runs.append(report | {"load_average": os.getloadavg()[0]})
                print(brief(runs[-1]), file=sys.stderr, flush=True)
    return runs


def brief(run: dict[str, Any]) -> str:
    spent, token = sum(run["cpu_s"].values()) / run["tokens"] * 1000, run["token_ms"]
    times = f"first {run['first_ms']['p50']} token {token['p50']}/{token['p99']} ms"
    told = f"{run['scenario']:>12} {run['target']:<7} {times}, CPU {spent:.3f} s/1k"
    return f"{told}, load average {run['load_average']:.1f} {run['errors'] or ''}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--streams", type=lambda text: [int(part) for part in text.split(",")], default=[1, 20, 100])
    add("--tokens", type=int, default=200, help="of an answer")
    add("--rounds", type=int, default=2, help="answers one after another in each stream")
    add("--repeats", type=int, default=3)
    add("--only", action="append", default=[], help='some scenarios: "turns", "paced 20", "flat out 1", …')
    add("--targets", default="direct,relay,lumora", help="what to measure")
    add("--gateways", type=int, default=1)
    add("--workers", type=int, default=1)
    add("--short", action="store_true", help="20 streams, once")
    add("--fake", help="the address of an upstream that runs already, instead of our own")
    add("--shared", help="a folder with a fake_llm.py to use as the upstream, instead of our own")
    add("--json", action="store_true", help="print every run instead of the tables")
    given = parser.parse_args()
    if given.short:
        given.streams, given.repeats = [20], 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended then too
    with ExitStack() as stack:
        upstream = start_upstream(stack, given)
        starts = {
            "direct": lambda: upstream,
            "relay": lambda: start_relay(stack, upstream.url),
            "lumora": lambda: start_platform(stack, upstream.url, given),
        }
        targets = [starts[name]() for name in given.targets.split(",")]
        runs = measure(targets, scenarios(given), given.repeats)
    if given.json:
        json.dump({"limits": LIMITS, "runs": runs}, sys.stdout, indent=1)
        return
    limits = ", ".join(f"{name}={value}" for name, value in LIMITS.items())
    told = f"Medians of {given.repeats} runs; at most {STREAMS_A_BUSINESS} streams a business"
    print(f"{told}; {limits}; {machine(runs)}.\n")
    print(tables(runs))


if __name__ == "__main__":
    main()
