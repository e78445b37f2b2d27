import pytest

from auth_service.domain.errors import EmailTaken, NotAuthenticated, WrongCredentials
from auth_service.domain.session import REFRESH_LIFE
from auth_service.domain.sign_in import SignedIn, SignIn
from contracts.auth import BusinessRegistered, Register, SessionEnded
from contracts.ids import TenantId
from runtime.clock import FrozenClock
from runtime.tenancy import TenantScope
from services.auth.tests.memory import (
    MemoryMembers,
    MemorySessions,
    MemoryTenants,
    MemoryTransactions,
    PlainSigner,
    QuickPasswords,
)

PASSWORD = "a long enough password"


class House:
    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.transactions = MemoryTransactions()
        self.passwords = QuickPasswords()
        self.members = MemoryMembers()
        self.sign_in = SignIn(
            transactions=self.transactions,
            tenants=MemoryTenants(),
            members=self.members,
            sessions=MemorySessions(),
            passwords=self.passwords,
            signer=PlainSigner(),
            clock=self.clock,
        )

    async def register(self, email: str = "Ada@Example.com ") -> SignedIn:
        request = Register(email=email, password=PASSWORD, company_name=" Trails ", industry="outdoor")
        return await self.sign_in.register(*await self.sign_in.prepare(request))


@pytest.fixture
def house() -> House:
    return House()


async def test_who_registers_owns_the_business_and_is_signed_in(house: House):
    signed_in = await house.register()
    assert (signed_in.member.role, signed_in.member.email) == ("owner", "ada@example.com")
    assert signed_in.tenant.name == "Trails"
    assert signed_in.access_token.startswith(str(signed_in.member.id))
    assert house.transactions.said == [BusinessRegistered(tenant_id=TenantId(signed_in.tenant.id))]


async def test_an_email_registers_once_however_it_is_written(house: House):
    await house.register("ada@example.com")
    with pytest.raises(EmailTaken):
        await house.register("ADA@example.COM")


async def test_the_password_opens_a_session(house: House):
    registered = await house.register()
    signed_in = await house.sign_in.login("ADA@example.com", PASSWORD)
    assert signed_in.member.id == registered.member.id
    assert signed_in.refresh_token != registered.refresh_token


async def test_unknown_and_wrong_cannot_be_told_apart_by_answer_or_work(house: House):
    await house.register()
    answers, work = [], []
    for email, password in (("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD)):
        before = house.passwords.work
        with pytest.raises(WrongCredentials) as refused:
            await house.sign_in.login(email, password)
        answers.append(refused.value.as_failure())
        work.append(house.passwords.work - before)
    assert answers[0] == answers[1]
    assert work == [1, 1]


async def test_an_outdated_hash_is_made_new_at_sign_in(house: House):
    registered = await house.register()
    scope = TenantScope(registered.member.tenant_id, "test")
    await house.members.set_password_hash(scope, registered.member.id, f"old:{PASSWORD}")
    house.passwords.outdated.add(f"old:{PASSWORD}")
    await house.sign_in.login("ada@example.com", PASSWORD)
    assert (await house.members.get(scope, registered.member.id)).password_hash == f"hashed:{PASSWORD}"


async def test_a_refresh_token_is_good_once(house: House):
    first = (await house.register()).refresh_token
    second = (await house.sign_in.refresh(first, "laptop")).refresh_token
    third = (await house.sign_in.refresh(second, "laptop")).refresh_token
    assert len({first, second, third}) == 3


async def test_reuse_ends_the_whole_family_but_no_other(house: House):
    first = (await house.register()).refresh_token
    elsewhere = (await house.sign_in.login("ada@example.com", PASSWORD)).refresh_token
    second = (await house.sign_in.refresh(first, "laptop")).refresh_token
    with pytest.raises(NotAuthenticated):
        await house.sign_in.refresh(first, "thief")
    assert len(ended_sessions(house)) == 1
    with pytest.raises(NotAuthenticated):
        await house.sign_in.refresh(second, "laptop")
    await house.sign_in.refresh(elsewhere, "phone")


async def test_a_client_that_lost_the_answer_gets_another(house: House):
    first = (await house.register()).refresh_token
    await house.sign_in.refresh(first, "laptop")
    house.clock.advance(9)
    again = (await house.sign_in.refresh(first, "laptop")).refresh_token
    await house.sign_in.refresh(again, "laptop")


def ended_sessions(house: House) -> set[str]:
    """What the others were told."""
    return {str(fact.session_id) for fact in house.transactions.said if isinstance(fact, SessionEnded)}


def session_of(signed_in: SignedIn) -> str:
    return signed_in.access_token.split(".")[1]


async def test_signing_out_ends_the_session_and_tells_strangers_nothing(house: House):
    signed_in = await house.register()
    token = signed_in.refresh_token
    await house.sign_in.logout("unknown")
    assert ended_sessions(house) == set()
    await house.sign_in.logout(token)
    await house.sign_in.logout(token)
    assert ended_sessions(house) == {session_of(signed_in)}
    await house.sign_in.logout("unknown")
    with pytest.raises(NotAuthenticated):
        await house.sign_in.refresh(token, "laptop")


async def test_a_session_ends_when_nobody_comes_back(house: House):
    token = (await house.register()).refresh_token
    house.clock.advance(REFRESH_LIFE.total_seconds())
    with pytest.raises(NotAuthenticated):
        await house.sign_in.refresh(token, "laptop")
