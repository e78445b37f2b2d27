"""One message, one transaction: the runtime commits, and its helper is the only way to a session."""

import ast

from tests.conventions.source import in_services

ENDINGS = {"commit", "rollback", "begin_nested"}
DOORS = {"create_async_engine", "create_engine", "create_pool", "AsyncSession", "async_sessionmaker", "sessionmaker"}


def calls() -> list[tuple[str, str]]:
    """Every call in a service: its place and the last part of its name."""
    found = []
    for source in in_services():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                found.append((source.at(node), name))
    return found


def test_no_service_ends_a_transaction() -> None:
    assert [place for place, name in calls() if name in ENDINGS] == []


def test_no_service_opens_a_session_of_its_own() -> None:
    assert [place for place, name in calls() if name in DOORS] == []


def test_no_service_imports_a_driver_of_postgres() -> None:
    drivers = {"asyncpg", "psycopg", "psycopg2"}
    found = [
        source.at(node)
        for source in in_services()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
        if name.split(".")[0] in drivers
    ]
    assert found == []


def test_there_is_something_to_look_at() -> None:
    assert any(name == "tenant_tx" for _, name in calls())
