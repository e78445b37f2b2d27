import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.domain.blocks import Kind
from ingest_service.domain.chunk import chunk
from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.errors import DocumentTooLong, EmptyDocument
from ingest_service.domain.manuscript import MOST_PAGES, Composer, Item, Manuscript
from services.ingest.tests.memory import WordCounter

WORDS = st.text(alphabet=st.one_of(st.sampled_from("ab |\n\r\t\x00\u200b\ud83d#-"), st.characters()), max_size=30)
STEP = st.one_of(
    st.tuples(st.just("page")),
    st.tuples(st.just("heading"), st.integers(-1, 9), WORDS),
    st.tuples(st.just("paragraph"), WORDS),
    st.tuples(st.just("items"), st.lists(st.builds(Item, WORDS, st.integers(0, 3)), max_size=5)),
    st.tuples(st.just("table"), st.lists(st.lists(WORDS, max_size=4), max_size=5), st.booleans()),
    st.tuples(st.just("code"), WORDS),
)


def composed(steps) -> Composer:
    composer = Composer()
    for name, *arguments in steps:
        if name == "table":
            composer.table(arguments[0], has_header=arguments[1])
        else:
            getattr(composer, name)(*arguments)
    return composer


@given(st.lists(STEP, max_size=12))
def test_every_span_is_the_block_and_every_page_begins_at_one(steps):
    composer = composed([*steps, ("paragraph", "end")])
    read = composer.manuscript("text/plain")
    joined = "\n\n".join(read.text[block.span.start : block.span.end] for block in read.blocks)
    assert joined == read.text
    assert read.text.encode()
    assert "\x00" not in read.text
    for block in read.blocks:
        assert block.span.end > block.span.start
        if block.kind is Kind.HEADING:
            assert read.text[block.span.start : block.span.end] == block.title
            assert 1 <= block.level <= 6
        for unit in block.units:
            assert block.span.start <= unit.start <= unit.end <= block.span.end
        if block.units:
            units = "\n".join(read.text[unit.start : unit.end] for unit in block.units)
            assert units == read.text[block.span.start : block.span.end]
    starts = {block.span.start for block in read.blocks} | {len(read.text)}
    assert list(read.pages) == sorted(read.pages)
    assert set(read.pages) <= starts
    for passage in chunk(read, WordCounter()):
        assert read.text[passage.span.start : passage.span.end] == passage.body
        assert (passage.page is None) == (not read.pages)


def test_a_table_is_markdown_and_its_header_leads():
    composer = Composer()
    composer.paragraph("Prices:")
    composer.table([["name", "", "price"], ["", "", ""], ["a|b", "", "1\n2"]], has_header=True)
    read = composer.manuscript("text/plain")
    table = read.blocks[1]
    assert read.text[table.span.start :] == "| name | price |\n|---|---|\n| a\\|b | 1 2 |"
    assert table.lead is not None
    assert read.text[table.lead.start : table.lead.end] == "| name | price |"


def test_a_long_table_repeats_its_header_in_every_passage():
    composer = Composer()
    composer.table([["name", "price"], *([f"tent {n}", f"{n} EUR"] for n in range(80))], has_header=True)
    passages = chunk(composer.manuscript("text/plain"), WordCounter(), CutSettings(60, 0.167))
    assert len(passages) > 5
    assert all(passage.full_text.count("| name | price |") == 1 for passage in passages)


def test_a_passage_says_the_page_it_begins_on():
    composer = Composer()
    composer.page()
    composer.heading(1, "One")
    composer.paragraph("On the first.")
    composer.page()
    composer.page()
    composer.heading(1, "Three")
    composer.paragraph("On the third.")
    composer.note("page 2 is empty", page=2)
    read = composer.manuscript("text/plain", "  The\ntitle ")
    assert [passage.page for passage in chunk(read, WordCounter())] == [1, 3]
    assert read.title == "The title"
    assert read.notes == ((2, "page 2 is empty"),)
    assert len(read.pages) == 3


def test_a_text_without_pages_names_none():
    assert Manuscript("text/plain", "text", ()).page_of(2) is None


def test_an_inner_item_belongs_to_the_outer_one():
    composer = Composer()
    composer.items([Item("one"), Item("inner", 1), Item("two", mark="2.")])
    read = composer.manuscript("text/plain")
    assert [read.text[unit.start : unit.end] for unit in read.blocks[0].units] == ["- one\n  - inner", "2. two"]


def test_nothing_is_an_empty_document():
    composer = composed([("page",), ("paragraph", " \x00 "), ("table", [["", ""]], True)])
    assert composer.blocks == 0
    with pytest.raises(EmptyDocument):
        composer.manuscript("text/plain")


def test_too_many_pages_or_characters_are_refused(monkeypatch):
    composer = composed([("page",)] * MOST_PAGES)
    with pytest.raises(DocumentTooLong) as refused:
        composer.page()
    assert refused.value.code == "document_too_long"
    monkeypatch.setattr("ingest_service.domain.manuscript.MOST_CHARACTERS", 10)
    with pytest.raises(DocumentTooLong, match="10 characters"):
        Composer().paragraph("eleven chars")
