"""Keep a turn's lease while it is answered; whoever loses it is stopped at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from inference_service.domain.ports import StopSignals, Turns
from inference_service.domain.turn import LEASE_EVERY_S, LEASE_S, LeasedTurn
from runtime.errors import Retryable
from runtime.tenancy import TenantScope


@asynccontextmanager
async def keeping(
    turns: Turns, stops: StopSignals, scope: TenantScope, turn: LeasedTurn
) -> AsyncIterator[asyncio.Event]:
    """Extend the lease every 2.5 s inside the block; gives an event that is set when a person asked to stop.

    A lease that is lost, or could not be extended before it ran out, cancels the block: somebody else may be answering.
    Nothing is raised then, because whatever this worker still did would be fenced.
    """
    stop = stops.watch(turn.message_id)
    inside = asyncio.current_task()
    assert inside is not None
    is_lost = False

    async def extend() -> None:
        nonlocal is_lost
        clock = asyncio.get_running_loop().time
        until = clock() + LEASE_S
        while True:
            await asyncio.sleep(LEASE_EVERY_S)
            try:
                asked = await turns.extend(scope, turn)
            except Retryable:
                if clock() < until - LEASE_EVERY_S:
                    continue
                asked = None
            if asked is None:
                is_lost = True
                inside.cancel()
                return
            until = clock() + LEASE_S
            if asked:
                stop.set()

    extending = asyncio.create_task(extend())
    try:
        yield stop
    except asyncio.CancelledError:
        if not is_lost or inside.uncancel() > 0:
            raise
    finally:
        extending.cancel()
        stops.forget(turn.message_id)
