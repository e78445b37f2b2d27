"""Each table of a tenant is forced behind a row policy, and has an index that starts with the tenant.

The migrations are run against a recorder, so this needs no server; tests/integration asks a real one the same.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.conventions.migrations import MIGRATIONS, SCHEMAS, sql_of

OF_NO_TENANT = {("auth", "signing_key"), ("ingest", "index_use")}
"""The platform's own key pairs, and which collections of a vector server it uses."""
TENANT = "current_setting('app.tenant', true)"


@cache
def schema(service: str) -> str:
    return " ".join(sql_of(path) for path in MIGRATIONS if path.parts[-4] == service)


def tables(service: str) -> dict[str, str]:
    """Body of each CREATE TABLE, by name."""
    return dict(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) \((.*?)\);", schema(service)))


TABLES = [(service, table) for service in SCHEMAS for table in tables(service)]
TENANT_TABLES = [pair for pair in TABLES if pair not in OF_NO_TENANT]


def test_there_are_tables_to_look_at() -> None:
    assert ("learning", "daily_figure") in TENANT_TABLES
    assert set(TABLES) >= OF_NO_TENANT


@pytest.mark.parametrize(("service", "table"), TENANT_TABLES)
def test_a_table_names_its_tenant(service: str, table: str) -> None:
    assert re.search(r"\btenant_id uuid NOT NULL\b", tables(service)[table])


@pytest.mark.parametrize(("service", "table"), TENANT_TABLES)
def test_row_security_is_enabled_and_forced(service: str, table: str) -> None:
    for word in ("ENABLE", "FORCE"):
        assert f"ALTER TABLE {table} {word} ROW LEVEL SECURITY" in schema(service)


@pytest.mark.parametrize(("service", "table"), TENANT_TABLES)
def test_the_handlers_see_and_write_their_own_rows_only(service: str, table: str) -> None:
    policies = re.findall(rf"CREATE POLICY \w+ ON {table}\b(.*?);", schema(service))
    (own,) = [policy for policy in policies if f"TO {service}_app" in policy]
    using, check = own.split("WITH CHECK")
    assert TENANT in using
    assert TENANT in check


@pytest.mark.parametrize(("service", "table"), TENANT_TABLES)
def test_nobody_else_gets_a_policy_but_relay_and_lookup(service: str, table: str) -> None:
    grantees = set(re.findall(rf"CREATE POLICY \w+ ON {table}\b.*? TO (\w+)", schema(service)))
    assert grantees <= {f"{service}_app", f"{service}_relay", f"{service}_lookup"}


@pytest.mark.parametrize(("service", "table"), TENANT_TABLES)
def test_an_index_starts_with_the_tenant(service: str, table: str) -> None:
    in_table = re.search(r"(PRIMARY KEY|UNIQUE) \(tenant_id\b", tables(service)[table])
    beside = re.search(rf"CREATE (UNIQUE )?INDEX \w+ ON {table} \(tenant_id\b", schema(service))
    assert in_table or beside


@pytest.mark.parametrize(("service", "table"), TENANT_TABLES)
def test_a_reference_to_another_row_carries_the_tenant(service: str, table: str) -> None:
    # A plain foreign key would accept, and so reveal, the row of another tenant.
    body = tables(service)[table]
    assert re.findall(r"FOREIGN KEY \((?!tenant_id\b)", body) == []
    assert [name for name in re.findall(r"(\w+) uuid[^,]*? REFERENCES", body) if name != "tenant_id"] == []


@pytest.mark.parametrize("service", SCHEMAS)
def test_a_view_looks_with_the_eyes_of_who_asks(service: str) -> None:
    views = re.findall(r"CREATE (?:OR REPLACE )?VIEW \w+ (.*?) AS", schema(service))
    assert [view for view in views if "security_invoker = true" not in view] == []


def functions(service: str) -> list[tuple[str, str]]:
    """Name and head of each function."""
    return re.findall(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\(.*?\)(.*?)AS \$\$", schema(service))


@pytest.mark.parametrize("service", SCHEMAS)
def test_a_function_is_closed_to_everybody_else(service: str) -> None:
    for name, _ in functions(service):
        assert re.search(rf"REVOKE ALL ON FUNCTION {name}\b[^;]* FROM PUBLIC", schema(service))


@pytest.mark.parametrize("service", SCHEMAS)
def test_a_function_with_its_owners_rights_is_the_lookup_roles(service: str) -> None:
    for name, head in functions(service):
        if "SECURITY DEFINER" in head:
            assert "SET search_path" in head
            assert re.search(rf"ALTER FUNCTION {name}\(.*?\) OWNER TO {service}_lookup", schema(service))


@pytest.mark.parametrize("service", SCHEMAS)
def test_a_function_with_the_callers_rights_is_the_handlers_alone(service: str) -> None:
    for name, head in functions(service):
        if "SECURITY DEFINER" not in head:
            grantees = re.findall(rf"GRANT EXECUTE ON FUNCTION {name}\b[^;]* TO (\w+)", schema(service))
            assert set(grantees) == {f"{service}_app"}


def test_there_are_functions_to_look_at() -> None:
    assert {name for name, _ in functions("inference")} >= {
        "accept_turn",
        "lease_turn",
        "extend_lease",
        "complete_turn",
    }
    assert {name for name, _ in functions("ingest")} >= {
        "advance_document",
        "found_passages",
        "release_document",
        "same_document",
    }
    assert functions("auth")


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parts[-4]}/{path.stem}")
def test_a_revision_is_called_as_its_file(path: Path) -> None:
    text = path.read_text()
    assert f'revision = "{path.stem}"' in text
    earlier = sorted(other.stem for other in path.parent.glob("[0-9]*.py") if other.stem < path.stem)
    assert f"down_revision = {repr(earlier[-1]).replace(chr(39), chr(34)) if earlier else None}" in text
