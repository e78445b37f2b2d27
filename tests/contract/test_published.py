"""The committed schemas are the referee: what is generated must be there, and may only grow."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.base import Event, Personal
from contracts.export import HOME, check, undeclared, unexampled, write
from contracts.messages import Message, messages
from contracts.registry import facts, rpcs, works

COMPLETED = "schemas/inference.message_completed.v1.json"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copytree(HOME / "examples", tmp_path / "examples")
    write(tmp_path, may_break=False)
    return tmp_path


def edit(path: Path, field: str, change: object) -> None:
    schema = json.loads(path.read_text())
    schema["properties"][field] = change
    path.write_text(json.dumps(schema))


def completed() -> Message:
    return next(message for message in messages() if message.name == "inference.message_completed")


def test_the_committed_files_are_right() -> None:
    assert check(HOME) == []


def test_every_declared_channel_is_published() -> None:
    stems = {message.stem for message in messages()}
    assert {fact.schema for fact in facts()} | {work.schema for work in works()} <= stems
    for rpc in rpcs():
        assert {f"rpc.{rpc.owner}.{rpc.verb}.{side}.v{rpc.version}" for side in ("request", "reply")} <= stems


def test_a_stale_file_is_refused(home: Path) -> None:
    (home / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n")
    assert check(home) == ["asyncapi.yaml: stale, run `python -m contracts.export`"]


def test_a_missing_schema_is_refused(home: Path) -> None:
    (home / COMPLETED).unlink()
    assert check(home) == [f"{COMPLETED}: stale, run `python -m contracts.export`"]


def test_a_field_that_the_published_version_had_may_not_go(home: Path) -> None:
    edit(home / COMPLETED, "confidence", {"type": "number"})
    assert "inference.message_completed.v1: $.confidence is gone: breaking, declare version 2 beside it" in check(home)


def test_writing_refuses_a_breaking_change_and_leaves_everything(home: Path) -> None:
    edit(home / COMPLETED, "attempt", {"type": "string"})
    before = (home / COMPLETED).read_text()
    with pytest.raises(SystemExit, match="breaking"):
        write(home, may_break=False)
    assert (home / COMPLETED).read_text() == before
    write(home, may_break=True)
    assert check(home) == []


def test_writing_brings_a_benign_change_up_to_date(home: Path) -> None:
    schema = json.loads((home / COMPLETED).read_text())
    del schema["properties"]["attempt"]
    schema["required"].remove("attempt")
    schema["properties"]["finish_reason"]["enum"].remove("blocked")
    (home / COMPLETED).write_text(json.dumps(schema))
    with pytest.raises(SystemExit, match="new and required"):
        write(home, may_break=False)


def test_a_schema_that_nobody_declares_is_refused(home: Path) -> None:
    shutil.copy(home / COMPLETED, home / "schemas" / "inference.forgotten.v1.json")
    assert "schemas/inference.forgotten.v1.json: no channel declares it any more" in check(home)


def test_a_channel_without_owner_reader_or_example_is_refused(tmp_path: Path) -> None:
    lonely = replace(completed(), owner="", senders=(), consumers=(), listeners=())
    assert list(undeclared((lonely,))) == [
        "inference.message_completed.v1: has no owner",
        "inference.message_completed.v1: nobody consumes it or listens to it",
    ]
    (sentence,) = unexampled((lonely,), tmp_path)
    assert "has no example" in sentence


class Leaked(Event):
    """A fact with a person's words in it, deep inside."""

    notes: tuple[Personal[str], ...] | None = None


def test_a_fact_with_personal_data_is_refused() -> None:
    (sentence,) = undeclared((replace(completed(), model=Leaked),))
    assert "personal data" in sentence


def test_an_example_that_lies_is_refused(home: Path) -> None:
    wrong = home / "examples" / "valid" / "inference.message_completed.v1.json"
    wrong.write_text(json.dumps({**json.loads(wrong.read_text()), "undeclared": 1}))
    shutil.copy(home / "examples/valid/job.answer.v1.json", home / "examples/invalid/job.answer.v1.fine.json")
    shutil.copy(wrong, home / "examples/valid/nobody.v1.json")
    assert check(home) == [
        "inference.message_completed.v1: its valid example is refused: undeclared Extra inputs are not permitted",
        "examples/invalid/job.answer.v1.fine.json: is accepted",
        "examples/valid/nobody.v1.json: no such message",
    ]
