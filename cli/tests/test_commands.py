import json
import os

import pytest
import typer
from typer.testing import CliRunner

from lumora.__main__ import build
from lumora.client.credentials import find_credentials
from lumora.commands.chat import printable
from lumora.commands.ingest import time_left
from lumora.data_folder import DataFolder, write_private
from lumora.ports import free_port

NO_PLATFORM = {"LUMORA_API_KEY": "", "LUMORA_URL": ""}


@pytest.fixture
def data(tmp_path):
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder


def ran(*arguments, data=None, **environment):
    told = {**NO_PLATFORM, **environment, **({"LUMORA_DATA": str(data.path)} if data else {})}
    return CliRunner().invoke(build(), [str(argument) for argument in arguments], env=told)


def test_every_command_and_every_option_says_what_it_does():
    group = typer.main.get_command(build())
    assert set(group.commands) == {
        "up",
        "down",
        "clean",
        "chat",
        "ingest",
        "search",
        "agents",
        "models",
        "doctor",
        "dlq",
        "snapshot",
    }
    snapshot = group.commands.pop("snapshot")
    assert snapshot.help
    assert set(snapshot.commands) == {"create", "list", "restore"}
    for command in (*group.commands.values(), *snapshot.commands.values()):
        assert command.help, command.name
        for parameter in command.params:
            assert getattr(parameter, "help", None), (command.name, parameter.name)
        assert any("--json" in parameter.opts for parameter in command.params), command.name


@pytest.mark.parametrize("command", [("chat", "Hello?"), ("search", "x"), ("agents",), ("models",)])
def test_without_a_key_a_sentence_says_where_to_get_one(command, data):
    result = ran(*command, data=data)
    assert result.exit_code == 1
    assert "LUMORA_API_KEY" in result.output
    as_json = ran(*command, "--json", data=data)
    assert json.loads(as_json.output)["error"]["code"] == "no_credentials"


@pytest.mark.parametrize("command", [("chat", "Hello?"), ("search", "x"), ("agents",), ("models",)])
def test_nobody_there_is_a_sentence(command, data):
    result = ran(*command, "--json", data=data, LUMORA_API_KEY="lum_x", LUMORA_URL=f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert json.loads(result.output)["error"]["code"] == "unreachable"


@pytest.mark.parametrize("action", [("create",), ("list",), ("restore", "any")])
def test_snapshots_of_a_folder_without_a_platform_are_a_sentence(action, data):
    result = ran("snapshot", *action, "--json", data=data)
    assert result.exit_code == 1
    assert json.loads(result.output)["error"]["code"] == "no_snapshots"
    assert not data.secrets.exists()


def test_the_demo_is_found_and_what_is_given_goes_before_it(data):
    write_private(data.demo, {"api_key": "lum_demo", "url": "http://127.0.0.1:8123", "agent_id": "a"})
    demo = find_credentials(None, None, data.path)
    assert (demo.url, demo.api_key, demo.agent_id) == ("http://127.0.0.1:8123", "lum_demo", "a")
    given = find_credentials("http://elsewhere/", "lum_mine", data.path)
    assert (given.url, given.api_key, given.agent_id) == ("http://elsewhere", "lum_mine", None)
    assert find_credentials(None, "lum_mine", data.path).url == "http://127.0.0.1:8000"


def test_down_with_nothing_to_stop_says_so(data, tmp_path):
    assert "Nothing runs" in ran("down", data=data).output
    assert "Nothing runs" in ran("down", "--data", tmp_path / "nowhere").output


def test_clean_says_what_it_deletes_and_asks(data):
    data.nats.mkdir()
    refused = CliRunner().invoke(build(), ["clean", "--data", str(data.path)], input="n\n")
    assert "nats" in refused.output
    assert data.nats.exists()
    result = ran("clean", "--yes", data=data)
    assert result.exit_code == 0
    assert "Deleted" in result.output
    assert not data.path.exists()


def test_clean_leaves_a_running_platform_and_a_foreign_folder_alone(data, tmp_path):
    lock = data.lock()
    result = ran("clean", "--yes", data=data)
    os.close(lock)
    assert result.exit_code == 1
    assert "lumora down" in result.output
    assert data.is_ours()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "nats").mkdir()
    assert "There is no data" in ran("clean", "--yes", "--data", tmp_path / "other").output
    assert (tmp_path / "other" / "nats").exists()


@pytest.mark.parametrize("arguments", [("up", "--port", "0"), ("up", "--port", "x"), ("up", "--only", "nobody")])
def test_up_refuses_what_cannot_be(arguments):
    result = ran(*arguments)
    assert result.exit_code == 2
    assert arguments[1] in result.output


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute left"),
        (44, "less than a minute left"),
        (45, "about 1 min left"),
        (125, "about 2 min left"),
        (5_399, "about 90 min left"),
        (9_000, "about 2 h left"),
    ],
)
def test_how_long_a_document_takes_is_said_roughly(seconds, said):
    assert time_left(seconds) == said


def test_an_answer_cannot_steer_the_terminal():
    assert printable("a\x1b[2Jb\x07\r\nc\td") == "a[2Jb\nc\td"
