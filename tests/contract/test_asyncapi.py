"""asyncapi.yaml is YAML that says what the declarations say, and every reference in it leads somewhere."""

from collections.abc import Iterator
from typing import Any

import yaml

from contracts import asyncapi
from contracts.export import HOME
from contracts.messages import messages

LOADED: dict[str, Any] = yaml.safe_load((HOME / "asyncapi.yaml").read_text())


def references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from references(part)
    elif isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for part in node.values():
            yield from references(part)


def resolve(reference: str) -> object:
    if reference.startswith("./"):
        return (HOME / reference).is_file()
    node: Any = LOADED
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def test_the_yaml_means_what_was_generated() -> None:
    assert asyncapi.document(messages(), LOADED["info"]["version"]) == LOADED


def test_awkward_values_survive_the_yaml() -> None:
    awkward: dict[str, Any] = {"a:b": ["", "no", "1", None, True, {}, [], {"x": [["deep"]]}], "line": "1\n2: #3"}
    assert yaml.safe_load(asyncapi.to_yaml(awkward)) == awkward


def test_every_reference_leads_somewhere() -> None:
    found = list(references(LOADED))
    assert len(found) > len(messages())
    assert all(resolve(reference) for reference in found)


def test_every_message_is_sent_and_heard_by_somebody() -> None:
    spoken: dict[str, set[str]] = {"send": set(), "receive": set()}
    for operation in LOADED["operations"].values():
        for part in [*operation["messages"], *operation.get("reply", {}).get("messages", [])]:
            spoken[operation["action"]].add(part["$ref"].rsplit("/", 1)[1])
    stems = {message.stem for message in messages()}
    assert spoken == {"send": stems, "receive": stems}


def test_a_channel_shows_owner_address_and_stream() -> None:
    channel = LOADED["channels"]["inference.message_completed.v1"]
    assert channel["address"] == "evt.inference.message_completed.v1.{tenant_id}.{conversation_id}"
    assert (channel["x-owner"], channel["x-stream"]) == ("inference", "EVENTS")
    message = LOADED["components"]["messages"]["inference.message_completed.v1"]
    assert (message["x-consumers"], message["x-listeners"]) == (["learning"], ["gateway"])
