import json
from datetime import datetime

import pytest
from typer.testing import CliRunner

from cli.tests.doors import serving
from lumora.__main__ import build

EXTRACTIVE = {"id": "extractive/sentences", "provider": "extractive", "name": "sentences", "capabilities": ["chat"]}
OLLAMA = {"id": "ollama/small:1b", "provider": "ollama", "name": "small:1b", "capabilities": ["chat", "stream"]}
READY = {"state": "ready", "progress": 1.0, "pages": 1, "error": None}
AGENT = {"id": "0197-a", "name": "Shop", "model": "ollama/small:1b", "autonomy": "auto", "is_default": True}


def ran(command, path, content, *options):
    with serving({path: (200, content)}) as (port, asked):
        url = f"http://127.0.0.1:{port}"
        result = CliRunner().invoke(build(), [command, "--url", url, "--api-key", "lum_x", *options])
    assert asked[0][1]["Authorization"] == "Bearer lum_x"
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("items", [[], [EXTRACTIVE]])
def test_models_without_a_provider_say_which_variable_to_set(items):
    told = ran("models", "/api/models", {"items": items, "next_cursor": None})
    assert "OLLAMA_HOST" in told


def test_models_are_listed_by_the_id_that_names_them():
    told = ran("models", "/api/models", {"items": [OLLAMA, EXTRACTIVE], "next_cursor": None})
    assert told.index("extractive/sentences") < told.index("ollama/small:1b")
    assert "OLLAMA_HOST" not in told


def test_models_as_json_are_the_platforms_own():
    told = ran("models", "/api/models", {"items": [OLLAMA], "next_cursor": None}, "--json")
    assert json.loads(told) == {"items": [OLLAMA]}


def test_agents_are_listed_and_the_default_is_named():
    told = ran("agents", "/api/agents", {"items": [AGENT], "next_cursor": None})
    assert AGENT["id"] in told
    assert "default" in told


def test_no_agent_is_a_sentence_and_as_json_an_empty_list():
    assert "no agent yet" in ran("agents", "/api/agents", {"items": [], "next_cursor": None})
    assert json.loads(ran("agents", "/api/agents", {"items": []}, "--json")) == {"items": []}


def test_a_search_is_within_what_was_asked_for():
    options = ("--tag", "policy", "--tag", "sale", "--document", "0197-d", "--language", "en", "--since", "2026-05-01")
    with serving({"/api/search": (200, {"items": []})}) as (port, asked):
        url = f"http://127.0.0.1:{port}"
        result = CliRunner().invoke(build(), ["search", "x", "--url", url, "--api-key", "lum_x", *options])
    assert result.exit_code == 0, result.output
    filters = json.loads(asked[0][2])["filters"]
    since = datetime.fromisoformat(filters.pop("created_since"))
    assert filters == {"tags": ["policy", "sale"], "document_ids": ["0197-d"], "languages": ["en"]}
    assert since == datetime(2026, 5, 1).astimezone()


def test_documents_come_in_with_their_tags(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("# Hi")
    answers = {"/api/documents": (202, {"id": "1"}), "/api/documents/1": (200, READY)}
    sources = (str(path), "https://www.example.com/help")
    with serving(answers) as (port, asked):
        options = ("--url", f"http://127.0.0.1:{port}", "--api-key", "lum_x", "--tag", "policy", "--tag", "sale")
        result = CliRunner().invoke(build(), ["ingest", *sources, *options])
    assert result.exit_code == 0, result.output
    bodies = [body for path, _, body in asked if path == "/api/documents"]
    page = next(body for body in bodies if body.startswith(b"{"))
    assert json.loads(page)["tags"] == ["policy", "sale"]
    assert sum(b'name="tags"\r\n\r\npolicy\r\n' in body for body in bodies) == 1
