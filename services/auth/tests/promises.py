"""What every implementation of auth's ports promises: run against the memory fakes and against Postgres."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from auth_service.domain.api_key import make_api_key
from auth_service.domain.errors import EmailTaken
from auth_service.domain.member import Member
from auth_service.domain.ports import ApiKeys, Members, Sessions, Tenants, Transactions
from auth_service.domain.secret import sha256
from auth_service.domain.session import REFRESH_LIFE, RefreshToken
from auth_service.domain.tenant import Tenant
from contracts.auth import CreateApiKey
from contracts.ids import TenantId, UserId, uuid7
from runtime.errors import NotFound
from runtime.tenancy import TenantScope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Kept:
    """One implementation of everything."""

    transactions: Transactions
    tenants: Tenants
    members: Members
    sessions: Sessions
    api_keys: ApiKeys


async def new_owner(kept: Kept) -> tuple[TenantScope, Member]:
    tenant = Tenant(TenantId(uuid7()), "Trails", "outdoor", NOW)
    owner = Member(UserId(uuid7()), tenant.id, f"{uuid7()}@example.com", "hash", "owner", NOW)
    scope = TenantScope(tenant.id, "test")
    async with kept.transactions.tenant_tx(scope):
        await kept.tenants.add(scope, tenant)
        await kept.members.add(scope, owner)
    return scope, owner


async def new_token(kept: Kept, scope: TenantScope, owner: Member) -> tuple[RefreshToken, bytes]:
    family_id, sha = uuid7(), sha256(str(uuid7()))
    token = RefreshToken(uuid7(), scope.tenant_id, family_id, owner.id, NOW + REFRESH_LIFE, None, "", is_revoked=False)
    async with kept.transactions.tenant_tx(scope):
        await kept.sessions.open_family(scope, family_id, owner.id, NOW)
        await kept.sessions.add(scope, token, sha)
    return token, sha


class Promises:
    """Subclasses give the fixture `kept`."""

    async def test_a_business_is_kept_and_changed(self, kept: Kept):
        scope, _ = await new_owner(kept)
        assert (await kept.tenants.get(scope)).name == "Trails"
        changed = await kept.tenants.change(scope, name="Paths", industry=None)
        assert (changed.name, changed.industry) == ("Paths", "outdoor")
        assert await kept.tenants.get(scope) == changed

    async def test_an_unknown_business_is_not_found(self, kept: Kept):
        nobody = TenantScope(TenantId(uuid7()), "test")
        with pytest.raises(NotFound):
            await kept.tenants.get(nobody)
        with pytest.raises(NotFound):
            await kept.tenants.change(nobody, name="x", industry=None)

    async def test_a_person_is_found_by_email_in_any_business(self, kept: Kept):
        scope, owner = await new_owner(kept)
        assert await kept.members.find(owner.email) == owner
        assert await kept.members.get(scope, owner.id) == owner
        assert await kept.members.find("nobody@example.com") is None

    async def test_a_person_of_another_business_is_not_found(self, kept: Kept):
        _, owner = await new_owner(kept)
        foreign, _ = await new_owner(kept)
        with pytest.raises(NotFound):
            await kept.members.get(foreign, owner.id)

    async def test_an_email_is_taken_once_over_all_businesses(self, kept: Kept):
        _, owner = await new_owner(kept)
        scope, _ = await new_owner(kept)
        twin = Member(UserId(uuid7()), scope.tenant_id, owner.email, "hash", "admin", NOW)
        with pytest.raises(EmailTaken):
            await kept.members.add(scope, twin)

    async def test_a_password_is_changed(self, kept: Kept):
        scope, owner = await new_owner(kept)
        await kept.members.set_password_hash(scope, owner.id, "new")
        assert (await kept.members.get(scope, owner.id)).password_hash == "new"

    async def test_a_token_remembers_who_used_it(self, kept: Kept):
        scope, owner = await new_owner(kept)
        token, sha = await new_token(kept, scope, owner)
        assert await kept.sessions.find(sha) == token
        async with kept.transactions.tenant_tx(scope):
            assert await kept.sessions.lock(scope, token.id) == token
            await kept.sessions.mark_used(scope, token.id, "laptop", NOW)
        found = await kept.sessions.find(sha)
        assert found is not None
        assert (found.used_at, found.used_by, found.is_revoked) == (NOW, "laptop", False)

    async def test_a_revoked_family_shows_on_its_tokens(self, kept: Kept):
        scope, owner = await new_owner(kept)
        token, sha = await new_token(kept, scope, owner)
        other, _ = await new_token(kept, scope, owner)
        await kept.sessions.revoke_family(scope, token.family_id, NOW)
        found = await kept.sessions.find(sha)
        assert found is not None
        assert found.is_revoked
        assert not await kept.sessions.is_open(scope, token.family_id, owner.id)
        assert await kept.sessions.is_open(scope, other.family_id, owner.id)
        assert not await kept.sessions.is_open(scope, other.family_id, UserId(uuid7()))
        assert not await kept.sessions.is_open(scope, uuid7(), owner.id)
        async with kept.transactions.tenant_tx(scope):
            assert not (await kept.sessions.lock(scope, other.id)).is_revoked

    async def test_unknown_tokens_are_not_found(self, kept: Kept):
        scope, _ = await new_owner(kept)
        assert await kept.sessions.find(sha256("unknown")) is None
        with pytest.raises(NotFound):
            await kept.sessions.lock(scope, uuid7())

    async def test_expired_tokens_are_dropped_and_living_ones_stay(self, kept: Kept):
        scope, owner = await new_owner(kept)
        _, sha = await new_token(kept, scope, owner)
        await kept.sessions.drop_expired(scope, owner.id, NOW + REFRESH_LIFE - timedelta(seconds=1))
        assert await kept.sessions.find(sha) is not None
        await kept.sessions.drop_expired(scope, owner.id, NOW + REFRESH_LIFE)
        assert await kept.sessions.find(sha) is None

    async def test_api_keys_are_paged_newest_first(self, kept: Kept):
        scope, _ = await new_owner(kept)
        foreign, _ = await new_owner(kept)
        made = []
        for name in "abc":
            key, secret = make_api_key(CreateApiKey(name=name), scope.tenant_id, NOW)
            await kept.api_keys.add(scope, key, sha256(secret))
            assert await kept.api_keys.find(sha256(secret)) == key
            made.append(key)
        first = await kept.api_keys.page(scope, before=None, limit=2)
        rest = await kept.api_keys.page(scope, before=first[-1].id, limit=2)
        # Within one millisecond the order of UUIDv7 is left to chance.
        assert [*first, *rest] == sorted(made, key=lambda key: key.id, reverse=True)
        assert await kept.api_keys.page(foreign, before=None, limit=2) == []

    async def test_a_revoked_api_key_is_gone_for_everybody(self, kept: Kept):
        scope, _ = await new_owner(kept)
        foreign, _ = await new_owner(kept)
        key, secret = make_api_key(CreateApiKey(name="a"), scope.tenant_id, NOW)
        await kept.api_keys.add(scope, key, sha256(secret))
        with pytest.raises(NotFound):
            await kept.api_keys.revoke(foreign, key.id, NOW)
        await kept.api_keys.touch(scope, key.id, NOW)
        found = await kept.api_keys.find(sha256(secret))
        assert found is not None
        assert found.last_used_at == NOW
        await kept.api_keys.revoke(scope, key.id, NOW)
        assert await kept.api_keys.find(sha256(secret)) is None
        assert await kept.api_keys.page(scope, before=None, limit=5) == []
        with pytest.raises(NotFound):
            await kept.api_keys.revoke(scope, key.id, NOW)
