"""The published form of a contract: a JSON Schema of what a reader may rely on.

Readers ignore fields they do not know, so a schema does not close its objects; generated titles of fields are left out.
"""

from typing import Any

from contracts.base import PERSONAL
from contracts.messages import Message

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(message: Message) -> Schema:
    """What a payload must look like to be read; a field with a default need not be there."""
    generated: Schema = _open(message.model.model_json_schema(mode="validation"))
    if "const" in generated.get("properties", {}).get("type", {}):
        # A frame is told apart by its type: it is always there, though a model knows its own.
        generated["required"] = ["type", *generated.get("required", ())]
    return {"$schema": DIALECT, "$id": f"urn:lumora:{message.stem}", **generated}


def personal_paths(schema: Schema) -> list[str]:
    """Where a schema holds values marked `Personal`, as paths from its root."""
    return sorted(_personal(schema, "$"))


def _open(node: Any, *, is_field_map: bool = False) -> Any:
    if isinstance(node, list):
        return [_open(part) for part in node]
    if not isinstance(node, dict):
        return node
    if is_field_map:
        return {name: _untitled(_open(field)) for name, field in node.items()}
    return {
        key: _open(value, is_field_map=key in {"properties", "$defs"})
        for key, value in node.items()
        if (key, value) != ("additionalProperties", False)
    }


def _untitled(field: Schema) -> Schema:
    return {key: value for key, value in field.items() if key != "title"}


def _personal(node: Any, path: str) -> list[str]:
    if isinstance(node, list):
        return [found for index, part in enumerate(node) for found in _personal(part, f"{path}[{index}]")]
    if not isinstance(node, dict):
        return []
    own = [path] if node.get(PERSONAL) is True else []
    return own + [found for key, value in node.items() for found in _personal(value, f"{path}.{key}")]
