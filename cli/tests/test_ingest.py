import json

import pytest
from typer.testing import CliRunner

from cli.tests.doors import serving
from lumora.__main__ import build

ARCHIVE = {
    "id": "1",
    "title": "shop",
    "filename": "shop.zip",
    "state": "ready",
    "progress": 1.0,
    "media_type": "application/zip",
    "pages": 4,
    "error": None,
    "led_to": 3,
    "led_to_ready": 3,
    "led_to_failed": 0,
}
SENT = {**ARCHIVE, "state": "received", "progress": 0.0, "led_to": None, "led_to_ready": None, "led_to_failed": None}
REFUSED = {"code": "archive_refused", "detail": "Unpack it."}
INNER = {"id": "2", "title": "inner", "path": "more/inner.zip", "error": REFUSED}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "shop.zip"
    path.write_text("x")
    return path


def ran(answers, path, *options):
    with serving(answers) as (port, asked):
        connected = ("--url", f"http://127.0.0.1:{port}", "--api-key", "lum_x")
        result = CliRunner().invoke(build(), ["ingest", str(path), *connected, *options])
    return result, asked


def answers(*looks, listed=()):
    """`looks`: what the document is, one after the other; `listed`: what any list of documents holds."""
    return {
        "POST /api/documents": (202, SENT),
        "PUT /api/documents/1": (202, SENT),
        "GET /api/documents": (200, {"items": list(listed), "next_cursor": None}),
        "GET /api/documents/1": [(200, look) for look in looks],
    }


def test_what_came_of_a_document_is_waited_for(path):
    moving = {**ARCHIVE, "led_to_ready": 1}
    result, asked = ran(answers({**SENT, "led_to": 0}, moving, ARCHIVE), path)
    assert result.exit_code == 0, result.output
    assert [each for each, _, _ in asked].count("/api/documents/1") == 3
    assert "3 of 3 documents that came of it are ready" in result.output
    assert "of its 4 files 1 were here already" in result.output


@pytest.mark.parametrize("told", [0, None])
def test_a_document_that_led_to_nothing_is_done_when_it_is_ready(path, told):
    counts = dict.fromkeys(("led_to", "led_to_ready", "led_to_failed"), told)
    result, _ = ran(answers({**ARCHIVE, "media_type": "text/plain", **counts}), path)
    assert (result.exit_code, "came of it" in result.output) == (0, False), result.output


@pytest.mark.parametrize("is_json", [False, True])
def test_what_failed_of_it_is_named_with_the_reason(path, is_json):
    whole = {**ARCHIVE, "led_to_ready": 2, "led_to_failed": 1}
    result, _ = ran(answers(whole, listed=[INNER]), path, *(["--json"] if is_json else []))
    assert result.exit_code == 1
    if is_json:
        told = json.loads(result.output)
        assert (told["led_to_failed"], [each["path"] for each in told["failed"]]) == (1, ["more/inner.zip"])
    else:
        assert "shop.zip: more/inner.zip: Unpack it." in result.output
        assert "2 of 3 documents that came of it are ready" in result.output


def test_what_does_not_get_ready_is_not_waited_for_without_end(path):
    result, _ = ran(answers({**ARCHIVE, "led_to_ready": 1}), path, "--timeout", "1")
    assert result.exit_code == 1
    assert "2 of 3 documents that came of it are still not ready" in result.output


def test_a_version_that_cannot_be_read_is_a_failure_though_the_one_before_is_ready(path):
    looks = {**ARCHIVE, "error": {"code": "archive_refused", "detail": "The archive is damaged."}}
    result, asked = ran(answers(looks, listed=[{**ARCHIVE, "came_of": None}]), path, "--replace")
    assert (result.exit_code, "The archive is damaged." in result.output) == (1, True)
    assert any(b'filename="shop.zip"' in body for _, _, body in asked)


@pytest.mark.parametrize(
    ("named", "sent"),
    [
        ([], "POST /api/documents"),
        ([{"came_of": "9"}, {"state": "deleting"}], "POST /api/documents"),
        ([{"came_of": "9"}, {"filename": "other.zip"}, {}], "PUT /api/documents/1"),
        ([{}, {}], None),
    ],
)
def test_a_file_replaces_the_one_document_that_was_uploaded_under_its_name(path, named, sent):
    listed = [{**ARCHIVE, "came_of": None, **each} for each in named]
    given = answers(ARCHIVE, listed=listed)
    for method in ("POST /api/documents", "PUT /api/documents/1"):
        if method != sent:
            given[method] = (500, {})
    result, _ = ran(given, path, "--replace")
    assert result.exit_code == (0 if sent else 1), result.output
    assert ("2 documents are called shop.zip" in result.output) == (sent is None)
