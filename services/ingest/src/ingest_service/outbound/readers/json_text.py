"""JSON: names and values, a list of flat records as a table, anything deeper as lines `path: value`."""

import json
from collections.abc import Iterator
from typing import Any, Final

from ingest_service.domain import media_types
from ingest_service.domain.encoding import decode
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers.grid import shown
from ingest_service.outbound.readers.ports import Say

LONG_CELL: Final = 200
"""Characters from which a record's value is no cell of a table."""


def read(data: bytes, say: Say) -> Manuscript:
    text = decode(data)
    composer = Composer()
    values, kind = _values(text)
    if _is_flat(values):
        _write_table(composer, values)
    else:
        for value in values:
            composer.paragraph("\n".join(_lines(value, "")))
    say(1, 1)
    return composer.manuscript(kind)


def _values(text: str) -> tuple[list[Any], str]:
    try:
        value = json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        return [json.loads(line) for line in lines], media_types.JSON_LINES
    return value if isinstance(value, list) else [value], media_types.JSON


def _is_flat(values: list[Any]) -> bool:
    """Several records of the same short fields."""
    if len(values) <= 1 or not all(isinstance(value, dict) for value in values):
        return False
    names = set(values[0])
    cells = (cell for value in values for cell in value.values())
    return all(set(value) <= names for value in values) and all(
        not isinstance(cell, dict | list) and len(str(cell)) <= LONG_CELL for cell in cells
    )


def _write_table(composer: Composer, values: list[dict[str, Any]]) -> None:
    names = list(values[0])
    composer.table([names, *([shown(value.get(name)) for name in names] for value in values)], has_header=True)


def _lines(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _lines(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _lines(inner, path)
    elif value not in {None, ""}:
        yield f"{path}: {shown(value)}" if path else shown(value)
