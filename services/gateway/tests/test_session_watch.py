import asyncio
from typing import Any

import pytest

from contracts.auth import Role
from contracts.ids import TenantId, uuid7
from gateway_service.domain.errors import NotAuthenticated
from gateway_service.domain.principal import Principal
from gateway_service.domain.session_watch import SessionWatch
from gateway_service.outbound.sockets import Sockets
from runtime.errors import NotFound, Unavailable

TENANT = TenantId(uuid7())


def person(role: Role = "support") -> Principal:
    return Principal("user", TENANT, uuid7(), role=role, session_id=uuid7())


class Auth:
    """What auth says of each person: a role, or an error."""

    def __init__(self, told: dict[Principal, Any]) -> None:
        self.told = told
        self.asked: list[Principal] = []

    async def role(self, principal: Principal) -> Role:
        self.asked.append(principal)
        told = self.told[principal]
        if isinstance(told, Exception):
            raise told
        role: Role = told
        return role


async def closed_of(clients: Sockets, auth: Auth, *principals: Principal) -> list[list[int]]:
    """The close codes of a socket for each, after one look."""
    codes: list[list[int]] = [[] for _ in principals]
    running = []
    for principal, seen in zip(principals, codes, strict=True):

        async def send(event: dict[str, Any], seen: list[int] = seen) -> None:
            seen.append(event["code"])

        socket = clients.open(send)
        running.append(asyncio.create_task(socket.run()))
        clients.admit(socket, principal)
    await SessionWatch(auth, clients).look()
    await asyncio.sleep(0)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return codes


@pytest.mark.parametrize("told", [NotAuthenticated(), NotFound(), "viewer"], ids=["ended", "gone", "another role"])
async def test_who_may_not_be_here_any_more_is_closed(told: object):
    them, other = person(), person()
    assert await closed_of(Sockets(), Auth({them: told, other: "support"}), them, other) == [[4401], []]


async def test_while_auth_is_away_everybody_stays():
    them = person()
    assert await closed_of(Sockets(), Auth({them: Unavailable()}), them) == [[]]


async def test_each_session_is_asked_for_once_and_programs_never():
    them, program = person(), Principal("api_key", TENANT, uuid7(), scopes=("chat",))
    auth = Auth({them: "support"})
    assert await closed_of(Sockets(), auth, them, them, program) == [[], [], []]
    assert auth.asked == [them]


async def test_it_looks_again_and_again():
    them, clients = person(), Sockets()
    auth = Auth({them: "support"})

    async def send(_event: dict[str, Any]) -> None: ...

    clients.admit(clients.open(send), them)
    looking = asyncio.create_task(SessionWatch(auth, clients, look_s=0.001).run())
    while len(auth.asked) < 3:  # noqa: ASYNC110 - the fake has no event
        await asyncio.sleep(0.001)
    looking.cancel()
