"""What every implementation of `Reader` keeps: run against the fake and the cage."""

from itertools import pairwise

import pytest

from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.errors import DocumentRefused
from ingest_service.domain.pages_read import PagesRead
from ingest_service.domain.read_document import Reader

RETURNS = (
    "# Returns\n\nWithin 30 days.\n\n## Refunds\n\nThe money goes back to your card.\n\n\U0001f3d5\ufe0f Bis bald!"
)


class Stopped(Exception):
    pass


async def unheard(pages: PagesRead) -> None:
    assert 0 <= pages.done <= pages.of


class PromisesOfReader:
    """Subclasses give the fixture `reader`."""

    @pytest.fixture
    def reader(self) -> Reader:
        raise NotImplementedError

    async def test_passages_are_parts_of_the_text_in_order(self, reader):
        cutting = await reader.read(RETURNS.encode(), unheard)
        assert (cutting.title, cutting.media_type, cutting.language) == ("Returns", "text/markdown", "en")
        assert [passage.n for passage in cutting.passages] == list(range(len(cutting.passages)))
        assert cutting.passages[-1].headings == ("Returns", "Refunds")
        for passage in cutting.passages:
            assert RETURNS[passage.span.start : passage.span.end] == passage.body

    async def test_it_cuts_as_it_is_asked(self, reader):
        text = " ".join(f"Sentence number {n} tells us something about the tent." for n in range(60)).encode()
        usual = (await reader.read(text, unheard)).passages
        short = (await reader.read(text, unheard, CutSettings(64, 0.0))).passages
        overlapping = (await reader.read(text, unheard, CutSettings(64, 0.5))).passages
        assert len(usual) < len(short) < len(overlapping)
        assert all(before.span.end <= after.span.start for before, after in pairwise(short))
        assert all(before.span.end > after.span.start for before, after in pairwise(overlapping))

    async def test_the_last_page_is_told_before_the_end(self, reader):
        told = []

        async def say(pages: PagesRead) -> None:
            told.append(pages.done / pages.of)

        await reader.read(RETURNS.encode(), say)
        assert told == sorted(told)
        assert told[-1] == 1.0

    async def test_what_say_raises_ends_the_reading(self, reader):
        async def say(_pages: PagesRead) -> None:
            raise Stopped

        with pytest.raises(Stopped):
            await reader.read(RETURNS.encode(), say)
        assert (await reader.read(RETURNS.encode(), unheard)).passages

    @pytest.mark.parametrize(
        ("data", "code", "kind"),
        [
            (b" \n ", "empty_document", None),
            ("?! \u2013 \u2026\n\n\U0001f3d5\ufe0f\U0001f44d".encode(), "empty_document", "text/plain"),
            (b"\xef\xbb\xbf\xff\xff", "unreadable_document", None),
        ],
    )
    async def test_what_cannot_be_read_is_refused_with_the_reason(self, reader, data, code, kind):
        with pytest.raises(DocumentRefused) as refused:
            await reader.read(data, unheard)
        assert (refused.value.code, refused.value.media_type) == (code, kind)
        assert refused.value.detail.endswith(".")
