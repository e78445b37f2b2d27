"""A change of a schema is judged by what the other side, still running the old one, would meet."""

import dataclasses
from typing import Any

import pytest

from contracts.compat import advice, diff
from contracts.json_schema import schema_of
from contracts.messages import Message, messages

OLD: dict[str, Any] = {
    "type": "object",
    "$defs": {"Part": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "state": {"type": "string", "enum": ["open", "shut"]},
        "note": {"type": "string", "maxLength": 10, "minLength": 1},
        "score": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}], "default": None},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
    },
    "required": ["id", "state"],
}


def with_field(name: str, field: dict[str, Any], *, needed: bool = False) -> dict[str, Any]:
    required = [*OLD["required"], name] if needed else OLD["required"]
    return {**OLD, "properties": {**OLD["properties"], name: field}, "required": required}


def without(name: str) -> dict[str, Any]:
    kept = {key: value for key, value in OLD["properties"].items() if key != name}
    return {**OLD, "properties": kept, "required": [key for key in OLD["required"] if key != name]}


BREAKING = {
    "removed": without("note"),
    "renamed": {**without("note"), "properties": {**without("note")["properties"], "remark": {"type": "string"}}},
    "retyped": with_field("note", {"type": "integer"}),
    "another format": with_field("id", {"type": "string", "format": "email"}),
    "new and required": with_field("more", {"type": "string"}, needed=True),
    "newly required": with_field("note", OLD["properties"]["note"], needed=True),
    "narrowed enum": with_field("state", {"type": "string", "enum": ["open"]}),
    "enum where none was": with_field("note", {"type": "string", "maxLength": 10, "minLength": 1, "enum": ["a"]}),
    "lower maximum": with_field("note", {"type": "string", "maxLength": 9, "minLength": 1}),
    "higher minimum": with_field("note", {"type": "string", "maxLength": 10, "minLength": 2}),
    "null refused": with_field("score", {"type": "number", "minimum": 0}),
    "bound inside an alternative": with_field(
        "score", {"anyOf": [{"type": "number", "minimum": 1}, {"type": "null"}], "default": None}
    ),
    "pattern": with_field("note", {"type": "string", "maxLength": 10, "minLength": 1, "pattern": "^a"}),
    "inside a referenced item": {**OLD, "$defs": {"Part": {"type": "object", "properties": {}}}},
}
READERS_FIRST = {
    "wider enum": with_field("state", {"type": "string", "enum": ["open", "shut", "lost"]}),
    "higher maximum": with_field("note", {"type": "string", "maxLength": 11, "minLength": 1}),
    "no minimum": with_field("note", {"type": "string", "maxLength": 10}),
    "null allowed": with_field("id", {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]}),
    "no longer required": {**OLD, "required": ["id"]},
}
EITHER = {
    "optional field": with_field("more", {"type": "string", "default": ""}),
    "another default": with_field("score", {**OLD["properties"]["score"], "default": 0}),
}


@pytest.mark.parametrize("new", BREAKING.values(), ids=BREAKING.keys())
def test_breaking(new: dict[str, Any]) -> None:
    assert [change for change in diff(OLD, new) if change.is_breaking]


@pytest.mark.parametrize("new", READERS_FIRST.values(), ids=READERS_FIRST.keys())
def test_what_widens_is_deployed_where_it_is_read_first(new: dict[str, Any]) -> None:
    assert [change.first for change in diff(OLD, new)] == ["readers"]


@pytest.mark.parametrize("new", EITHER.values(), ids=EITHER.keys())
def test_what_may_be_deployed_in_any_order(new: dict[str, Any]) -> None:
    assert [change.first for change in diff(OLD, new)] == ["either"]


def test_wording_is_no_change() -> None:
    assert diff(OLD, {**OLD, "title": "Thing", "description": "Another sentence."}) == []


@pytest.mark.parametrize("message", messages(), ids=lambda message: message.stem)
def test_every_published_schema_equals_itself(message: Message) -> None:
    assert diff(schema_of(message), schema_of(message)) == []


def completed() -> Message:
    return next(message for message in messages() if message.name == "inference.message_completed")


def test_the_advice_names_the_readers_that_go_first() -> None:
    old = schema_of(completed())
    new = {**old, "properties": {**old["properties"], "attempt": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}
    (change,) = diff(old, new)
    sentence = advice(completed(), change)
    assert sentence.endswith("benign, deploy learning, gateway (reads it) before inference")


def test_the_advice_for_a_breaking_change_is_the_next_version() -> None:
    (change,) = diff(OLD, without("note"))
    assert advice(completed(), change).endswith("$.note is gone: breaking, declare version 2 beside it")


def test_clients_cannot_be_deployed_first() -> None:
    frame = next(message for message in messages() if message.name == "frame.server.pong")
    (change,) = diff(OLD, READERS_FIRST["wider enum"])
    assert "announce it" in advice(frame, change)
    assert "announce" not in advice(dataclasses.replace(frame, consumers=("gateway",)), change)
