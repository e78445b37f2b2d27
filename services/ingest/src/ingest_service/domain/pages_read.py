"""How far the reading of a document is, by its pages; those that are pictures take by far the longest."""

from typing import Final, NamedTuple

from ingest_service.domain.estimate import Estimate, Expected
from ingest_service.domain.manuscript import MOST_PAGES
from runtime.clock import Clock

READ_BY: Final = 0.1
"""Of a document without pictures, reading and cutting are so much of the work: they are quick beside embedding."""
A_PICTURE: Final = 50
"""Pages of text, read and embedded, that OCR of one page takes as long as: 2 s to 0.04 s of a core."""


class PagesRead(NamedTuple):
    """So many pages, slides or sheets are read, of how many; the last ones are `pictures`, which OCR reads."""

    done: int
    of: int
    pictures: int = 0

    @property
    def is_all(self) -> bool:
        return self.done >= self.of

    @property
    def share(self) -> float:
        """Of all the work on the document, up to `all_share` at the last page."""
        if self.is_all:
            return self.all_share
        return (READ_BY * self.done + A_PICTURE * self.pictures_done) / self._work

    @property
    def all_share(self) -> float:
        return (READ_BY * self.of + A_PICTURE * self.pictures) / self._work

    @property
    def pictures_done(self) -> int:
        """Text comes first."""
        return max(self.done - (self.of - self.pictures), 0)

    @property
    def after_pictures(self) -> float:
        """What comes behind OCR, as a share of the time that OCR takes."""
        return (1 - READ_BY) * self.of / (A_PICTURE * self.pictures)

    @property
    def _work(self) -> float:
        return max(self.of + A_PICTURE * self.pictures, 1)

    def believed(self) -> "PagesRead":
        """No more than there can be: who counts may have been taken over by the document."""
        of = min(max(self.of, 1), MOST_PAGES)
        return PagesRead(min(self.done, of), of, min(self.pictures, of))


class WhenRead:
    """When the document will be ready, as far as OCR tells: by the pace of its pages since the first of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._estimate: Estimate | None = None
        self._done = 0

    def after(self, pages: PagesRead) -> Expected | None:
        """Told as often as pages are; None when no pictures are read, and while their pace is unknown."""
        done, before, self._done = pages.pictures_done, self._done, pages.pictures_done
        if done == 0 or pages.is_all:
            return None
        # it is begun anew after a crash of the reader
        if self._estimate is None or done < before:
            self._estimate = Estimate(pages.pictures, self._clock, behind=pages.after_pictures)
        return self._estimate.after(done)
