import pytest

from ingest_service.domain import media_types as kinds
from ingest_service.domain.front_matter import front_matter
from services.ingest.tests.test_readers_office import manuscript

BODY = "We open at nine.\n\nOn Sundays we are closed.\n"


@pytest.mark.parametrize(
    ("above", "title"),
    [
        ("title: Opening hours\ntags: [shop, hours]\ndate: 2026-05-01", "Opening hours"),
        ("Title:   'When: the shop opens'  ", "When: the shop opens"),
        ('layout: page\ntitle: "Opening hours"\n# a comment\nauthors:\n  - Mara\n- x', "Opening hours"),
        ("title: >-\n  Opening hours\n", "Opening hours"),
        ("id: hours\n\nslug: /hours", None),
    ],
)
@pytest.mark.parametrize("end", ["---", "..."])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_front_matter_gives_the_title_and_stays_out_of_the_passages(above, title, end, line_end):
    text = f"---\n{above}\n{end}\n{BODY}".replace("\n", line_end)
    result = manuscript(text.encode())
    assert (result.media_type, result.title, result.text) == (kinds.MARKDOWN, title, text)
    shown = [result.text[block.span.start : block.span.end] for block in result.blocks]
    assert [words.strip() for words in shown] == ["We open at nine.", "On Sundays we are closed."]


@pytest.mark.parametrize(
    "text",
    [
        "---\nWe open at nine.\n---\n\nOn Sundays we are closed.",
        "---\ntitle: Opening hours\n\nNothing ends it.",
        "---\ntitle: Opening hours\n---\n",
        "---\n---\nText",
        "---\nkind: Service\nname: shop\n---\nkind: Service\nname: till\n",
        " ---\ntitle: Opening hours\n---\nText",
        "text\n---\ntitle: Opening hours\n---\nText",
    ],
)
def test_anything_else_is_text(text):
    assert front_matter(text) is None
    assert front_matter("---\n" + "a: b\n" * 40_000 + "---\nText") is None


def test_a_title_of_many_spaces_is_read_in_one_pass():
    """It took half a minute."""
    told = front_matter("---\ntitle: a" + " " * 60_000 + "b\n---\nText")
    assert told is not None
    assert told.title == "a b"
