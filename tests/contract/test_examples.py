"""Examples are written by hand: they hold the declarations to what was meant."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from contracts.export import HOME
from contracts.messages import Message, messages

VALID = sorted((HOME / "examples" / "valid").glob("*.json"))
INVALID = sorted((HOME / "examples" / "invalid").glob("*.json"))


@cache
def by_stem() -> dict[str, Message]:
    return {message.stem: message for message in messages()}


def schema_errors(message: Message, payload: Any) -> list[str]:
    schema = json.loads((HOME / "schemas" / f"{message.stem}.json").read_text())
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(payload)]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_example_is_read_and_fits_the_published_schema(path: Path) -> None:
    message = by_stem()[path.stem]
    assert message.model.read(path.read_bytes())
    assert schema_errors(message, json.loads(path.read_text())) == []


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_what_we_write_fits_the_published_schema(path: Path) -> None:
    message = by_stem()[path.stem]
    written = message.model.read(path.read_bytes()).dump()
    assert schema_errors(message, json.loads(written)) == []


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_reader_ignores_the_field_of_a_newer_sender(path: Path) -> None:
    message = by_stem()[path.stem]
    newer = {**json.loads(path.read_text()), "added_later": 1}
    assert message.model.read(json.dumps(newer)) == message.model.read(path.read_bytes())
    assert schema_errors(message, newer) == []


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_example_is_refused_by_model_and_schema(path: Path) -> None:
    message = by_stem()[path.stem.rsplit(".", 1)[0]]
    with pytest.raises(ValidationError):
        message.model.read(path.read_bytes())
    assert schema_errors(message, json.loads(path.read_text()))


def test_every_message_has_an_example() -> None:
    assert {path.stem for path in VALID} == set(by_stem())


def test_every_fact_and_job_shows_what_it_refuses() -> None:
    shown = {path.stem.rsplit(".", 1)[0] for path in INVALID}
    important = {message.stem for message in messages() if message.kind in {"fact", "job"}}
    assert important - shown <= {"ingest.document_deleted.v1"}
