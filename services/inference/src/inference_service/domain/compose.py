"""What a model is told about one turn."""

from contracts.ingest import PassageHit
from inference_service.domain.model import Passage, Prompt, Turn
from inference_service.domain.prompt import system_text
from inference_service.domain.turn import LeasedTurn


def compose(turn: LeasedTurn, model: str, hits: tuple[PassageHit, ...]) -> Prompt:
    """The prompt of a turn; the provider fits it into its own context. `model` is the provider's own name."""
    return Prompt(
        system=system_text(persona=turn.persona or f"You are {turn.agent_name}.", instructions=turn.instructions),
        history=tuple(Turn("user" if said.is_customer else "assistant", said.text) for said in turn.history),
        question=turn.question,
        passages=tuple(
            Passage(
                n=n,
                document_id=hit.document_id,
                title=hit.title,
                page=hit.page,
                text=hit.text,
                score=hit.score,
                heading=hit.heading,
                above=hit.above,
            )
            for n, hit in enumerate(hits, 1)
        ),
        model=model,
        temperature=turn.options.temperature,
        max_tokens=turn.options.max_tokens,
    )
