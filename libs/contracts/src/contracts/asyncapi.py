"""The AsyncAPI 3 document: every channel with its messages, and an operation for each service that says or hears it."""

import json
from collections.abc import Iterator
from typing import Any

from contracts.json_schema import DIALECT
from contracts.messages import Message

Document = dict[str, Any]
VERSION = "3.0.0"
_SCHEMA_FORMAT = f"application/schema+json;version={DIALECT.split('/')[-2]}"


def document(found: tuple[Message, ...], product_version: str) -> Document:
    """`found` are all messages; payloads point to the schemas beside the document."""
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Lumora",
            "version": product_version,
            "description": "What Lumora's services say to each other on NATS, and the WebSocket frames of /api/chat.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": _channels(found),
        "operations": dict(_operations(found)),
        "components": {"messages": {message.stem: _message(message) for message in found}},
    }


def to_yaml(node: Any, indent: str = "") -> str:
    """Block YAML of plain data: mappings and lists are laid out, every scalar is JSON, which YAML contains."""
    if isinstance(node, dict) and node:
        return "".join(_entry(f"{indent}{_key(key)}:", value, indent) for key, value in node.items())
    if isinstance(node, list) and node:
        return "".join(_entry(f"{indent}-", value, indent) for value in node)
    return f"{indent}{json.dumps(node, ensure_ascii=False)}\n"


def _entry(head: str, value: Any, indent: str) -> str:
    if isinstance(value, dict | list) and value:
        return f"{head}\n{to_yaml(value, indent + '  ')}"
    return f"{head} {json.dumps(value, ensure_ascii=False)}\n"


def _key(key: str) -> str:
    return key if key.replace("_", "a").replace("-", "a").isalnum() and not key.isdigit() else json.dumps(key)


def _channel_of(message: Message) -> str:
    """Messages that share an address share a channel; the RPC's request and reply are one."""
    if message.kind in {"request", "reply"}:
        return f"{message.address}.v{message.version}"
    if message.kind == "flow":
        return message.name.split(".", 1)[0]
    return "chat" if message.kind == "frame" else message.stem


def _channels(found: tuple[Message, ...]) -> Document:
    channels: Document = {}
    for message in found:
        channel = channels.setdefault(_channel_of(message), _channel(message))
        channel["messages"][message.stem] = {"$ref": f"#/components/messages/{message.stem}"}
    return channels


def _channel(message: Message) -> Document:
    names = [part.removeprefix("{").removesuffix("}") for part in message.address.split(".") if part.startswith("{")]
    channel: Document = {"address": message.address, "messages": {}, "x-owner": message.owner}
    if names:
        channel["parameters"] = {name: {} for name in names}
    if message.stream:
        channel["x-stream"] = message.stream
    return channel


def _message(message: Message) -> Document:
    # "Why" is the docstring's first line; the rest is for those who read the code.
    summary = (message.model.__doc__ or message.model.__name__).strip().splitlines()[0]
    return {
        "name": message.stem,
        "title": message.model.__name__,
        "summary": summary,
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./schemas/{message.stem}.json"}},
        "x-senders": list(message.senders),
        "x-consumers": list(message.consumers),
        "x-listeners": list(message.listeners),
    }


def _operations(found: tuple[Message, ...]) -> Iterator[tuple[str, Document]]:
    for message in found:
        if message.kind == "reply":
            continue
        for sender in message.senders:
            yield f"{sender}.sends.{message.stem}", _operation("send", sender, message)
        for reader in message.readers:
            yield f"{reader}.hears.{message.stem}", _operation("receive", reader, message)


def _operation(action: str, service: str, message: Message) -> Document:
    channel = f"#/channels/{_channel_of(message)}"
    operation: Document = {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{message.stem}"}],
        "tags": [{"name": service}],
    }
    if message.reply:
        operation["reply"] = {
            "channel": {"$ref": channel},
            "messages": [{"$ref": f"{channel}/messages/{message.reply}"}],
        }
    return operation
