"""The work queue of answers."""

from contracts.ids import EventId
from contracts.inference import ANSWER, AnswerTurn
from inference_service.domain.answer import Desk, answer
from runtime.bus import Bus
from runtime.consume import Consumption, consume_work
from runtime.errors import LumoraError
from runtime.tenancy import TenantScope


def register(bus: Bus, desk: Desk, *, slots: int) -> Consumption:
    """`slots` answers at a time; a job that is given up fails its turn, so that no row stays open."""

    async def on_answer_job(job: AnswerTurn, scope: TenantScope, _event_id: EventId) -> None:
        await answer(job.message_id, scope, desk)

    async def give_up(job: AnswerTurn, scope: TenantScope, error: Exception) -> None:
        code = error.code if isinstance(error, LumoraError) else "internal"
        await desk.turns.fail(scope, job.message_id, code)

    return consume_work(bus, ANSWER, on_answer_job, slots=slots, give_up=give_up)
