"""A name says what a thing is: no drawer for everything, no class that manages or helps."""

import ast
import re

from tests.conventions.source import in_packages, in_services, sources

DRAWERS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "base", "shared", "stuff"}
VAGUE = re.compile(r"(^Base[A-Z])|(^I[A-Z][a-z])|(Manager|Helper|Utils?|Impl)$")


def test_no_file_or_folder_of_a_service_is_a_drawer() -> None:
    found = [
        str(source.path) for source in in_services() if DRAWERS & {source.path.stem, *source.path.parent.parts[3:]}
    ]
    assert found == []


def test_no_class_is_vague() -> None:
    found = [
        f"{source.at(node)} {node.name}"
        for source in in_packages()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and VAGUE.search(node.name)
    ]
    assert found == []


def test_every_package_of_a_service_is_called_after_it() -> None:
    assert [str(s.path) for s in in_services() if s.path.parts[3] != f"{s.service}_service"] == []


def test_no_test_imports_a_conftest() -> None:
    found = [
        source.at(node)
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("conftest")
    ]
    assert found == []
