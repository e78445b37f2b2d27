import docx
import pytest

from ingest_service.domain import media_types as kinds
from ingest_service.domain.manuscript import Composer
from ingest_service.domain.pages_read import PagesRead
from ingest_service.domain.read_document import LONGEST_TITLE, cut
from ingest_service.outbound.cage.limits import Limits
from ingest_service.outbound.caged_reader import CagedReader
from services.ingest.tests import made
from services.ingest.tests.memory import WordCounter
from services.ingest.tests.test_readers_office import manuscript

HEADINGS = [("Heading 1", "Filling"), ("Heading 2", "Floor"), ("Heading 1", "Storing")]


def _word(headings: list[tuple[str, str]]) -> bytes:
    document = docx.Document()
    for style, words in headings:
        document.add_paragraph(words, style=style)
        if style.startswith("Heading"):
            document.add_paragraph("What it says.")
    return made.saved(document)


def _open_document(headings: list[tuple[str, str]]) -> bytes:
    body = "".join(
        f'<text:h text:outline-level="{style[-1]}">{words}</text:h><text:p>What it says.</text:p>'
        if style.startswith("Heading")
        else f'<text:p text:style-name="{style}">{words}</text:p>'
        for style, words in headings
    )
    return made.open_document("text", body)


@pytest.mark.parametrize(
    ("kind", "headings", "title"),
    [
        (kinds.MARKDOWN, [(1, "Terms"), (2, "Liability"), (2, "Payment")], "Terms"),
        (kinds.PDF, [(3, "Terms")], "Terms"),
        (kinds.PDF, [(2, "1. Scope"), (2, "2. Liability")], None),
        (kinds.HTML, [(2, "Must I be able to swim?"), (2, "Are dogs allowed?")], None),
        (kinds.DOCX, [(2, "From us"), (1, "Terms"), (2, "Liability")], None),
        (kinds.XLSX, [(1, "Prices"), (1, "Repairs")], None),
        (kinds.PPTX, [(1, "Guided tours"), (1, "Guides")], "Guided tours"),
        (kinds.PLAIN, [], None),
    ],
)
def test_a_heading_is_the_title_of_what_stands_below_it_alone(
    kind: str, headings: list[tuple[int, str]], title: str | None
):
    composer = Composer()
    for level, words in headings:
        composer.heading(level, words)
        composer.paragraph("What it says.")
    composer.paragraph("An end.")
    assert cut(composer.manuscript(kind), WordCounter()).title == title
    assert cut(composer.manuscript(kind, "Its own title"), WordCounter()).title == "Its own title"


@pytest.mark.parametrize("maker", [_word, _open_document], ids=["word", "odt"])
def test_a_title_stands_above_all_headings_of_its_document(maker):
    found = cut(manuscript(maker([("Title", "Boat IB-420"), ("Subtitle", "A manual"), *HEADINGS])), WordCounter())
    assert found.title == "Boat IB-420"
    assert [passage.headings for passage in found.passages] == [
        ("Boat IB-420",),
        ("Boat IB-420", "Filling"),
        ("Boat IB-420", "Filling", "Floor"),
        ("Boat IB-420", "Storing"),
    ]


@pytest.mark.parametrize("maker", [_word, _open_document], ids=["word", "odt"])
def test_headings_without_a_title_stand_as_they_are(maker):
    found = cut(manuscript(maker(HEADINGS)), WordCounter())
    assert found.title is None
    assert [passage.headings for passage in found.passages] == [("Filling",), ("Filling", "Floor"), ("Storing",)]


@pytest.mark.parametrize(
    "data",
    [
        _word([("Heading 1", "Who fills it " * 300)]),
        f"# {'Who fills it ' * 300}\n\nWhat it says.".encode(),
        f"---\ntitle: {'Who fills it ' * 300}\n---\n\nWhat it says.".encode(),
        f"From: a@shop.example\nTo: b@shop.example\nSubject: {'Who fills it ' * 300}\n\nWhat it says.\n".encode(),
    ],
    ids=["docx", "markdown", "front matter", "e-mail"],
)
async def test_a_title_as_long_as_a_text_is_cut(data: bytes):
    async def say(_pages: PagesRead) -> None:
        """Nobody asks."""

    reader = CagedReader(Limits(480, 15, 120.0))
    try:
        title = (await reader.read(data, say)).title
    finally:
        await reader.close()
    assert title is not None
    assert title.startswith("Who fills it")
    assert len(title) <= LONGEST_TITLE
