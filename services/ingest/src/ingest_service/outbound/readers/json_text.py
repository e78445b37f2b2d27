"""JSON: names and values, a list of flat records as a table, anything deeper as lines `path: value`."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ingest_service.domain import media_types
from ingest_service.domain.encoding import decode
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers.grid import shown
from ingest_service.outbound.readers.ports import Say

LONG_CELL: Final = 200
"""Characters from which a record's value is no cell of a table."""
MOST_SHOWN: Final = 10
"""Numbers of lines in a note."""


def read(data: bytes, say: Say) -> Manuscript:
    text = decode(data)
    composer = Composer()
    try:
        value = json.loads(text)
    except ValueError:
        _write_lines(composer, text.split("\n"))
        kind = media_types.JSON_LINES
    else:
        _write(composer, value if isinstance(value, list) else [value])
        kind = media_types.JSON
    say(1, 1)
    return composer.manuscript(kind)


def _write_lines(composer: Composer, lines: Sequence[str]) -> None:
    """A value a line; those that are none, as a last one that was cut off, stand as they are behind the others."""
    values, others = [], {}
    for number, line in enumerate(lines, start=1):
        try:
            values += [json.loads(line)] if line.strip() else []
        except (ValueError, RecursionError):
            others[number] = line
    _write(composer, values)
    for line in others.values():
        composer.paragraph(line)
    if others:
        shown = ", ".join(map(str, [*others][:MOST_SHOWN])) + (", …" if len(others) > MOST_SHOWN else "")
        composer.note(f"Lines that are no JSON were read as plain text: {len(others)} ({shown}).")


def _write(composer: Composer, values: list[Any]) -> None:
    if _is_flat(values):
        _write_table(composer, values)
    else:
        for value in values:
            composer.paragraph("\n".join(_lines(value)))


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


def _lines(value: Any) -> Iterator[str]:
    pending = [("", value)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            inner = [(f"{path}.{name}" if path else name, each) for name, each in value.items()]
            pending.extend(reversed(inner))
        elif isinstance(value, list):
            pending.extend((path, each) for each in reversed(value))
        elif value not in {None, ""}:
            yield f"{path}: {shown(value)}" if path else shown(value)
