"""What a customer hears who asks for a person, or writes while one is to answer: that, once; then no machine."""

from inference_service.domain.model import Pieces
from inference_service.domain.notice import notice
from inference_service.domain.ports import Sink
from inference_service.domain.turn import LeasedTurn, Outcome
from inference_service.domain.words import language_of
from runtime.tenancy import TenantScope


async def leave_to_people(turn: LeasedTurn, scope: TenantScope, sink: Sink, reason: str | None = None) -> Outcome:
    """End the turn without asking a model; its message is there for people to read. Raises Unavailable.

    With a `reason` it is by this turn that they get the conversation: they do, and it is said anew, whatever was said
    before and whether or not the filter lets the notice through.
    """
    if turn.is_told and reason is None:
        return Outcome(content="", finish_reason="handed_over", model="")
    async with sink.open(scope, turn) as stream:
        await stream.start("", ())
        await stream.send(Pieces((notice(language_of(turn.question)),)))
        shown = await stream.end("handed_over")
    return Outcome(
        content=shown.content,
        finish_reason=shown.finish_reason,
        model="",
        categories=shown.categories,
        hand_over_reason=reason,
    )
