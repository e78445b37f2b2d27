"""Subjects are joined with dots in contracts/subjects.py alone: elsewhere an id could smuggle in a wildcard."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conventions.source import Source, in_packages

KINDS = ("evt.", "job.", "rpc.", "raw.", "rcp.", "tok.", "ctl.", "rate.", "try.", "dlq.")
HOME = Path("libs/contracts/src/contracts/subjects.py")
NAMES = Path("libs/contracts/src/contracts/channel.py")
"""Names of schemas look like subjects; nothing is ever published there."""


def test_no_subject_is_joined_elsewhere() -> None:
    found = [place for source in in_packages() if source.path not in {HOME, NAMES} for place in joined(source)]
    assert found == []


def joined(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if _is_subject(_head(node)):
            yield source.at(node)


def _head(node: ast.AST) -> ast.AST | None:
    """What a joined text begins with: f"…{x}", "…" + x, "…" % x, "…".format(x), ".".join(("…", x))."""
    match node:
        case ast.JoinedStr(values=[first, _, *_]):
            return first
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod()):
            return left
        case ast.Call(func=ast.Attribute(value=ast.Constant(value="."), attr="join"), args=[parts]):
            return _with_dot(parts)
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            return text
    return None


def _with_dot(parts: ast.expr) -> ast.AST | None:
    first = parts.elts[0] if isinstance(parts, ast.Tuple | ast.List) and parts.elts else None
    return ast.Constant(f"{first.value!s}.") if isinstance(first, ast.Constant) else None


def _is_subject(head: ast.AST | None) -> bool:
    return isinstance(head, ast.Constant) and isinstance(head.value, str) and head.value.startswith(KINDS)


@pytest.mark.parametrize(
    "text",
    ['f"evt.x.{tenant}"', '"tok." + tenant', '"job.%s" % queue', '"rpc.{}".format(verb)', '".".join(("dlq", s))'],
)
def test_every_way_of_joining_is_seen(text: str) -> None:
    assert list(joined(Source(HOME, text, ast.parse(text))))


@pytest.mark.parametrize("text", ['"tok.*.*.*"', 'f"event {name}"', '".".join(parts)', 'f"{kind}.x"'])
def test_other_texts_are_left_alone(text: str) -> None:
    assert list(joined(Source(HOME, text, ast.parse(text)))) == []
