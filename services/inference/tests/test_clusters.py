import math

import pytest

from contracts.ids import GapId, MessageId, TenantId, uuid7
from inference_service.domain.clusters import Asked, group_of, joined, nearest
from inference_service.domain.errors import EmbedderFailed
from inference_service.domain.gather_gaps import gather_gaps, sort_questions
from inference_service.inbound.upkeep import gather_round
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from services.inference.tests.fakes import SCOPE, MemoryQuestions, MemoryRedaction
from services.inference.tests.memory_embedder import MemoryEmbedder

NORWAY = ("Do you ship parcels to Norway?", "Can parcels ship to Norway?", "Do you ship to Norway by parcels?")
WARRANTY = "How long is the warranty of a grinder?"


async def asked(*questions: str) -> list[Asked]:
    vectors = await MemoryEmbedder().embed(questions)
    return [Asked(MessageId(uuid7()), text, vector) for text, vector in zip(questions, vectors, strict=True)]


async def test_questions_that_mean_the_same_come_together():
    questions = await asked(NORWAY[0], WARRANTY, NORWAY[1], NORWAY[2])
    done = sort_questions(questions, ())
    first, other, second, third = (done.gap_ids[one.id] for one in questions)
    assert first == second == third != other
    assert sorted(group.count for group in done.groups) == [1, 3]


async def test_a_question_joins_a_group_that_was_there_before():
    first, second = await asked(*NORWAY[:2])
    known = group_of(first, GapId(uuid7()))
    done = sort_questions([second], [known])
    assert done.gap_ids == {second.id: known.id}
    assert done.groups[0].count == 2


async def test_questions_of_two_languages_stay_apart():
    english, german = (
        Asked(MessageId(uuid7()), text, [1.0, 0.0]) for text in (NORWAY[0], "Liefern Sie Pakete nach Norwegen?")
    )
    assert nearest(german, [group_of(english, GapId(uuid7()))]) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [("Do you rent kayaks?", "Kayak available?"), ("Kayak available?", "Do you rent kayaks?")],
)
async def test_a_question_too_short_to_tell_its_language_joins_those_of_its_meaning(first: str, second: str):
    one, other = Asked(MessageId(uuid7()), first, [1.0, 0.0]), Asked(MessageId(uuid7()), second, [0.8, 0.6])
    far = Asked(MessageId(uuid7()), second, [0.3, 0.954])
    group = group_of(one, GapId(uuid7()))
    assert nearest(other, [group]) is group
    assert nearest(far, [group]) is None


async def test_where_meanings_are_not_known_a_short_question_is_compared_by_the_words_of_the_other_language():
    german, short, other = (
        Asked(MessageId(uuid7()), text, [1.0, 0.0]) for text in ("Gibt es Parkplätze?", "Parkplatz?", "Kajak?")
    )
    for one, another in ((german, short), (short, german)):
        group = group_of(one, GapId(uuid7()))
        assert nearest(another, [group]) is group
        assert nearest(other, [group]) is (group if one is short else None)


async def test_the_centre_is_the_mean_of_unit_length():
    one, other = Asked(MessageId(uuid7()), "a", [1.0, 0.0]), Asked(MessageId(uuid7()), "b", [0.0, 1.0])
    group = joined(group_of(one, GapId(uuid7())), other)
    assert list(group.centre) == pytest.approx([math.sqrt(0.5)] * 2)


async def test_what_waits_is_gathered_once():
    gaps = MemoryQuestions({MessageId(uuid7()): text for text in NORWAY})
    assert await gather_gaps(SCOPE, gaps, redaction=MemoryRedaction(), embedder=MemoryEmbedder()) == 3
    assert await gather_gaps(SCOPE, gaps, redaction=MemoryRedaction(), embedder=MemoryEmbedder()) == 0
    assert len(set(gaps.gap_ids.values())) == 1


async def test_without_embeddings_questions_wait():
    gaps = MemoryQuestions({MessageId(uuid7()): NORWAY[0]})
    with pytest.raises(EmbedderFailed):
        await gather_gaps(SCOPE, gaps, redaction=MemoryRedaction(), embedder=MemoryEmbedder(is_away=True))
    assert not gaps.gap_ids


async def test_while_nobody_takes_out_personal_data_questions_wait():
    gaps = MemoryQuestions({MessageId(uuid7()): NORWAY[0]})
    with pytest.raises(Unavailable):
        await gather_gaps(SCOPE, gaps, redaction=MemoryRedaction(is_away=True), embedder=MemoryEmbedder())
    assert not gaps.gap_ids


async def test_long_questions_are_gathered_by_as_many_as_a_message_holds():
    """Thirty of the longest, in signs of three bytes, which JSON may write with six."""
    gaps = MemoryQuestions({MessageId(uuid7()): "退" * 16_000 for _ in range(30)})
    rounds = 0
    while await gather_gaps(SCOPE, gaps, redaction=MemoryRedaction(), embedder=MemoryEmbedder()):
        rounds += 1
    assert (len(gaps.gap_ids), rounds) == (30, 15)


async def test_one_business_whose_questions_cannot_be_gathered_keeps_no_other_one_waiting():
    first, second = SCOPE, TenantScope(TenantId(uuid7()), "service:test")
    gaps = MemoryQuestions({MessageId(uuid7()): NORWAY[0]})

    class Both:
        async def with_unsorted_questions(self) -> list[TenantScope]:
            return [first, second]

    redaction = MemoryRedaction(refused=frozenset({first}))
    await gather_round(Both(), gaps, redaction=redaction, embedder=MemoryEmbedder())
    assert len(gaps.gap_ids) == 1
