"""Silencing a check names what is silenced and why, in the same line."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conventions.source import ROOT, sources

MARK = re.compile(r"#\s*(?:noqa|type:\s*ignore|ruff:\s*noqa|mypy:\s*ignore-errors|pyright:)")
NOQA = re.compile(r"#\s*(?:ruff:\s*)?noqa:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*")
IGNORE = re.compile(r"#\s*type:\s*ignore\[[a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*\]")
WORD = re.compile(r"[^\W\d_]+")


def test_every_suppression_names_code_and_reason() -> None:
    assert [place for source in sources() for place in unexplained(source.path, source.text)] == []


def unexplained(path: Path, text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and MARK.search(token.string) and not _is_explained(token.string):
            yield f"{path}:{token.start[0]} {token.string}"


def _is_explained(comment: str) -> bool:
    reason = IGNORE.sub("", NOQA.sub("", comment))
    return MARK.search(reason) is None and len(WORD.findall(reason)) > 1


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: S608",
        "# type: ignore",
        "# type: ignore[misc]",
        "# noqa: S608 - ours",
        "# ruff: noqa",
        "# noqa - a reason",
    ],
)
def test_an_unexplained_one_is_seen(comment: str) -> None:
    assert list(unexplained(ROOT, f"x = 1  {comment}\n"))


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: S608 - our own name",
        "# type: ignore[misc] # the stub is wrong",
        "# noqa: S311, S608  no secret",
        "# a word",
    ],
)
def test_an_explained_one_is_left_alone(comment: str) -> None:
    assert list(unexplained(ROOT, f"x = 1  {comment}\n")) == []


def test_ruff_and_mypy_have_a_reason_beside_every_ignore() -> None:
    lines = (ROOT / "pyproject.toml").read_text().split("ignore = [", 1)[1].split("]", 1)[0].strip().splitlines()
    assert [line for line in lines if "#" not in line] == []
