"""Turns: accepted, stopped, asked about."""

from contracts.base import Nothing
from contracts.inference import (
    ACCEPT_TURN,
    GET_TURN,
    STOP_TURN,
    AcceptedTurn,
    AcceptTurn,
    GetTurn,
    StopAsked,
    StopTurn,
    Turn,
)
from inference_service.domain.ports import Turns
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, turns: Turns) -> None:
    """Answer `rpc.inference.{accept,stop,get}_turn`."""

    async def accept_turn(question: AcceptTurn, scope: TenantScope) -> AcceptedTurn:
        return await turns.accept(scope, question)

    async def stop_turn(question: StopTurn, scope: TenantScope) -> Nothing:
        if await turns.stop(scope, question.message_id):
            # The row is marked; the hint only spares the worker's next look at it.
            await bus.hint("stop", scope.tenant_id, question.message_id, StopAsked(message_id=question.message_id))
        return Nothing()

    async def get_turn(question: GetTurn, scope: TenantScope) -> Turn:
        return await turns.get(scope, question.message_id)

    bus.answer(ACCEPT_TURN, accept_turn)
    bus.answer(STOP_TURN, stop_turn)
    bus.answer(GET_TURN, get_turn)
