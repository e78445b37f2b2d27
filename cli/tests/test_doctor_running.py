"""The checks of what runs.

Small doors on loopback stand for the platform and the providers; NATS and Postgres are the real ones.
"""

import asyncio
import json
import signal
import subprocess
import sys

import pytest

from cli.tests.doors import serving
from lumora import plan
from lumora.checks import find_binaries
from lumora.data_folder import DataFolder, Recorded, write_private
from lumora.doctor import providers, running, servers
from lumora.embedded import nats
from lumora.embedded.postgres import SUPERUSER, PostgresCluster, server_user
from lumora.embedded.secrets import Nkey, _new_nkey, load_or_make
from lumora.ports import free_port
from lumora.prepare import PostgresPreparation, make_streams, migrations_of, write_nats_configuration
from lumora.settings import UpSettings

NATS = {"ok": True, "latency_ms": 1.5}
WELL = {"ready": True, "draining": False, "dependencies": {"nats": NATS}}
AWAY = {"ok": False, "error": "TimeoutError"}
KEY = "sk-a-very-secret-key"


@pytest.fixture
def data(tmp_path):
    found = DataFolder(tmp_path / "data")
    found.prepare()
    return found


def health_of(status, content):
    with serving({"/health": (status, content)}) as (port, _):
        return running.health("gateway", f"http://127.0.0.1:{port}/health")


def test_health_tells_each_dependencys_latency():
    found = health_of(200, WELL)
    assert (found.state, "nats 1.5 ms" in found.told) == ("ok", True)


def test_a_dependency_that_is_away_is_named():
    report = {**WELL, "dependencies": {"nats": NATS, "files": AWAY}}
    assert health_of(200, report).state == "warning"
    found = health_of(503, report)
    assert found.state == "broken"
    assert "files" in found.told


@pytest.mark.parametrize("content", [[], "up", {"dependencies": [1]}, {"dependencies": {"nats": 1}}])
def test_another_program_at_the_port_is_broken(content):
    assert health_of(200, content).state == "broken"


def test_nobody_at_the_ports_is_broken_for_every_process(data):
    settings = UpSettings(port=free_port(), internal_port=free_port(), data=str(data.path), is_demo=True)
    found = list(running.platform(settings, data))
    assert {finding.check for finding in found} >= {"gateway /health/live", "gateway /health/ready", "auth health"}
    assert found[0].state == "broken"


def sleeper(*arguments):
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *arguments])


def test_a_running_up_tells_its_own_settings():
    settings = UpSettings(port=8100, internal_port=9100, data="/d", is_demo=True, gateways=2)
    for argument, expected in ((settings.to_argument(), settings), ("{}", None), ("x", None)):
        with sleeper(argument) as process:
            assert running.settings_of(process.pid) == expected
            process.kill()


def test_what_an_earlier_run_left_is_a_warning(data):
    with sleeper(str(data.path)) as process:
        data.record([Recorded("gateway", process.pid, tuple(process.args), "run")])
        found = running.leftovers(data)
        process.kill()
    assert (found.state, "gateway" in found.told) == ("warning", True)
    assert running.leftovers(data).state == "ok"


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (401, "warning"), (500, "broken")])
def test_the_demo_login_is_tried(data, status, state):
    with serving({"/api/auth/login": (status, {})}) as (port, _):
        demo = {"url": f"http://127.0.0.1:{port}", "email": "owner@x.example", "password": "pass-word-x"}
        write_private(data.demo, demo)
        found = running.login(data)
    assert found.state == state
    assert "pass-word-x" not in found.told
    data.demo.write_text("{")
    assert running.login(data).state == "broken"


async def test_servers_without_their_keys_are_broken(data):
    assert [f.state async for f in servers.servers(data)] == ["broken"]


async def test_servers_that_do_not_answer_are_broken(data):
    secrets = write_nats_configuration(data, free_port())
    assert secrets.master_key
    write_private(data.ports, {"nats": free_port(), "postgres": free_port()})
    found = [f async for f in servers.servers(data)]
    assert [(f.check, f.state) for f in found] == [("nats", "broken"), ("postgres login", "broken")]
    kept = data.secrets.read_text()
    assert not any(word in kept for f in found for word in f.told.split() if len(word) > 30)


@pytest.fixture
def broker(data):
    """A real NATS server without streams, and its port and secrets."""
    port = free_port()
    secrets = write_nats_configuration(data, port)
    command = [find_binaries().nats_server, "--config", data.nats / "nats.conf"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        yield port, secrets
        server.terminate()


async def test_missing_streams_are_named_until_they_are_made(broker):
    port, secrets = broker
    seed = secrets.nkeys["provisioner"].seed
    async with asyncio.timeout(20):
        while not await nats.is_up(port):  # noqa: ASYNC110 - another process comes up, nothing here can wait on it
            await asyncio.sleep(0.05)
    login, missing = [f async for f in servers.broker(port, seed)]
    assert (login.state, missing.state) == ("ok", "broken")
    assert "TOKENS" in missing.told
    await make_streams(port, seed)
    assert [f.state async for f in servers.broker(port, seed)] == ["ok", "ok"]
    stranger = Nkey(**_new_nkey()).seed
    assert [f.state async for f in servers.broker(port, stranger)] == ["broken"]


@pytest.fixture
def postgres(data):
    """A real Postgres server with no database of ours, and what prepares it."""
    secrets = load_or_make(data.secrets, users=(), roles=plan.postgres_roles())
    cluster = PostgresCluster(data.postgres, find_binaries(), server_user())
    cluster.make(secrets.passwords[SUPERUSER])
    port = free_port()
    cluster.configure(port)
    command = cluster.launcher(death_signal=signal.SIGINT, command=cluster.command())
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd="/") as server:
        yield f"127.0.0.1:{port}", secrets.passwords
        server.send_signal(signal.SIGINT)


async def test_migrations_that_are_missing_are_named_until_they_are_applied(postgres):
    address, passwords = postgres
    preparation = PostgresPreparation(address, passwords)
    await preparation.make_database()
    url = f"postgresql://{SUPERUSER}:{passwords[SUPERUSER]}@{address}/{plan.DATABASE}"
    login, missing = [f async for f in servers.database(url)]
    assert (login.state, missing.state) == ("ok", "broken")
    assert all(service in missing.told for service in plan.WITH_DATABASE)
    for service in plan.WITH_DATABASE:
        migrations = migrations_of(service)
        assert migrations is not None
        await preparation.bring_up_to_date(service, migrations)
    assert [f.state async for f in servers.database(url)] == ["ok", "ok"]
    [refused] = [f async for f in servers.database(url.replace(passwords[SUPERUSER], "wrong"))]
    assert (refused.state, "secrets.json" in refused.told) == ("broken", True)


@pytest.mark.parametrize(
    ("status", "content", "state"),
    [(200, {"models": [{}]}, "ok"), (200, {"models": []}, "warning"), (200, [], "broken"), (404, {}, "broken")],
)
def test_ollama_is_asked_for_its_models(status, content, state):
    with serving({"/api/tags": (status, content)}) as (port, _):
        assert providers.ollama(f"127.0.0.1:{port}").state == state
        assert providers.ollama(f"http://127.0.0.1:{port}/").state == state


@pytest.mark.parametrize("host", ["http://user:pass-word-x@127.0.0.1:{}", "127.0.0.1:{}"])
def test_an_ollama_that_is_away_is_broken_and_its_password_is_not_shown(host):
    found = providers.ollama(host.format(free_port()))
    assert (found.state, "OLLAMA_HOST" in found.told) == ("broken", True)
    assert "pass-word-x" not in found.told


@pytest.mark.parametrize("host", ["http://127.0.0.1:port", "http://[", "ftp://127.0.0.1"])
def test_an_ollama_host_that_is_no_address_is_broken(host):
    assert providers.ollama(host).state == "broken"


@pytest.mark.parametrize("provider", [providers.ANTHROPIC, providers.OPENAI])
@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (401, "broken"), (404, "ok"), (503, "warning")])
def test_a_key_is_tried_and_never_shown(provider, status, state):
    with serving({provider.path: (status, {"error": KEY})}) as (port, asked):
        environment = {provider.key: KEY, provider.base: f"http://127.0.0.1:{port}"}
        [found] = providers.providers(environment)
    assert found.state == state
    assert KEY not in json.dumps(found.to_json())
    assert any(KEY in value for value in asked[0][1].values())


def test_a_provider_that_is_away_and_a_key_that_cannot_be_are_broken():
    away = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    for environment in (away, {**away, "OPENAI_API_KEY": KEY + "\n"}, {**away, "OPENAI_API_KEY": f"é{KEY}"}):
        [found] = providers.providers(environment)
        assert found.state == "broken"
        assert KEY not in found.told


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (401, "broken")])
def test_a_server_of_ones_own_needs_no_key_unless_it_says_so(status, state):
    with serving({"/models": (status, {})}) as (port, asked):
        [found] = providers.providers({"OPENAI_BASE_URL": f"http://127.0.0.1:{port}"})
    assert (found.check, found.state) == ("openai", state)
    assert "Authorization" not in asked[0][1]


def test_a_base_url_without_a_key_is_a_warning_and_nothing_set_is_fine():
    [found] = providers.providers({"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"})
    assert (found.state, "ANTHROPIC_API_KEY" in found.told) == ("warning", True)
    assert [f.state for f in providers.providers({})] == ["ok"]
