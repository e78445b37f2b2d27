import pytest

from ingest_service.domain import media_types as kinds
from ingest_service.domain.manuscript import Composer
from ingest_service.domain.read_document import cut
from services.ingest.tests.memory import WordCounter


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
