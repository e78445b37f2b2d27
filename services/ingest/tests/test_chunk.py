import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.domain import chunk as chunking
from ingest_service.domain import markdown
from ingest_service.domain.chunk import Passage, chunk
from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.errors import DocumentTooLong
from ingest_service.domain.manuscript import Manuscript
from ingest_service.domain.markdown import markdown_blocks
from ingest_service.domain.media_types import MARKDOWN, PLAIN
from ingest_service.domain.plain_text import plain_text_blocks
from services.ingest.tests.memory import WordCounter

RETURNS = """# Returns

You may send things back.

## How long

Within **30 days** of delivery. It must be:

- unused
- with its tag
  - even the small one

## Prices

| item | days |
|---|---|
| tent | 30 |
| stove | 14 |
"""


def chunked(text: str, kind: str = MARKDOWN, most_tokens: int = 220, overlap: float = 0.167) -> list[Passage]:
    blocks = markdown_blocks(text) if kind == MARKDOWN else plain_text_blocks(text)
    passages = chunk(Manuscript(kind, text, tuple(blocks)), WordCounter(), CutSettings(most_tokens, overlap))
    for n, passage in enumerate(passages):
        assert passage.n == n
        assert text[passage.span.start : passage.span.end] == passage.body
        assert passage.body.strip()
    return passages


def test_headings_travel_with_their_text():
    passages = chunked(RETURNS)
    assert [passage.headings for passage in passages] == [
        ("Returns",),
        ("Returns", "How long"),
        ("Returns", "Prices"),
    ]
    assert passages[1].full_text.startswith("Returns > How long\nWithin **30 days**")


def test_a_list_stays_with_what_introduces_it():
    assert chunked(RETURNS)[1].body.endswith("It must be:\n\n- unused\n- with its tag\n  - even the small one")


def test_a_long_list_is_cut_between_its_items_and_each_part_is_introduced():
    items = [f"- item number {n} is kept whole" for n in range(40)]
    passages = chunked("# Kit\n\nTake with you:\n\n" + "\n".join(items), most_tokens=60)
    assert len(passages) > 3
    assert "\n".join(passage.body.removeprefix("Take with you:\n\n") for passage in passages) == "\n".join(items)
    assert all("Take with you:" in passage.full_text for passage in passages)


def test_a_long_table_repeats_its_header():
    rows = [f"| tent {n} | {n} kg | {n * 10} EUR |" for n in range(60)]
    passages = chunked("\n".join(["| name | weight | price |", "|---|---|---|", *rows]), most_tokens=80)
    assert len(passages) > 5
    for passage in passages:
        assert passage.full_text.count("| name | weight | price |") == 1
        assert passage.body.splitlines()[-1] in rows


def test_a_paragraph_that_fits_is_never_cut():
    paragraphs = [f"Paragraph {n} has some words. It has two sentences." for n in range(30)]
    passages = chunked("\n\n".join(paragraphs), PLAIN, most_tokens=50)
    assert "\n\n".join(passage.body for passage in passages) == "\n\n".join(paragraphs)


def test_a_long_paragraph_is_cut_at_sentences_and_overlaps():
    sentences = [f"Sentence {n} says it." for n in range(60)]
    passages = chunked(" ".join(sentences), PLAIN, most_tokens=40)
    for before, after in pairwise(passages):
        assert after.body.split(". ")[0].rstrip(".") + "." == before.body.split(". ")[-1]
    assert passages[-1].body.endswith("Sentence 59 says it.")


def test_text_without_spaces_or_stops_is_cut_too():
    passages = chunked("字" * 3000, PLAIN, most_tokens=100)
    assert len(passages) > 4
    assert passages[0].span.start == 0
    assert passages[-1].span.end == 3000


def test_parts_are_of_about_equal_size():
    passages = chunked(" ".join(f"Sentence {n} says it." for n in range(26)), PLAIN, most_tokens=100)
    sizes = WordCounter().count_tokens([passage.body for passage in passages])
    assert max(sizes) < 2 * min(sizes)


def test_a_heading_without_text_is_still_found():
    passages = chunked("# Shop\n\n## Closed on Sundays\n\n## Open on Mondays\n\nFrom nine.")
    assert [(passage.headings, passage.body) for passage in passages] == [
        (("Shop",), "## Closed on Sundays"),
        (("Shop", "Open on Mondays"), "From nine."),
    ]
    assert [passage.body for passage in chunked("# Only a title")] == ["# Only a title"]


def test_heading_marks_and_links_are_no_words():
    assert chunked("# **Our** `best` [tents](http://x)\n\nGood.")[0].headings == ("Our best tents",)


def test_comments_are_no_text_and_code_is_kept_whole():
    passages = chunked("<!-- secret -->\n\n```\na = 1\n\n# no heading\n```\n\nAfter.")
    assert len(passages) == 1
    assert "secret" not in passages[0].body
    assert "# no heading" in passages[0].body


def test_windows_line_ends_keep_the_offsets_exact():
    passages = chunked(RETURNS.replace("\n", "\r\n"))
    assert [passage.headings[-1] for passage in passages] == ["Returns", "How long", "Prices"]


def test_plain_text_headings_and_lists_are_seen():
    text = (
        "NORTH SHOP\n\nOpening hours\n\nMonday to Friday: 9-18\n\n"
        "Returns\n=======\nWithin 30 days.\nBring:\n- the bill\n- the item\n"
    )
    passages = chunked(text, PLAIN)
    assert [passage.headings for passage in passages] == [("NORTH SHOP", "Opening hours"), ("Returns",)]
    assert passages[1].body == "Within 30 days.\nBring:\n- the bill\n- the item"


GOODS = "Goods can be returned within thirty days of receipt"


@pytest.mark.parametrize(
    "statement",
    [
        GOODS,
        f"\u201c{GOODS}.\u201d",
        "दुकान रविवार को बंद रहती है।",
        "दुकान बंद रहती है॥",
        "สินค้าคืนได้ภายในสามสิบวัน",
        "商品可在30天内退货",
        "商品可在三十天内退货。」",
        "Խանութը բաց է\u0589",
        "ሱቁ ሃሙስ ዝግ ነው።",
        "Open until 22:45",
        "Free shipping from 50 euros",
        "Tents are dry\u2026",
    ],
)
def test_a_statement_of_plain_text_is_no_heading(statement):
    passages = chunked(f"We open on Sundays.\n\n{statement}\n\n{'Shipping costs sixty rupees everywhere. ' * 3}", PLAIN)
    assert [(passage.headings, statement in passage.body) for passage in passages] == [((), True)]


@pytest.mark.parametrize(
    "title",
    [
        "Returns",
        "Shipping and delivery",
        "2.1 Returns",
        "IV. Returns",
        "Returns and Refunds for Customers in Europe",
        "वापसी",
        "Can goods be returned once they were worn?",
        "可以退货吗\uff1f",
        "ALL ABOUT THE WAY YOU SEND GOODS BACK",
        "Whatever the shop says about it\n===============================",
    ],
)
def test_a_title_of_plain_text_stands_above_its_text(title):
    passages = chunked(f"We open on Sundays.\n\n{title}\n\n{'Bring the bill. ' * 8}", PLAIN)
    words = title.split("\n", 1)[0]
    assert [passage.headings for passage in passages] == [(), (words,)]


def test_a_line_above_a_shorter_one_is_no_heading_of_it():
    assert [passage.headings for passage in chunked("Bananas and pears\n\nApples\n\nAnd so on.", PLAIN)] == [
        (),
        ("Apples",),
    ]


def test_headings_stand_word_for_word_above_the_first_passage_below_them():
    text = f"# Shop\n\n## Free shipping from 50 euros\n\n{'We send it today. ' * 40}\n\n## End\n\n### Last"
    first, *rest, last = chunked(text, most_tokens=60)
    assert first.above == "# Shop\n\n## Free shipping from 50 euros\n\n"
    assert text[: first.span.start] == first.above
    assert [passage.above for passage in rest] == [""] * len(rest)
    assert (last.above, last.body) == ("## End\n\n", "### Last")


def test_every_word_of_a_document_can_be_cited():
    text = "# One\n\nA.\n\n# Two\n\n## Three\n\n# Four\n\n## Five\n\nB.\n\nSix\n===\n\nC."
    passages = chunked(text)
    assert " ".join("\n".join(passage.above + passage.body for passage in passages).split()) == " ".join(text.split())
    assert all(text[: passage.span.start].endswith(passage.above) for passage in passages)


def test_pages_are_told_where_they_begin_within_a_passage():
    text = "First page.\n\n# Sauna\n\nOn the second.\n\nOn the fourth."
    second, fourth = text.index("# Sauna"), text.index("On the fourth")
    blocks = tuple(markdown_blocks(text))
    manuscript = Manuscript("application/pdf", text, blocks, pages=(0, second, fourth, fourth))
    alone, both = chunk(manuscript, WordCounter())
    assert (alone.page, alone.pages) == (1, ())
    assert both.page == 2
    assert both.pages == ((second, 2), (fourth, 4))


def test_an_endless_heading_leaves_room_for_text():
    passages = chunked("# " + "word " * 500 + "\n\nThe text.", most_tokens=100)
    assert passages[-1].body == "The text."
    assert len(passages[-1].above) == chunking.LONGEST_ABOVE
    assert max(WordCounter().count_tokens([passage.full_text for passage in passages])) <= 100


def test_a_long_document_is_parsed_in_slabs_without_a_seam(monkeypatch):
    text = "\n".join(f"## Part {n}\n\nText of part {n}.\n\n```\n## no heading {n}\n```\n" for n in range(60))
    whole = chunked(text)
    monkeypatch.setattr(markdown, "SLAB", 200)
    assert chunked(text) == whole
    assert len(whole) == 60


@pytest.mark.parametrize("kind", [MARKDOWN, PLAIN])
@given(data=st.data())
def test_no_word_is_lost_and_no_passage_is_too_long(kind, data):
    seed = data.draw(st.integers(0, 2**32))
    most_tokens = data.draw(st.integers(40, 120))
    chooser = random.Random(seed)
    makers = [
        lambda n: f"# Title {n}",
        lambda n: f"### Below {n}",
        lambda n: " ".join(f"w{n}x{k}" for k in range(chooser.randint(1, 150))) + ".",
        lambda n: "\n".join(f"- i{n}x{k} with words" for k in range(chooser.randint(1, 30))),
        lambda n: "| a | b |\n|---|---|\n" + "\n".join(f"| c{n}x{k} | d |" for k in range(chooser.randint(1, 30))),
        lambda _: "It has these:",
    ]
    text = "\n\n".join(chooser.choice(makers)(n) for n in range(chooser.randint(1, 12)))
    passages = chunked(text, kind, most_tokens)
    sizes = WordCounter().count_tokens([passage.full_text for passage in passages])
    assert max(sizes) <= most_tokens
    shown = "\n".join(passage.full_text for passage in passages).split()
    assert set(text.replace("#", " ").split()) <= set(shown) | {"|---|---|"}


def test_short_passages_are_not_filled_with_headings():
    sentence = "The tent stands in the wind. "
    text = "# " + "A long heading of many words " * 3 + "\n\n" + sentence * 40
    for passage in chunked(text, most_tokens=64):
        size, *_ = WordCounter().count_tokens([passage.body])
        assert size >= len(sentence.split())
        assert sum(WordCounter().count_tokens([passage.full_text])) <= 64


@pytest.mark.parametrize(("overlap", "repeats"), [(0.0, False), (0.5, True)])
def test_the_last_sentence_begins_the_next_passage_if_the_overlap_allows_it(overlap: float, *, repeats: bool):
    text = " ".join(f"Sentence number {n} tells us something about the tent." for n in range(40))
    passages = chunked(text, PLAIN, most_tokens=64, overlap=overlap)
    assert len(passages) > 4
    for before, after in pairwise(passages):
        assert (after.span.start < before.span.end) == repeats


def test_a_document_of_too_many_passages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MOST_PASSAGES", 3)
    assert len(chunked("# a\n\nb\n\n" * 3)) == 3
    with pytest.raises(DocumentTooLong, match="more than 3 passages"):
        chunked("# a\n\nb\n\n" * 4)
