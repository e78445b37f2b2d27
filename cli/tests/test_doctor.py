import json
import os
import socket
import stat
import sysconfig
import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest_service.outbound import tessdata
from lumora.__main__ import build
from lumora.commands import doctor as command
from lumora.data_folder import DataFolder
from lumora.doctor import folder, listeners, machine, variables
from lumora.ports import free_port
from lumora.settings import UpSettings
from tests.support.ports import free_ports

SECRETS = {"nkeys": {"operator": {}}, "passwords": {"lumora": "p"}, "nats_store_key": "k", "master_key": "m"}


@pytest.fixture
def data(tmp_path):
    found = DataFolder(tmp_path / "data")
    found.prepare()
    return found


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def keep_secrets(data, text, mode=0o600):
    data.secrets.write_text(text)
    data.secrets.chmod(mode)
    return folder.secrets(data)


def test_an_old_python_is_broken_and_this_one_is_not():
    assert machine.python((3, 10)).state == "broken"
    assert "3.11" in machine.python((3, 10)).told
    assert machine.python((3, 11)).state == "ok"


def test_servers_that_are_missing_or_cannot_run_are_broken(tmp_path, monkeypatch):
    assert [finding.state for finding in machine.servers()] == ["ok", "ok"]
    foreign = tmp_path / "nats-server"
    foreign.write_bytes(b"\x00 made for another machine")
    foreign.chmod(0o755)
    assert "make install" in machine.server("nats-server", foreign).told
    assert machine.server("nats-server", foreign).state == "broken"
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path / "nowhere"))
    assert [finding.state for finding in machine.servers()] == ["broken"]


def test_a_library_that_does_not_load_is_broken():
    found = machine.library("qdrant engine", "no_such_engine", "no-such-package")
    assert (found.state, "make install" in found.told) == ("broken", True)
    assert machine.library("json", "json", "json").state == "ok"


def test_a_model_that_is_not_built_is_a_warning_and_an_empty_one_is_broken(tmp_path):
    path = tmp_path / "model.onnx"
    assert machine.model_at(path).state == "warning"
    path.touch()
    assert machine.model_at(path).state == "broken"
    path.write_bytes(b"graph")
    assert machine.model_at(path).state == "ok"


def test_ocr_that_is_not_installed_is_no_fault_and_half_of_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(tessdata, "FOLDERS", (str(tmp_path),))
    found = machine.ocr()
    assert (found.state, "apt-get install tesseract-ocr" in found.told) == ("ok", True)
    (tmp_path / "deu.traineddata").touch()
    monkeypatch.setattr(tessdata, "LIBRARIES", ("libnowhere.so.5",))
    found = machine.ocr()
    assert (found.state, "libnowhere.so.5" in found.told) == ("warning", True)
    monkeypatch.setattr(tessdata, "has_library", lambda: True)
    found = machine.ocr()
    assert (found.state, "deu" in found.told) == ("ok", True)


def test_a_fresh_folder_has_nothing_wrong(data, tmp_path):
    assert {finding.state for finding in folder.folder(data)} == {"ok"}
    assert {finding.state for finding in folder.folder(DataFolder(tmp_path / "not" / "yet"))} == {"ok"}
    assert not (tmp_path / "not").exists()


def test_a_file_and_a_foreign_folder_are_no_data_folder(tmp_path):
    (tmp_path / "mine.txt").touch()
    for path in (tmp_path / "mine.txt", tmp_path):
        [found] = folder.folder(DataFolder(path))
        assert found.state == "broken"
        assert "LUMORA_DATA" in found.told


def test_a_read_only_folder_is_broken():
    path = Path(tempfile.mkdtemp())
    user = os.geteuid()
    path.chmod(0o555)
    try:
        if user == 0:
            os.seteuid(65_534)  # root may write everywhere
        [found] = folder.folder(DataFolder(path))
    finally:
        os.seteuid(user)
        path.rmdir()
    assert found.state == "broken"
    assert "owner" in found.told


def test_a_folder_open_to_others_is_a_warning(data):
    data.path.chmod(0o755)
    found = folder.rights(data.path)
    assert found.state == "warning"
    assert "chmod 7" in found.told


def test_a_full_disk_is_broken(data):
    assert folder.space(data.path, needed=2**60).state == "broken"


def test_the_lock_names_its_owner(data):
    assert folder.lock(data).told == "free"
    held = data.lock()
    assert str(os.getpid()) in folder.lock(data).told
    os.close(held)


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({**SECRETS, "master_key": ""})])
def test_damaged_secrets_are_broken(data, text):
    assert keep_secrets(data, text).state == "broken"


def test_secrets_that_others_can_read_are_a_warning(data):
    assert keep_secrets(data, json.dumps(SECRETS)).state == "ok"
    found = keep_secrets(data, json.dumps(SECRETS), 0o644)
    assert (found.state, "chmod 600" in found.told) == ("warning", True)


def test_data_without_its_secrets_is_broken(data):
    assert folder.secrets(data).state == "ok"
    data.postgres.mkdir()
    assert folder.secrets(data).state == "broken"


def test_a_taken_port_is_broken_unless_our_platform_holds_it(taken):
    found = listeners.held("public ports", {taken: "gateway"}, "LUMORA_PORT", None)
    assert found.state == "broken"
    assert "LUMORA_PORT=" in found.told
    ours = listeners.held("public ports", {taken: "gateway"}, "LUMORA_PORT", os.getpid())
    assert (ours.state, "our own" in ours.told) == ("ok", True)
    assert listeners.held("public ports", {free_port(): "gateway"}, "LUMORA_PORT", os.getpid()).told.endswith("free")


def test_a_port_that_is_wanted_twice_is_broken(tmp_path):
    settings = UpSettings(port=9003, internal_port=9000, data=str(tmp_path), is_demo=False)
    [found] = listeners.listeners(settings, None)
    assert (found.state, "9003" in found.told) == ("broken", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LUMORA_PORT", "0"),
        ("LUMORA_PORT", "65536"),
        ("LUMORA_INTERNAL_PORT", "x"),
        ("LUMORA_DEMO", "perhaps"),
        ("LUMORA_LOG", "xml"),
        ("LUMORA_REQUESTS_PER_MINUTE", "-1"),
        ("LUMORA_TENANT_RUNNING", "1.5"),
        ("LUMORA_TENANT_QUEUED", "0"),
        ("LUMORA_WORKER_SLOTS", "many"),
        ("LUMORA_MODEL_SLOTS", "0"),
        ("LUMORA_HEDGING", "perhaps"),
        ("LUMORA_URL", "127.0.0.1:8000"),
        ("LUMORA_URL", "http://127.0.0.1:x"),
        ("LUMORA_API_KEY", "sk-not-ours"),
    ],
)
def test_a_value_that_cannot_be_is_broken_and_not_shown(name, value):
    found = variables.variable(name, value)
    assert found.state == "broken"
    assert name in found.told
    assert "sk-not-ours" not in found.told


def test_a_variable_that_nobody_reads_is_a_warning_with_the_name_that_was_meant():
    found = variables.variable("LUMORA_PROT", "8000")
    assert (found.state, "LUMORA_PORT" in found.told) == ("warning", True)
    assert "unset" in variables.variable("LUMORA_SOMETHING_ELSE", "1").told


def test_good_variables_are_fine_and_unset_ones_are_not_looked_at():
    good = {"LUMORA_PORT": "8001", "LUMORA_DEMO": "0", "LUMORA_API_KEY": "lum_x", "LUMORA_LOG": "", "LUMORA_RUN": "r"}
    found = list(variables.variables(good))
    assert {finding.state for finding in found} == {"ok"}
    assert [finding.check for finding in found] == ["LUMORA_API_KEY", "LUMORA_DEMO", "LUMORA_PORT"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for Postgres")
def test_a_postgres_user_that_does_not_exist_is_broken(monkeypatch):
    monkeypatch.setenv("LUMORA_POSTGRES_USER", "nobody-of-that-name")
    assert [finding.check for finding in variables.variables({}) if finding.state == "broken"] == ["postgres user"]


def ran(data, *options, **environment):
    clean = {name: "" for name in os.environ if name.startswith(("LUMORA_", "OLLAMA_", "OPENAI_", "ANTHROPIC_"))}
    first = free_ports(8)
    ports = {"LUMORA_PORT": str(first), "LUMORA_INTERNAL_PORT": str(first + 1)}
    told = {**clean, **ports, **environment}
    return CliRunner().invoke(build(), ["doctor", "--data", str(data.path), *options], env=told)


def test_the_exit_code_tells_and_json_lists_every_check(data, taken):
    before = sorted(data.path.iterdir())
    broken = ran(data, "--json", LUMORA_PORT=str(taken))
    assert broken.exit_code == 1
    report = json.loads(broken.output)
    states = {check["check"]: check["state"] for check in report["checks"]}
    assert states["public ports"] == "broken"
    assert report["broken"] == list(states.values()).count("broken")
    assert {"python", "postgres", "nats-server", "data folder", "platform", "providers"} <= states.keys()
    assert sorted(data.path.iterdir()) == before
    assert stat.S_IMODE(data.path.stat().st_mode) in {0o700, 0o711}


def test_a_warning_alone_is_no_failure(data):
    result = ran(data, LUMORA_PROT="1")
    assert "warning  LUMORA_PROT: Nothing reads" in result.output
    assert result.exit_code == 0, result.output


def test_what_should_run_and_does_not_is_broken(data):
    held = data.lock()
    result = ran(data, "--json")
    os.close(held)
    states = {check["check"]: check["state"] for check in json.loads(result.output)["checks"]}
    assert result.exit_code == 1
    assert {states[name] for name in ("gateway /health", "operator health", "servers' keys")} == {"broken"}
    assert states["lock"] == "ok"


def test_checks_that_cannot_run_are_neither_fine_nor_broken(data, monkeypatch):
    def fails(*_):
        raise RuntimeError("secret words")
        yield

    monkeypatch.setattr(command, "examine", fails)
    result = ran(data, "--json")
    assert result.exit_code == 2
    assert json.loads(result.output)["error"]["code"] == "could_not_run"
    assert "secret words" not in result.output
