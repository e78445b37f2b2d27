import asyncio

import pytest

from runtime import health
from runtime.health import Health
from runtime.tenancy import TenantScope


async def fine() -> None:
    return


async def away() -> None:
    raise ConnectionError("postgresql://user:password@host")


def started() -> Health:
    found = Health()
    found.is_started = True
    return found


async def test_ready_when_started_and_every_critical_part_answers() -> None:
    found = started()
    found.critical("nats", fine)
    report = await found.report()
    assert report["ready"]
    assert report["dependencies"]["nats"]["ok"]
    found.critical("postgres", away)
    assert not (await found.report())["ready"]


async def test_an_informational_part_is_shown_only() -> None:
    found = started()
    found.informational("model", away)
    report = await found.report()
    assert report["ready"]
    assert report["dependencies"]["model"] == {"ok": False, "error": "ConnectionError"}


async def test_a_report_repeats_no_address() -> None:
    found = started()
    found.critical("postgres", away)
    assert "password" not in str(await found.report())


async def test_a_part_that_hangs_counts_as_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_TIMEOUT_S", 0.05)
    found = started()
    found.critical("nats", asyncio.Event().wait)  # type: ignore[arg-type] # returns a bool, which nobody looks at
    assert (await found.report())["dependencies"]["nats"] == {"ok": False, "error": "TimeoutError"}


async def test_not_ready_before_the_start_and_while_draining() -> None:
    found = Health()
    assert not (await found.report())["ready"]
    found.is_started = True
    assert (await found.report())["ready"]
    found.is_draining = True
    assert not (await found.report())["ready"]


def test_alive_until_a_part_is_lost_for_good() -> None:
    found, is_there = Health(), True
    found.alive("nats", lambda: is_there)
    assert found.is_alive()
    is_there = False
    assert not found.is_alive()


def test_a_scope_comes_from_a_subject_that_names_a_tenant() -> None:
    scope = TenantScope.from_subject("job.answer.0199d0a4-6b1e-7c3a-9f20-5a1b6c7d8e90", "inference")
    assert (str(scope.tenant_id), scope.actor) == ("0199d0a4-6b1e-7c3a-9f20-5a1b6c7d8e90", "service:inference")
    with pytest.raises(ValueError, match="no tenant"):
        TenantScope.from_subject("rpc.auth.login", "auth")
