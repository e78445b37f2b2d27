"""What the real catalogue says of every service's schema: row security, policies, indexes, roles, functions."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from lumora.plan import WITH_DATABASE
from tests.conventions.test_row_security import OF_NO_TENANT, SCHEMAS
from tests.support.platform import Platform
from tests.support.probe import connection

pytestmark = pytest.mark.integration

TENANT_TABLES = """
    SELECT n.nspname AS schema, c.relname AS table, c.oid, c.relrowsecurity, c.relforcerowsecurity,
        EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull)
            AS has_tenant
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY($1) AND c.relname <> 'alembic_version'
"""


@pytest.fixture
async def admin(platform: Platform) -> AsyncIterator["asyncpg.Connection"]:
    async with connection(platform.postgres_url("lumora")) as opened:
        yield opened


async def tables(admin: "asyncpg.Connection") -> list["asyncpg.Record"]:
    found = await admin.fetch(TENANT_TABLES, SCHEMAS)
    return [row for row in found if (row["schema"], row["table"]) not in OF_NO_TENANT]


def test_every_schema_is_one_of_a_service() -> None:
    assert set(SCHEMAS) <= set(WITH_DATABASE)


async def test_every_schema_is_there(admin: "asyncpg.Connection") -> None:
    assert {row["schema"] for row in await tables(admin)} == set(SCHEMAS)


async def test_each_table_forces_row_security_and_knows_its_tenant(admin: "asyncpg.Connection") -> None:
    open_tables = [
        (row["schema"], row["table"])
        for row in await tables(admin)
        if not (row["relrowsecurity"] and row["relforcerowsecurity"] and row["has_tenant"])
    ]
    assert open_tables == []


async def test_each_table_binds_its_handlers_to_one_tenant(admin: "asyncpg.Connection") -> None:
    for row in await tables(admin):
        policies = await admin.fetch(
            "SELECT roles, cmd, qual, with_check FROM pg_policies WHERE schemaname = $1 AND tablename = $2",
            row["schema"],
            row["table"],
        )
        own = [each for each in policies if f"{row['schema']}_app" in each["roles"]]
        assert len(own) == 1, row
        assert own[0]["cmd"] == "ALL"
        for expression in (own[0]["qual"], own[0]["with_check"]):
            assert "current_setting('app.tenant'" in expression, row
        allowed = {f"{row['schema']}_{kind}" for kind in ("app", "relay", "lookup")}
        assert {role for each in policies for role in each["roles"]} <= allowed, row


async def test_each_table_has_an_index_that_starts_with_the_tenant(admin: "asyncpg.Connection") -> None:
    for row in await tables(admin):
        found = await admin.fetchval(
            """SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
            WHERE i.indrelid = $1 AND a.attname = 'tenant_id' AND i.indpred IS NULL""",
            row["oid"],
        )
        assert found, row


async def test_no_role_of_a_service_is_mightier_than_it_must(admin: "asyncpg.Connection") -> None:
    roles = await admin.fetch(
        """SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin FROM pg_roles
        WHERE rolname ~ $1""",
        f"^({'|'.join(SCHEMAS)})_",
    )
    assert {role["rolname"] for role in roles} == {
        f"{schema}_{kind}" for schema in SCHEMAS for kind in ("owner", "app", "relay", "lookup")
    }
    for role in roles:
        assert not any((role["rolsuper"], role["rolbypassrls"], role["rolcreaterole"], role["rolcreatedb"])), role
        assert role["rolcanlogin"] is not role["rolname"].endswith("_lookup")


async def test_no_handler_owns_or_inherits_anything(admin: "asyncpg.Connection") -> None:
    memberships = await admin.fetch(
        """SELECT m.rolname AS member, g.rolname AS of FROM pg_auth_members a
        JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid WHERE m.rolname ~ $1""",
        f"^({'|'.join(SCHEMAS)})_",
    )
    assert {(row["member"], row["of"]) for row in memberships} == {
        (f"{schema}_owner", f"{schema}_lookup") for schema in SCHEMAS
    }
    owned = await admin.fetch(
        """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_roles r ON r.oid = c.relowner WHERE n.nspname = ANY($1) AND r.rolname <> n.nspname || '_owner'""",
        SCHEMAS,
    )
    assert owned == []


async def test_functions_with_their_owners_rights_are_closed(admin: "asyncpg.Connection") -> None:
    functions = await admin.fetch(
        """SELECT n.nspname AS schema, p.proname, p.proconfig, r.rolname AS owner,
            (SELECT count(*) FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)
                AS public
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
        WHERE p.prosecdef AND n.nspname = ANY($1)""",
        SCHEMAS,
    )
    for function in functions:
        assert function["owner"] == f"{function['schema']}_lookup", function
        assert any(each.startswith("search_path=") for each in function["proconfig"] or ()), function
        assert function["public"] == 0, function


async def test_functions_with_the_callers_rights_are_the_handlers_alone(admin: "asyncpg.Connection") -> None:
    functions = await admin.fetch(
        """SELECT n.nspname AS schema, p.proname, array_agg(coalesce(g.rolname, 'public')) AS callers
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
        WHERE NOT p.prosecdef AND n.nspname = ANY($1) GROUP BY n.nspname, p.proname""",
        SCHEMAS,
    )
    assert functions
    for function in functions:
        assert set(function["callers"]) == {f"{function['schema']}_owner", f"{function['schema']}_app"}, function


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_a_handler_reaches_no_other_schema(platform: Platform, schema: str) -> None:
    async with connection(platform.postgres_url(f"{schema}_app")) as handler:
        for other in set(SCHEMAS) - {schema}:
            assert not await handler.fetchval("SELECT has_schema_privilege($1, 'USAGE')", other)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await handler.execute("CREATE TABLE mine (id int)")


@pytest.mark.parametrize("kind", ["app", "relay", "owner"])
async def test_a_wrong_password_opens_nothing(platform: Platform, kind: str) -> None:
    address = platform.postgres_url("lumora").split("@", 1)[1]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://learning_{kind}:wrong@{address}")
