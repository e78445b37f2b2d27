"""What every implementation of the filter's `Policies` promises; run against the fake and against Postgres."""

import asyncio
from dataclasses import replace

import pytest

from contracts.ids import TenantId, uuid7
from filter_service.domain.policy import Policy
from filter_service.domain.ports import Policies
from runtime.errors import NotFound
from runtime.tenancy import TenantScope

FULL = Policy(
    terms=("Acme Corp", "赌博", 'quote " and \\'),
    terms_action="block",
    cards_action="off",
    iban_action="mask",
    email_action="block",
    phone_action="redact",
    secrets_action="off",
    window_chars=80,
)


def new_scope() -> TenantScope:
    return TenantScope(TenantId(uuid7()), "user:test")


class PoliciesPromise:
    """Subclasses give the fixture `policies`."""

    async def test_a_business_without_a_policy_has_the_default(self, policies: Policies) -> None:
        assert await policies.current(new_scope()) == Policy()

    async def test_what_was_put_is_what_is_current(self, policies: Policies) -> None:
        scope = new_scope()
        kept = await policies.replace(scope, FULL)
        assert kept.version == 1
        assert await policies.current(scope) == kept
        assert kept == replace(FULL, version=1)

    async def test_every_version_stays(self, policies: Policies) -> None:
        scope = new_scope()
        versions = [Policy(), *[await policies.replace(scope, Policy(terms=(term,))) for term in ("a", "b", "c")]]
        assert [await policies.at(scope, number) for number in range(4)] == versions
        with pytest.raises(NotFound):
            await policies.at(scope, 4)

    async def test_changes_at_the_same_time_are_numbered_one_after_the_other(self, policies: Policies) -> None:
        scope = new_scope()
        made = await asyncio.gather(*(policies.replace(scope, Policy(terms=(f"t{n}",))) for n in range(4)))
        assert sorted(policy.version for policy in made) == [1, 2, 3, 4]

    async def test_one_business_does_not_see_the_other(self, policies: Policies) -> None:
        one, other = new_scope(), new_scope()
        await policies.replace(one, FULL)
        assert await policies.current(other) == Policy()
        with pytest.raises(NotFound):
            await policies.at(other, 1)
