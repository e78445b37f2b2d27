"""Turns, asked of inference."""

from contracts.ids import MessageId
from contracts.inference import ACCEPT_TURN, GET_TURN, STOP_TURN, AcceptedTurn, AcceptTurn, GetTurn, StopTurn, Turn
from runtime.bus import Bus
from runtime.tenancy import TenantScope


class TurnsRpc:
    """Accept, stop and look at answers.

    Every method raises Unavailable when inference does not answer, and what inference answers otherwise.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def accept(self, scope: TenantScope, request: AcceptTurn) -> AcceptedTurn:
        return await self._bus.request(ACCEPT_TURN, request, scope)

    async def stop(self, scope: TenantScope, message_id: MessageId) -> None:
        await self._bus.request(STOP_TURN, StopTurn(message_id=message_id), scope)

    async def get(self, scope: TenantScope, message_id: MessageId) -> Turn:
        return await self._bus.request(GET_TURN, GetTurn(message_id=message_id), scope)
