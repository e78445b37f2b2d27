"""The built-in answerer as a provider."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import DocumentId
from inference_service.domain.errors import ModelLate
from inference_service.domain.model import End, Model, Passage, Pieces, Prompt
from inference_service.outbound.extractive_model import ExtractiveModel, pieces
from services.inference.tests.memory_embedder import MemoryEmbedder

TEXT = "You can return any unused item within 30 days. Returned items must be unused and clean."
ANSWER = "You can return any unused item within 30 days. [4] Returned items must be unused and clean. [4]"
PROMPT = Prompt(
    system="",
    history=(),
    question="Can I return unused items?",
    passages=(Passage(4, DocumentId(UUID(int=1)), "Returns", None, TEXT, 1.0),),
    model="sentences",
)


async def hear(model: Model, prompt: Prompt) -> tuple[list[Pieces], End]:
    deadline = asyncio.get_running_loop().time() + 5
    *said, end = [item async for item in model.stream(prompt, deadline=deadline)]
    assert isinstance(end, End)
    return [item for item in said if isinstance(item, Pieces)], end


async def test_it_answers_in_words_that_join_to_the_text() -> None:
    said, end = await hear(ExtractiveModel(MemoryEmbedder()), PROMPT)
    assert "".join(text for item in said for text in item.texts) == ANSWER
    assert len(said) == 2
    assert said[1].texts[:2] == (" Returned", " items")
    assert replace(end, confidence=None) == End("stop", prompt_tokens=21, completion_tokens=18, estimated=True)
    assert end.confidence == pytest.approx(1.0, abs=0.05)


async def test_a_limit_cuts_the_answer_and_says_so() -> None:
    said, end = await hear(ExtractiveModel(MemoryEmbedder()), replace(PROMPT, max_tokens=12))
    assert "".join(text for item in said for text in item.texts) == (
        "You can return any unused item within 30 days. [4] Returned items"
    )
    assert replace(end, confidence=None) == End("length", prompt_tokens=21, completion_tokens=12, estimated=True)


async def test_a_plain_no_is_an_answer_too() -> None:
    said, end = await hear(ExtractiveModel(MemoryEmbedder()), replace(PROMPT, question="Who founded the company?"))
    assert "".join(text for item in said for text in item.texts) == (
        "I could not find an answer to that in our documents."
    )
    assert end.finish_reason == "stop"


async def test_the_whole_answer_names_its_sources() -> None:
    extraction = await ExtractiveModel(MemoryEmbedder()).extract(PROMPT)
    assert extraction.text == ANSWER
    assert extraction.cited == (4,)


async def test_its_name_is_always_there() -> None:
    assert await ExtractiveModel(MemoryEmbedder(is_away=True)).names() == ("sentences",)


class SlowEmbedder:
    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        await asyncio.sleep(60)
        return [[0.0] for _ in texts]


async def test_the_deadline_holds() -> None:
    soon = asyncio.get_running_loop().time() + 0.05
    with pytest.raises(ModelLate):
        _ = [item async for item in ExtractiveModel(SlowEmbedder()).stream(PROMPT, deadline=soon)]


@given(st.text(max_size=200))
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(pieces(text))


def test_where_words_are_written_together_a_piece_is_a_character() -> None:
    assert pieces("运费为十元。 [1]") == ("运", "费", "为", "十", "元", "。", " [1]")
