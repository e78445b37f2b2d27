"""`lumora up` as a person uses it: data that stays, crashes that heal, and sentences when it cannot start."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from tests.support.platform import Platform, eventually, make_platform

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

QUESTION = "Can I return something after three weeks?"


@pytest.fixture(scope="module")
def home() -> Iterator[Platform]:
    """One platform with its demo business; tests stop, kill and start it as they need."""
    platform = make_platform(is_demo=True)
    platform.start()
    yield platform
    platform.stop()
    shutil.rmtree(platform.settings.data, ignore_errors=True)


@pytest.fixture
def running(home: Platform) -> Platform:
    """Started, whatever the last test did to it."""
    if not home.ready:
        home.start()
    return home


def lumora(platform: Platform, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "LUMORA_DATA": platform.settings.data}
    command = [sys.executable, "-m", "lumora", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def asked(platform: Platform, question: str) -> dict[str, Any]:
    ran = lumora(platform, "chat", "--json", question)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def signed_in(platform: Platform) -> httpx.Client:
    demo = platform.ready["demo"]
    person = {"email": demo["email"], "password": demo["password"]}
    token = httpx.post(f"{platform.url}/api/auth/login", json=person).raise_for_status().json()["access_token"]
    return httpx.Client(base_url=platform.url, headers={"Authorization": f"Bearer {token}"})


def tries(platform: Platform, **changes: Any) -> "subprocess.CompletedProcess[str]":
    """A `lumora up` that is expected to give up."""
    settings = replace(platform.settings, is_json=False, **changes)
    command = [sys.executable, "-m", "lumora.up", settings.to_argument()]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_demo_answers_with_its_source(running: Platform) -> None:
    answer = asked(running, QUESTION)
    assert "30 days" in answer["content"]
    assert any("eturn" in source["title"] for source in answer["sources"])


def test_the_other_commands_speak_to_it(running: Platform, tmp_path: Path) -> None:
    assert [agent["id"] for agent in json.loads(lumora(running, "agents", "--json").stdout)["items"]] == [
        running.ready["demo"]["agent_id"]
    ]
    (tmp_path / "lamps.md").write_text("# Lamps\n\nThe Glow headlamp runs for 40 hours on one charge.\n")
    (tmp_path / "broken.txt").write_bytes(b"%PDF-1.7 not a text at all")
    read = lumora(running, "ingest", "--json", str(tmp_path / "lamps.md"))
    assert read.returncode == 0, read.stdout
    assert json.loads(read.stdout)["state"] == "ready"
    found = json.loads(lumora(running, "search", "--json", "How long does the headlamp run?").stdout)
    assert "40 hours" in found["items"][0]["text"]
    failed = lumora(running, "ingest", "--json", str(tmp_path / "broken.txt"))
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["state"] == "failed"


def test_the_doctor_finds_nothing_broken(running: Platform) -> None:
    examined = lumora(running, "doctor", "--json")
    told = json.loads(examined.stdout)
    assert examined.returncode == 0, [check for check in told["checks"] if check["state"] == "broken"]
    assert told["broken"] == 0
    checked = {check["check"] for check in told["checks"]}
    assert checked >= {"nats", "streams", "postgres login", "migrations", "inference health", "demo login"}


def test_secrets_are_for_our_eyes_alone(running: Platform) -> None:
    for path in (running.folder.secrets, running.folder.demo, running.folder.nats / "nats.conf"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secrets = running.folder.secrets.read_text(encoding="utf-8")
    kept = json.loads(secrets)
    for line in running.lines:
        assert kept["master_key"] not in line
        assert not any(password in line for password in kept["passwords"].values())
        assert not any(key["seed"] in line for key in kept["nkeys"].values())


async def test_postgres_lets_nobody_in_without_a_password(running: Platform) -> None:
    url = running.postgres_url("auth_app")
    password = url.split(":", 2)[2].split("@")[0]
    await (await asyncpg.connect(url)).close()
    for wrong in ("wrong", running.secrets.passwords["filter_app"]):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url.replace(password, wrong))


def test_a_second_up_keeps_everything(running: Platform) -> None:
    demo = running.ready["demo"]
    conversation = asked(running, QUESTION)["conversation_id"]
    with signed_in(running) as client:
        before = client.get("/api/documents", params={"limit": 100}).raise_for_status().json()["items"]
    assert running.stop() == 0
    running.start()
    assert running.ready["demo"] == demo
    with signed_in(running) as client:
        after = client.get("/api/documents", params={"limit": 100}).raise_for_status().json()["items"]
        messages = client.get(f"/api/conversations/{conversation}/messages").raise_for_status().json()["items"]
    assert {document["id"] for document in after} == {document["id"] for document in before}
    assert {document["state"] for document in after} <= {"ready", "failed"}
    assert [message["content"] for message in messages if message["author"] == "customer"] == [QUESTION]
    assert "30 days" in asked(running, QUESTION)["content"]


def test_after_a_kill_of_everything_the_next_up_recovers_by_itself(running: Platform) -> None:
    demo = running.ready["demo"]
    conversation = asked(running, QUESTION)["conversation_id"]
    running.kill()
    running.start()
    assert running.ready["demo"] == demo
    with signed_in(running) as client:
        messages = client.get(f"/api/conversations/{conversation}/messages").raise_for_status().json()["items"]
    assert len(messages) == 2
    assert "30 days" in asked(running, QUESTION)["content"]


def test_what_a_killed_supervisor_leaves_does_not_live_on(running: Platform) -> None:
    assert running.process is not None
    children = running.tree()[1:]
    running.process.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    running.kill()
    running.start()
    assert "30 days" in asked(running, QUESTION)["content"]


async def test_each_process_that_dies_is_started_again_and_said_so(running: Platform) -> None:
    for name in ("gateway", "nats", "postgres", "inference", "ingest", "auth", "filter", "learning", "operator"):
        victim = running.processes(name)[0]
        victim.send_signal(signal.SIGKILL)
        await eventually(lambda name=name: died(running, name))
    await eventually(lambda: is_ready(running), timeout_s=90)
    answer = await asyncio.to_thread(asked, running, QUESTION)
    assert "30 days" in answer["content"]


def died(platform: Platform, name: str) -> bool:
    said = [json.loads(line) for line in platform.lines if '"process.died"' in line]
    return any(line["process"] == name and line["code"] == -9 for line in said)


async def is_ready(platform: Platform) -> bool:
    async with httpx.AsyncClient() as client:
        for name in platform.process_names():
            url = f"http://127.0.0.1:{platform.internal_port(name)}/health/ready"
            try:
                if (await client.get(url, timeout=3)).status_code != httpx.codes.OK:
                    return False
            except httpx.HTTPError:
                return False
    return True


def test_a_second_up_on_the_same_data_says_who_has_it(running: Platform) -> None:
    assert running.process is not None
    ran = tries(running)
    assert ran.returncode == 1
    assert f"process {running.process.pid}" in ran.stdout
    assert "lumora down" in ran.stdout


def test_a_taken_port_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    other = make_platform()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other.settings.port))
        taken.listen()
        public = tries(other)
        internal = tries(other, port=other.settings.port + 1, internal_port=other.settings.port)
    shutil.rmtree(other.settings.data)
    for ran, variable in ((public, "LUMORA_PORT="), (internal, "LUMORA_INTERNAL_PORT=")):
        assert ran.returncode == 1
        (line,) = ran.stdout.splitlines()
        assert f"Port {other.settings.port}" in line
        assert f"process {os.getpid()}" in line
        assert variable in line


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="a small disk is mounted")
def test_a_full_disk_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount")
    try:
        ran = tries(make_platform(), data=str(tmp_path / "data"))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)  # noqa: S607 - where mount is, umount is
    assert ran.returncode == 1
    (line,) = ran.stdout.splitlines()
    assert "0.1 GiB are free" in line
    assert "LUMORA_DATA" in line


def test_down_stops_it_from_elsewhere_and_clean_deletes_what_it_says(running: Platform) -> None:
    assert running.process is not None
    refused = lumora(running, "clean", "--yes")
    assert refused.returncode == 1
    assert "lumora down" in refused.stderr
    stopped = lumora(running, "down")
    assert "all data is kept" in stopped.stdout
    assert running.process.wait(10) == 0
    running.kill()
    cleaned = lumora(running, "clean", "--yes")
    assert "postgres" in cleaned.stdout
    assert not running.folder.secrets.exists()
