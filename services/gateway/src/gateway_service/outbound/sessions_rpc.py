"""Asks auth whether a person is still signed in."""

from contracts.auth import ME, Me, Role
from contracts.ids import SessionId, UserId
from gateway_service.domain.principal import Principal
from runtime.bus import Bus


class SessionsRpc:
    """Implements `Sessions`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def role(self, principal: Principal) -> Role:
        session_id = None if principal.session_id is None else SessionId(principal.session_id)
        question = Me(user_id=UserId(principal.id), session_id=session_id)
        return (await self._bus.request(ME, question, principal.scope)).user.role
