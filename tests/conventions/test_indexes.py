"""An index on a table that was there before is built CONCURRENTLY, in a migration of its own.

Else an upgrade of a populated installation keeps everybody out of the table until the index is built.
"""

import re
from pathlib import Path

import pytest

from tests.conventions.migrations import MIGRATIONS, sql_of

BEFORE_THE_FIRST_RELEASE = {"ingest/0002_web_pages"}
_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?\w+ ON (?:ONLY )?(\w+)")
_BESIDE = re.compile(r"SET lock_timeout = \S+|(?:CREATE|DROP) INDEX CONCURRENTLY .*|COMMIT|BEGIN|")


def name_of(path: Path) -> str:
    return f"{path.parts[-4]}/{path.stem}"


def locking(sql: str) -> list[str]:
    """Tables that were there before, and which the building of an index locks."""
    made = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", sql))
    return [table for is_concurrent, table in _INDEX.findall(sql) if not is_concurrent and table not in made]


def beside_an_index(sql: str) -> list[str]:
    """What a migration that builds an index outside a transaction also says: a kill in between leaves it half done."""
    if "CREATE INDEX CONCURRENTLY" not in sql:
        return []
    statements = [statement.strip() for statement in sql.split(";")]
    return [statement for statement in statements if not _BESIDE.fullmatch(statement)]


@pytest.mark.parametrize("path", MIGRATIONS, ids=name_of)
def test_no_index_locks_a_table_that_was_there_before(path: Path) -> None:
    assert name_of(path) in BEFORE_THE_FIRST_RELEASE or locking(sql_of(path)) == []


@pytest.mark.parametrize("path", MIGRATIONS, ids=name_of)
def test_an_index_is_built_in_a_migration_of_its_own(path: Path) -> None:
    assert beside_an_index(sql_of(path)) == []


def test_the_exceptions_are_needed() -> None:
    found = {name_of(path) for path in MIGRATIONS if locking(sql_of(path))}
    assert found == BEFORE_THE_FIRST_RELEASE


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("CREATE TABLE note (id uuid); CREATE INDEX note_id ON note (id);", []),
        ("CREATE TABLE note (id uuid); CREATE UNIQUE INDEX turn_id ON turn (id);", ["turn"]),
        ("CREATE INDEX IF NOT EXISTS turn_id ON ONLY turn (id);", ["turn"]),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS turn_id ON turn (id);", []),
    ],
)
def test_it_is_seen_what_locks(sql: str, tables: list[str]) -> None:
    assert locking(sql) == tables


def test_it_is_seen_what_stands_beside_an_index() -> None:
    alone = "COMMIT; SET lock_timeout = 0; CREATE INDEX CONCURRENTLY turn_id ON turn (id); BEGIN;"
    assert beside_an_index(alone) == []
    assert beside_an_index(f"DROP TABLE note; {alone}") == ["DROP TABLE note"]


def test_there_is_one_to_look_at() -> None:
    assert any("CREATE INDEX CONCURRENTLY" in sql_of(path) for path in MIGRATIONS)
