"""Each framework has its room, and settings are read where everything is connected."""

import ast
from collections.abc import Iterator

import pytest

from tests.conventions.source import Source, in_services

ROOMS = {
    "fastapi": {"inbound", "app.py"},
    "starlette": {"inbound", "app.py"},
    "faststream": set[str](),
    "sqlmodel": {"outbound"},
    "sqlalchemy": {"outbound"},
    "aiohttp": {"outbound"},
    "httpx": {"outbound"},
    "obstore": {"outbound"},
    "onnxruntime": {"outbound"},
    "qdrant_edge": {"outbound"},
    "qdrant_client": {"outbound"},
}
ALWAYS = {"__main__.py", "app.py", "settings.py"}
KNOWN = {"inbound", "domain", "outbound", *ALWAYS, "__init__.py", "build_model.py", "pages"}
"""`pages` holds files for browsers, `build_model.py` is a command of its own."""


def imported(source: Source) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom):
            yield node, node.module or ""
        elif isinstance(node, ast.Import):
            yield from ((node, name.name) for name in node.names)


@pytest.mark.parametrize("framework", ROOMS)
def test_a_framework_stays_in_its_room(framework: str) -> None:
    found = [
        source.at(node)
        for source in in_services()
        for node, module in imported(source)
        if module.split(".")[0] == framework and source.room not in ROOMS[framework]
    ]
    assert found == []


def test_settings_are_read_at_the_top_alone() -> None:
    found = [
        source.at(node)
        for source in in_services()
        for node, module in imported(source)
        if module == f"{source.service}_service.settings" and source.room not in {"app.py", "__main__.py"}
    ]
    assert found == []


def test_no_other_room_exists() -> None:
    assert sorted({str(source.path) for source in in_services() if source.room not in KNOWN}) == []
