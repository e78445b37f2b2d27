from uuid import UUID

import pytest

from contracts.ids import DocumentId, PassageId, TenantId, uuid7
from ingest_service.domain.fuse import ENGLISH_DENSE, OTHER_DENSE, Found, dense_weight, fuse
from ingest_service.domain.passage_index import Hit, IndexedPassage, Narrowing, passage_id
from ingest_service.domain.search import DEPTH, search
from ingest_service.domain.terms import passage_vector
from runtime.tenancy import TenantScope
from services.ingest.tests.memory import MemoryEmbedder, MemoryPassageIndex

A, B, C = (PassageId(UUID(int=number)) for number in range(1, 4))
OURS = TenantScope(TenantId(uuid7()), "service:test")


def test_each_leg_counts_relative_to_its_best():
    found = fuse([Hit(A, 0.8), Hit(B, 0.4)], [Hit(B, 12.0), Hit(C, 6.0)], 0.25, DEPTH)
    assert [(item.id, item.score) for item in found] == [
        (B, pytest.approx(0.75 + 0.125)),
        (C, pytest.approx(0.375)),
        (A, pytest.approx(0.25)),
    ]
    assert (found[0].dense, found[0].bm25) == (0.4, 12.0)
    assert (found[1].dense, found[1].bm25) == (None, 6.0)


def test_one_leg_alone_keeps_its_order():
    assert [item.id for item in fuse([Hit(A, 0.8), Hit(B, 0.4)], [], 0.05, DEPTH)] == [A, B]
    assert [item.id for item in fuse([], [Hit(C, 2.0), Hit(A, 1.0)], 0.4, DEPTH)] == [C, A]
    assert fuse([], [], 0.4, DEPTH) == []


def test_without_a_say_meaning_orders_only_what_no_word_finds():
    found = fuse([Hit(A, 0.9), Hit(B, 0.8), Hit(C, 0.7)], [Hit(C, 2.0)], 0.0, DEPTH)
    assert [item.id for item in found] == [C, A, B]


def test_a_cosine_below_zero_takes_nothing_away():
    assert fuse([Hit(A, -0.2)], [Hit(A, 3.0)], 0.4, DEPTH)[0].score == pytest.approx(0.6)


def test_what_words_alone_tell_from_many_of_its_kind_is_found():
    near = [Hit(PassageId(UUID(int=100 + n)), 0.52 - n / 10_000) for n in range(DEPTH)]
    few = [Hit(A, 9.0), *(Hit(hit.id, 2.0) for hit in near[1:])]
    found = fuse(near, few, ENGLISH_DENSE, DEPTH)
    assert (found[0].id, found[0].dense) == (A, None)


def test_what_a_leg_does_not_name_though_it_names_all_it_found_has_nothing_of_it():
    far = fuse([Hit(B, 0.8), Hit(C, 0.7)], [Hit(A, 2.0), Hit(B, 1.0)], 0.6, depth=3)
    assert {item.id: item.score for item in far}[A] == pytest.approx(0.4)
    deeper = fuse([Hit(B, 0.8), Hit(C, 0.7)], [Hit(A, 2.0), Hit(B, 1.0)], 0.6, depth=2)
    assert {item.id: item.score for item in deeper} == {
        A: pytest.approx(0.4 + 0.6 * 0.7 / 0.8),
        B: pytest.approx(0.4 * 0.5 + 0.6),
        C: pytest.approx(0.4 * 0.5 + 0.6 * 0.7 / 0.8),
    }


def test_the_model_has_less_to_say_outside_english():
    assert dense_weight(("en",)) == ENGLISH_DENSE
    assert dense_weight(("zh",)) == OTHER_DENSE
    assert (
        dense_weight(("de",)) == dense_weight(("de", "en")) < dense_weight(("en", "de", "es")) < dense_weight(("en",))
    )
    assert dense_weight(()) < ENGLISH_DENSE


async def test_search_asks_both_legs_within_one_tenant():
    index, embedder = MemoryPassageIndex(), MemoryEmbedder()
    texts = ["The tent has four poles.", "The stove burns gas.", "A jacket against rain."]
    document = DocumentId(uuid7())
    vectors = await embedder.embed(texts)
    passages = [
        IndexedPassage(passage_id(document, 1, n), document, 1, "en", vectors[n], passage_vector(text))
        for n, text in enumerate(texts)
    ]
    await index.upsert(OURS, passages)
    await index.show(OURS, document, 1)
    found = await search("Which gas does the stove burn?", OURS, embedder=embedder, index=index)
    assert found[0].id == passages[1].id
    assert found[0].bm25 is not None
    assert len(found) == 3
    stranger = TenantScope(TenantId(uuid7()), "service:test")
    assert await search("gas", stranger, embedder=embedder, index=index) == []
    nowhere = Narrowing(document_ids=(DocumentId(uuid7()),))
    assert await search("gas", OURS, embedder=embedder, index=index, only=nowhere) == []


async def test_a_question_in_another_language_than_the_documents_is_found_by_meaning():
    class ToTheFirst(MemoryEmbedder):
        async def embed_query(self, text: str) -> list[float]:
            return [1.0, 0.0]

    index, embedder, document = MemoryPassageIndex(), ToTheFirst(), DocumentId(uuid7())
    texts, vectors = ["The guarantee of poles", "Alba is a name"], [[0.9, 0.1], [0.2, 0.8]]

    async def held_in(language: str) -> list[PassageId]:
        passages = [
            IndexedPassage(passage_id(document, 1, n), document, 1, language, vectors[n], passage_vector(text))
            for n, text in enumerate(texts)
        ]
        await index.upsert(OURS, passages)
        await index.show(OURS, document, 1)
        question = "Wie lange ist die Garantie auf das Alba?"
        return [one.id for one in await search(question, OURS, embedder=embedder, index=index)]

    by_meaning = passage_id(document, 1, 0)
    assert (await held_in("en"))[0] == by_meaning
    assert (await held_in("de"))[0] != by_meaning
    assert (await held_in("und"))[0] != by_meaning


async def test_searched_thoroughly_each_passage_is_scored_by_both_legs():
    """The passage with the only rare word is the last of all by meaning, and beyond the depth of that leg."""

    class ToTheFirst(MemoryEmbedder):
        async def embed_query(self, text: str) -> list[float]:
            return [1.0, 0.0]

    index, embedder, document = MemoryPassageIndex(), ToTheFirst(), DocumentId(uuid7())
    count = 20
    texts = ["tonic signal" if n == count - 1 else "signal" for n in range(count)]
    passages = [
        IndexedPassage(passage_id(document, 1, n), document, 1, "en", [1 - n / count, 0.1], passage_vector(text))
        for n, text in enumerate(texts)
    ]
    await index.upsert(OURS, passages)
    await index.show(OURS, document, 1)

    async def found(*, thoroughly: bool) -> dict[PassageId, Found]:
        asked = search("the tonic of signals", OURS, embedder=embedder, index=index, depth=10, thoroughly=thoroughly)
        return {one.id: one for one in await asked}

    last = passages[-1].id
    usual, many = await found(thoroughly=False), await found(thoroughly=True)
    assert (usual[last].dense, many[last].dense) == (None, pytest.approx(1 / count))
    assert all(one.dense is not None and one.bm25 is not None for one in many.values())
    assert many[last].score < usual[last].score
