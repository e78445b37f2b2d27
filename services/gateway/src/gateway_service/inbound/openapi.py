"""The OpenAPI document, made from the routes and the contracts they name."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from contracts.errors import Problem
from gateway_service.inbound.problems import MEDIA_TYPE

FILLED_BY_US = ("idempotency", "client")
"""Fields of requests between services that no client sends."""
_FILE: dict[str, Any] = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {
                "file": {"type": "string", "format": "binary"},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
        }
    }
}
_REF = "#/components/schemas/{model}"
_OPEN = {"/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout", "/.well-known/jwks.json"}
_DESCRIPTION = "Answers to a business's customers, in its own voice. Errors are problem details (RFC 9457)."


def taking_file() -> dict[str, Any]:
    """What a route says of its multipart body."""
    return {"requestBody": {"required": True, "content": _FILE}}


def taking_file_or(model: type[BaseModel], *filled: str) -> dict[str, Any]:
    """As `taking`, for a route that takes a multipart upload too."""
    said = taking(model, *filled)
    said["requestBody"]["content"] |= _FILE
    return said


def taking(model: type[BaseModel], *filled: str) -> dict[str, Any]:
    """What a route says of its JSON body: `model` without the fields that the path or the gateway fills."""
    schema = model.model_json_schema(ref_template=_REF)
    for name in (*FILLED_BY_US, *filled):
        schema["properties"].pop(name, None)
    required = [name for name in schema.pop("required", []) if name in schema["properties"]]
    if required:
        schema["required"] = required
    # Unknown fields are passed over, so that a newer client may ask an older platform.
    schema.pop("additionalProperties", None)
    return {"requestBody": {"required": bool(required), "content": {"application/json": {"schema": schema}}}}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    made = get_openapi(title="Lumora", version=app.version, description=_DESCRIPTION, routes=app.routes)
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema(ref_template=_REF)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, operations in made["paths"].items():
        for operation in operations.values():
            _complete(path, operation, schemas)
    return made


def _complete(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Hoist a body's definitions, say how every route refuses, and which need a credential."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for name, schema in content["schema"].pop("$defs", {}).items():
            schemas.setdefault(name, schema)
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "Refused",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }
    if path.startswith(("/api/", "/v1/")) and path not in _OPEN and not path.startswith("/api/chat"):
        operation["security"] = [{"bearer": []}]
