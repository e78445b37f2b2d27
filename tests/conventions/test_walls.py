"""A file is read in one go, a function at a glance: 350 lines (tests 500), 60 lines."""

import ast

import pytest

from tests.conventions.source import Source, sources

FILE, TEST_FILE, FUNCTION = 350, 500, 60


def test_no_file_is_longer_than_its_wall() -> None:
    too_long = {
        str(source.path): lines
        for source in sources()
        if (lines := len(source.text.splitlines())) > (TEST_FILE if source.is_test else FILE)
    }
    assert too_long == {}


def test_no_function_is_longer_than_its_wall() -> None:
    assert [place for source in sources() for place in too_long_functions(source)] == []


def too_long_functions(source: Source) -> list[str]:
    functions = (node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [source.at(node) for node in functions if (node.end_lineno or 0) - node.lineno >= FUNCTION]


@pytest.mark.parametrize(("lines", "is_refused"), [(60, False), (61, True)])
def test_the_wall_stands_where_it_says(lines: int, is_refused: bool) -> None:
    text = "def long():\n" + "    pass\n" * (lines - 1)
    source = Source(sources()[0].path, text, ast.parse(text))
    assert bool(too_long_functions(source)) == is_refused
