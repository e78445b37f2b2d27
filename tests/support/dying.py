"""`python -m tests.support.dying`: a process that kills itself with SIGKILL in the place that `PROBE["mode"]` names.

in_handler     it holds a job
after_commit   a job's effect and inbox row are committed, the job is not acknowledged
before_publish the outbox row is committed, nothing is published
after_publish  the outbox row is published and not deleted
after_batch    a batch of facts is counted by learning's own handler, none of them is acknowledged
"""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from contracts.base import Job
from contracts.ids import EventId, MessageId, TenantId
from contracts.inference import ANSWER, AnswerTurn
from runtime.bus import Bus
from runtime.consume import consume_work
from runtime.db import Database
from runtime.fact_batches import Said
from runtime.outbox import OutboxRelay, Outgoing
from runtime.tenancy import TenantScope
from tests.support.facts import hear_facts

CONSUMER = "probe"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def handle_once(database: Database, scope: TenantScope, job: AnswerTurn, event_id: EventId) -> bool:
    """An effect with its inbox row, in one transaction; False when it was there already."""
    async with database.tenant_tx(scope) as tx:
        if not await tx.first_time(CONSUMER, event_id):
            return False
        await tx.session.execute(
            text("INSERT INTO note (tenant_id, id, body) VALUES (:t, gen_random_uuid(), :b)"),
            {"t": scope.tenant_id, "b": str(job.message_id)},
        )
        return True


async def consume_and_die(bus: Bus, database: Database, scope: TenantScope, mode: str) -> None:
    async def on_job(job: Job, found: TenantScope, event_id: EventId) -> None:
        assert isinstance(job, AnswerTurn)
        if found.tenant_id != scope.tenant_id:
            return
        if mode == "after_commit":
            await handle_once(database, found, job, event_id)
        die()

    consume_work(bus, ANSWER, on_job, slots=1)
    await bus.start()
    await asyncio.sleep(60)


async def commit_and_die(bus: Bus, database: Database, scope: TenantScope, given: dict[str, str]) -> None:
    relay = OutboxRelay(given["relay_url"], bus)

    def hand_over(rows: list[Outgoing]) -> None:
        if given["mode"] == "before_publish":
            die()
        relay.hand_over(rows)

    database.after_commit(hand_over)
    async with database.tenant_tx(scope) as tx:
        await tx.enqueue(ANSWER, AnswerTurn(message_id=MessageId(UUID(given["message_id"]))))
    await asyncio.wait(relay._running)
    die()


async def count_and_die(bus: Bus, database: Database, scope: TenantScope) -> None:
    async def die_for(_batch: Sequence[Said], found: TenantScope) -> None:
        if found.tenant_id == scope.tenant_id:
            die()

    await hear_facts(bus, database, after=die_for).watch()


async def main() -> None:
    given: dict[str, Any] = json.loads(os.environ["PROBE"])
    bus = Bus(given.get("service", "inference"), given["nats_url"], given["nats_seed"])
    database = Database(given["app_url"])
    scope = TenantScope(TenantId(UUID(given["tenant_id"])), "service:test")
    await bus.connect()
    if given["mode"] in {"in_handler", "after_commit"}:
        await consume_and_die(bus, database, scope, given["mode"])
    elif given["mode"] == "after_batch":
        await count_and_die(bus, database, scope)
    else:
        await commit_and_die(bus, database, scope, given)


if __name__ == "__main__":
    asyncio.run(main())
