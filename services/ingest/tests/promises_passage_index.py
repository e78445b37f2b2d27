"""What every implementation of `PassageIndex` keeps: run against the fake, the engine and a server's protocol."""

import uuid
from dataclasses import replace

import pytest

from contracts.ids import DocumentId, PassageId, TenantId, uuid7
from ingest_service.domain.passage_index import IndexedPassage, Narrowing, PassageIndex, passage_id
from ingest_service.domain.terms import passage_vector, query_vector
from runtime.tenancy import TenantScope

OURS = TenantScope(TenantId(uuid7()), "service:test")
THEIRS = TenantScope(TenantId(uuid7()), "service:test")
TENTS, STOVES = DocumentId(uuid.UUID(int=1)), DocumentId(uuid.UUID(int=2))


def axis(place: int) -> list[float]:
    return [1.0 if place == number else 0.0 for number in range(384)]


def passage(document: DocumentId, n: int, text: str, *, generation: int = 1, language: str = "en") -> IndexedPassage:
    return IndexedPassage(
        id=passage_id(document, generation, n),
        document_id=document,
        generation=generation,
        language=language,
        dense=axis(n),
        sparse=passage_vector(text),
    )


async def put(index: PassageIndex, scope: TenantScope, passages: list[IndexedPassage]) -> None:
    await index.upsert(scope, passages)
    for document_id, generation in {(p.document_id, p.generation) for p in passages}:
        await index.show(scope, document_id, generation)


class PromisesOfPassageIndex:
    """Subclasses give the fixture `index`."""

    @pytest.fixture
    def index(self) -> PassageIndex:
        raise NotImplementedError

    async def test_the_nearest_comes_first(self, index):
        await put(index, OURS, [passage(TENTS, n, "tent") for n in range(3)])
        hits = await index.search_dense(OURS, [0.1, 0.9, 0.4] + [0.0] * 381, limit=2)
        assert [hit.id for hit in hits] == [passage_id(TENTS, 1, 1), passage_id(TENTS, 1, 2)]
        assert hits[0].score == pytest.approx(0.9)

    async def test_only_passages_that_share_a_term_match(self, index):
        await put(index, OURS, [passage(TENTS, 0, "A tent for two"), passage(STOVES, 1, "A stove for gas")])
        hits = await index.search_sparse(OURS, query_vector("which stove"), limit=5)
        assert [hit.id for hit in hits] == [passage_id(STOVES, 1, 1)]
        assert await index.search_sparse(OURS, query_vector("umbrella"), limit=5) == []
        assert await index.search_sparse(OURS, query_vector("?!"), limit=5) == []

    async def test_a_rare_term_weighs_more_than_a_usual_one(self, index):
        texts = ["warranty tent", "warranty stove", "warranty jacket", "warranty lamp"]
        await put(index, OURS, [passage(TENTS, n, text) for n, text in enumerate(texts)])
        hits = await index.search_sparse(OURS, query_vector("warranty lamp"), limit=4)
        assert hits[0].id == passage_id(TENTS, 1, 3)
        assert hits[0].score > 2 * hits[1].score

    async def test_another_tenant_sees_nothing_and_weighs_nothing(self, index):
        await put(index, OURS, [passage(TENTS, 0, "tent pole"), passage(TENTS, 1, "tent peg")])
        before = await index.search_sparse(OURS, query_vector("tent pole"), limit=5)
        foreign = [passage(STOVES, n, "pole pole pole") for n in range(9)]
        await put(index, THEIRS, foreign)
        assert await index.search_sparse(OURS, query_vector("tent pole"), limit=5) == before
        assert {hit.id for hit in await index.search_dense(OURS, axis(0), limit=99)} == {
            passage_id(TENTS, 1, 0),
            passage_id(TENTS, 1, 1),
        }
        assert {hit.id for hit in await index.search_dense(THEIRS, axis(0), limit=99)} == {p.id for p in foreign}

    async def test_languages_are_told_of_the_tenants_passages_alone(self, index):
        ours = [passage(TENTS, 0, "tent"), passage(TENTS, 1, "Zelt", language="de")]
        theirs = [passage(STOVES, 0, "fornuis", language="nl")]
        await put(index, OURS, ours)
        await put(index, THEIRS, theirs)
        asked = [one.id for one in (*ours, *theirs)]
        assert await index.languages(OURS, asked) == {"en", "de"}
        assert await index.languages(OURS, asked[1:]) == {"de"}
        assert await index.languages(OURS, []) == set()

    async def test_writing_twice_changes_nothing(self, index):
        for _ in range(2):
            await put(index, OURS, [passage(TENTS, 0, "tent"), passage(TENTS, 1, "tent")])
        assert await index.count(OURS) == 2

    async def test_deleting_spares_other_documents_and_tenants(self, index):
        await put(index, OURS, [passage(TENTS, 0, "tent"), passage(STOVES, 1, "stove")])
        theirs = IndexedPassage(PassageId(uuid7()), TENTS, 1, "en", axis(0), passage_vector("tent"))
        await put(index, THEIRS, [theirs])
        for _ in range(2):
            await index.delete_document(OURS, TENTS)
        assert await index.count(OURS) == 1
        assert await index.count(OURS, STOVES) == 1
        assert await index.count(OURS, TENTS) == 0
        assert await index.count(THEIRS) == 1

    async def test_an_older_reading_can_be_removed_alone(self, index):
        await put(index, OURS, [passage(TENTS, n, "tent", generation=1) for n in range(3)])
        await put(index, OURS, [passage(TENTS, n, "tent", generation=2) for n in range(2)])
        await index.delete_document(OURS, TENTS, but_generation=2)
        assert await index.count(OURS, TENTS) == 2
        assert (await index.search_dense(OURS, axis(1), limit=1))[0].id == passage_id(TENTS, 2, 1)

    async def test_deleting_a_tenant_counts_what_went(self, index):
        await put(index, OURS, [passage(TENTS, n, "tent") for n in range(3)])
        await put(index, THEIRS, [passage(STOVES, 0, "stove")])
        assert await index.delete_tenant(OURS) == 3
        assert await index.delete_tenant(OURS) == 0
        assert await index.count_all() == 1

    async def test_what_is_written_is_counted_before_it_is_shown(self, index):
        await index.upsert(OURS, [passage(TENTS, n, "tent", generation=2) for n in range(3)])
        await put(index, OURS, [passage(TENTS, n, "tent", generation=1) for n in range(2)])
        await put(index, THEIRS, [passage(STOVES, 0, "stove")])
        assert await index.written(OURS, TENTS, 2) == 3
        assert await index.written(OURS, TENTS, 1) == 2
        assert await index.written(OURS, STOVES, 1) == 0

    async def test_what_is_not_shown_yet_is_not_found_and_weighs_nothing(self, index):
        await put(index, OURS, [passage(TENTS, 0, "tent pole"), passage(TENTS, 1, "tent peg")])
        before = await index.search_sparse(OURS, query_vector("tent pole"), limit=5)
        await index.upsert(OURS, [passage(STOVES, n, "pole pole") for n in range(2, 9)])
        assert await index.search_sparse(OURS, query_vector("tent pole"), limit=5) == before
        assert len(await index.search_dense(OURS, axis(4), limit=9)) == 2
        assert await index.count(OURS, STOVES) == 0
        await index.show(THEIRS, STOVES, 1)
        await index.show(OURS, STOVES, 2)
        assert await index.count(OURS) == 2
        await index.show(OURS, STOVES, 1)
        assert await index.count(OURS) == 9
        await index.delete_document(OURS, STOVES)
        assert await index.count_all() == 2

    async def test_a_search_can_be_narrowed(self, index):
        await put(index, OURS, [passage(TENTS, 0, "tent"), passage(STOVES, 1, "zelt stove", language="de")])
        by_document = Narrowing(document_ids=(STOVES,))
        by_language = Narrowing(languages=("en",))
        assert [hit.id for hit in await index.search_dense(OURS, axis(0), 9, by_document)] == [passage_id(STOVES, 1, 1)]
        assert [hit.id for hit in await index.search_dense(OURS, axis(1), 9, by_language)] == [passage_id(TENTS, 1, 0)]
        assert await index.search_sparse(OURS, query_vector("stove"), 9, by_language) == []

    async def test_passages_are_scored_by_name_as_among_all(self, index):
        ours = [passage(TENTS, n, text) for n, text in enumerate(("tent pole", "tent peg", "stove", "tent"))]
        await put(index, OURS, ours)
        theirs = passage(STOVES, 0, "tent pole")
        await put(index, THEIRS, [theirs])
        named = Narrowing(passage_ids=(ours[0].id, ours[2].id, ours[3].id, theirs.id))
        asked, words = [0.1, 0.9, 0.4] + [0.0] * 381, query_vector("tent pole")
        by_meaning = {hit.id: hit.score for hit in await index.search_dense(OURS, asked, 9)}
        by_words = {hit.id: hit.score for hit in await index.search_sparse(OURS, words, 9)}
        assert dict(await index.search_dense(OURS, asked, 4, named)) == pytest.approx(
            {one.id: by_meaning[one.id] for one in (ours[0], ours[2], ours[3])}
        )
        assert dict(await index.search_sparse(OURS, words, 4, named)) == pytest.approx(
            {one.id: by_words[one.id] for one in (ours[0], ours[3])}
        )

    async def test_a_passage_without_a_vector_is_found_by_its_words(self, index):
        await put(index, OURS, [replace(passage(TENTS, 0, "tent"), dense=None), passage(STOVES, 1, "stove")])
        assert [hit.id for hit in await index.search_sparse(OURS, query_vector("tent"), 9)] == [passage_id(TENTS, 1, 0)]
        assert [hit.id for hit in await index.search_dense(OURS, axis(0), 9)] == [passage_id(STOVES, 1, 1)]
        assert await index.count(OURS, TENTS) == 1
        await put(index, OURS, [passage(TENTS, 0, "tent")])
        assert (await index.search_dense(OURS, axis(0), 9))[0].id == passage_id(TENTS, 1, 0)

    async def test_it_tells_what_it_holds_of_everybody(self, index):
        assert await index.readings() == []
        await put(index, OURS, [passage(TENTS, n, "tent") for n in range(3)])
        await index.upsert(OURS, [passage(TENTS, n, "tent", generation=2) for n in range(2)])
        await put(index, THEIRS, [passage(STOVES, n, "stove") for n in range(1_100)])
        assert set(await index.readings()) == {
            (OURS.tenant_id, TENTS, 1, 3, 0),
            (OURS.tenant_id, TENTS, 2, 0, 2),
            (THEIRS.tenant_id, STOVES, 1, 1_100, 0),
        }
