from itertools import count

import pytest

from contracts.ids import DocumentId, TenantId, uuid7
from ingest_service.domain.distinct import split_repeats
from ingest_service.domain.document import State
from ingest_service.domain.passage_index import EVERYTHING, IndexedPassage
from ingest_service.domain.search import DEPTH, results
from ingest_service.domain.terms import passage_vector
from runtime.tenancy import TenantScope
from services.ingest.tests.memory import MemoryEmbedder, MemoryPassageIndex
from services.ingest.tests.memory_documents import MemoryDocuments
from services.ingest.tests.promises_documents import new_document, reading_of

RETURNS = (
    "You may return the {} within 30 days of delivery if it is unused and complete. Print the label from your account, "
    "pack the item in its own box and hand it in at any parcel shop. We refund the price to your card within 5 days."
)


def split(texts: list[str], k: int) -> tuple[list[str], list[str]]:
    return split_repeats(texts, k, str)


def test_a_paragraph_about_another_product_repeats_the_first():
    tent, stove, other = RETURNS.format("tent"), RETURNS.format("stove"), "Gift cards are valid for two years."
    assert split([tent, stove, other], 3) == ([tent, other], [stove])


def test_a_part_of_what_is_shown_repeats_it_and_a_larger_text_does_not():
    whole, part = RETURNS.format("tent"), RETURNS.format("tent").split(". ")[1]
    assert split([whole, part], 2) == ([whole], [part])
    assert split([part, whole], 2) == ([part, whole], [])


@pytest.mark.parametrize(
    "texts",
    [
        [RETURNS.format("tent"), RETURNS.format("tent").replace("30", "14")],
        ["| Ridge | 1.9 kg | 239 euros |", "| Ridge | 1.9 kg | 249 euros |"],
        ["The Ridge sleeps two.", "The Peak sleeps four."],
        ["满八百元免运费。", "满六百元收运费。"],
    ],
)
def test_another_number_or_another_word_of_a_short_text_says_something_else(texts):
    assert split(texts, 2) == (texts, [])


@pytest.mark.parametrize("text", ["所有商品都可以在三十天内退货。", "คืนสินค้าได้ภายใน 30 วัน", "Hi", "?", ""])
def test_the_same_text_repeats_itself_in_every_script(text):
    assert split([text, text], 2) == ([text], [text])


def test_no_more_is_read_than_is_asked_for():
    met = count()
    texts = (f"text number {next(met)} of many" for _ in range(100))
    assert len(split_repeats(texts, 3, str)[0]) == 3
    assert next(met) == 3


class Shelf:
    """Documents of one passage each, in memory."""

    def __init__(self) -> None:
        self.scope = TenantScope(TenantId(uuid7()), "service:test")
        self.documents, self.index, self.embedder = MemoryDocuments(), MemoryPassageIndex(), MemoryEmbedder()

    async def put(self, text: str) -> None:
        document = new_document(id=DocumentId(uuid7()), state=State.READY)
        (stored,) = reading_of(document, text).passages
        self.documents.rows[self.scope.tenant_id, document.id] = document
        self.documents.cut[self.scope.tenant_id, document.id] = 1, [stored]
        (vector,) = await self.embedder.embed([text])
        passage = IndexedPassage(stored.id, document.id, 1, "en", vector, passage_vector(text))
        await self.index.upsert(self.scope, [passage])
        await self.index.show(self.scope, document.id, 1)

    async def find(self, query: str, k: int) -> list[str]:
        found = await results(
            query, k, self.scope, EVERYTHING, documents=self.documents, embedder=self.embedder, index=self.index
        )
        return [result.passage.body for result in found]


async def test_boilerplate_of_many_documents_takes_one_place():
    shelf = Shelf()
    for n in range(40):
        await shelf.put(RETURNS.format(f"product{'abcdefghij'[n % 10]}"))
    others = ["Gifts may be returned until 31 January.", "The outlet takes nothing back."]
    for text in others:
        await shelf.put(text)
    found = await shelf.find("return the item to a parcel shop", 3)
    assert len(found) == 3
    assert set(found[1:]) == set(others)


async def test_repeats_are_shown_where_nothing_else_is_left():
    shelf = Shelf()
    for _ in range(4):
        await shelf.put(RETURNS.format("tent"))
    await shelf.put("The outlet takes nothing back.")
    found = await shelf.find("return the item to a parcel shop", 4)
    assert len(found) == 4
    assert found[1] == "The outlet takes nothing back."
    assert len(await shelf.find("return", DEPTH)) == 5


async def test_a_foreign_passage_that_an_index_gives_out_has_no_text(monkeypatch):
    shelf = Shelf()
    await shelf.put("The outlet takes nothing back.")
    monkeypatch.setattr(shelf.index, "_shown", lambda *_: [passage for _, passage in shelf.index.held.values()])
    shelf.scope = TenantScope(TenantId(uuid7()), "service:test")
    assert await shelf.index.search_sparse(shelf.scope, passage_vector("outlet"), 1) != []
    assert await shelf.find("outlet", 3) == []
