import asyncio

import pytest

from auth_service.outbound.argon2_passwords import Argon2Passwords
from runtime.errors import Unavailable


@pytest.fixture
async def passwords():
    made = Argon2Passwords(threads=1, queue=1)
    yield made
    await made.close()


async def test_a_password_fits_its_own_hash(passwords):
    kept = await passwords.hash("correct horse")
    assert kept.startswith("$argon2id$v=19$m=65536,t=2,p=1$")
    assert await passwords.fits("correct horse", kept)
    assert not await passwords.fits("wrong horse", kept)
    assert not passwords.is_outdated(kept)


async def test_nobody_has_a_password(passwords):
    assert not await passwords.fits("nobody has this password", None)


async def test_a_hash_of_another_kind_does_not_fit(passwords):
    assert not await passwords.fits("x", "plain text")


async def test_beyond_the_queue_the_door_is_closed_and_opens_again(passwords):
    results = await asyncio.gather(*(passwords.hash("x") for _ in range(3)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, Unavailable)]
    assert len(refused) == 1
    assert refused[0].retry_after_s
    assert await passwords.hash("x")
