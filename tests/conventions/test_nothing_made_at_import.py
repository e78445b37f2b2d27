"""Importing a service makes nothing and reads nothing: `app.build` connects once, at the top.

Constants may be computed: values, compiled patterns, SQL texts, frozen value objects. Loggers and metrics are declared.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conventions.source import Source, in_packages, in_services

DECLARED = {
    "TypeVar",
    "NewType",
    "ParamSpec",
    "TypeAdapter",
    "Counter",
    "Gauge",
    "Histogram",
    "Path",
    "Field",
    "Decimal",
}
# What FastAPI and pydantic read from a signature.
DECLARED |= {"BeforeValidator", "Depends", "Query", "Header", "Body", "Form", "File", "Security"}
MAKERS = {
    "connect",
    "open",
    "start",
    "run",
    "create_task",
    "getenv",
    "create_pool",
    "create_async_engine",
    "get_event_loop",
}
FROZEN_BASES = {"NamedTuple", "Enum", "StrEnum", "IntEnum"}


def test_no_service_makes_an_instance_at_import() -> None:
    assert [place for source in in_services() for place in made(source)] == []


def made(source: Source) -> Iterator[str]:
    for statement in source.tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        if isinstance(statement, ast.If) and "__main__" in ast.unparse(statement.test):
            continue
        for node in ast.walk(statement):
            if is_made(node) and not _is_inside_lambda(statement, node):
                yield f"{source.at(node)} {ast.unparse(node)[:60]}"


def is_made(node: ast.AST) -> bool:
    """Is this an instance of a class that is no value, a call that opens something, or a look at the environment?"""
    if isinstance(node, ast.Attribute):
        return node.attr == "environ"
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    is_class = name[:1].isupper() and not name.isupper()
    return name in MAKERS or (is_class and name not in DECLARED | frozen_classes())


def _is_inside_lambda(statement: ast.AST, node: ast.AST) -> bool:
    lambdas = (each for each in ast.walk(statement) if isinstance(each, ast.Lambda))
    return any(node is inner for each in lambdas for inner in ast.walk(each))


@cache
def frozen_classes() -> frozenset[str]:
    """Our own classes whose instances are values."""
    classes = (node for source in in_packages() for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))
    return frozenset(node.name for node in classes if _is_frozen(node))


def _is_frozen(node: ast.ClassDef) -> bool:
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    decorators = " ".join(ast.unparse(each) for each in node.decorator_list)
    return bool(bases & FROZEN_BASES) or "frozen=True" in decorators


@pytest.mark.parametrize(
    "text", ["client = Client()", "app = FastAPI(title='x')", "URL = os.environ['URL']", "pool = asyncpg.connect(URL)"]
)
def test_what_is_made_is_seen(text: str) -> None:
    assert list(made(Source(Path("x.py"), text, ast.parse(text))))


@pytest.mark.parametrize(
    "text",
    ["WORD = re.compile('a')", "T = TypeVar('T')", "if __name__ == '__main__':\n    Client()", "f = lambda: Client()"],
)
def test_what_is_declared_is_left_alone(text: str) -> None:
    assert list(made(Source(Path("x.py"), text, ast.parse(text)))) == []
