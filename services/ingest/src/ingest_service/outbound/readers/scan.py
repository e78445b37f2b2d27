"""Pages that are pictures, read by OCR one after the other as long as there is time for it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from ingest_service.domain.document import Note
from ingest_service.outbound import tessdata
from ingest_service.outbound.readers.pdf_layout import Line, Page
from ingest_service.outbound.readers.ports import Ocr

if TYPE_CHECKING:
    from ingest_service.outbound.readers.tesseract import Picture, Seen, Tesseract

DPI: Final = 300
"""What tesseract's languages were trained with."""
MOST_PIXELS: Final = 10_000_000
"""Of a page as it is read, an A4 page having 8.7 million; a larger one is made coarser."""
MOST_IMAGE_PIXELS: Final = 40_000_000
"""Of one image before that: A4 at 600 dpi has 35 million, which take pdfium 170 MiB to draw."""
LONGEST_S: Final = 60.0
"""For one page, by the clock; a dense one takes 2 to 5 s of a core."""
TURNED: Final = 75.0
"""Confidence below which a page may stand upside down."""
DOUBTFUL: Final = 60.0
"""Confidence of a page below which its words are often wrong."""
NONSENSE: Final = 50.0
"""Confidence of a page below which its words are made up: other scripts read as English reach 0 to 48, and text that is
blurred beyond reading 40; other languages in Latin letters 76 and more (`bench/ocr_scripts.py`)."""
GUESSED: Final = 30.0
"""Confidence of a line below which it is no text, but a picture or a stain."""
ALIKE: Final = 0.25
"""Sizes that differ by less are one: they are measured from the letters."""
_LONGEST_LIST: Final = 400
ABSENT: Final = (
    "This page has no text layer: it is a picture, and reading pictures (OCR) is not installed. Run OCR on it and send "
    "the result, or have tesseract installed (on Debian: tesseract-ocr, and tesseract-ocr-deu for German)."
)
TOO_LARGE: Final = "This page is a picture that is too large to be read by OCR. Send it at 300 dpi."
BROKEN: Final = "This page is damaged, and was left out."
_TOO_SLOW: Final = "This page is a picture that takes too long to be read by OCR; it was left out."
_NOTHING: Final = "This page is a picture in which OCR found no text."
_DOUBTFUL: Final = (
    "OCR is not sure of its words on this page ({:.0f} of 100): compare them with the picture. Perhaps its language is "
    "not installed."
)
_FOREIGN: Final = (
    "This page is a picture of letters that look {}, and the data to read them is not installed: it was left out "
    "(confidence {:.0f} of 100). Install it (on Debian: {}, or another language in these letters), and have the "
    "document read again."
)
_UNREAD: Final = (
    "This page is a picture of which OCR could not make out the words (confidence {:.0f} of 100): it was left out. It "
    "may be handwriting or too coarse, or its language is not installed (there is: {})."
)
_READ: Final = "Read by OCR, as they are pictures: {}."
_NO_TIME: Final = "Reading pictures (OCR) took as long as it may; left out: {}. Send the document in parts."


class Drawn(NamedTuple):
    """A page as a picture, and its height in points."""

    picture: "Picture"
    height: float


class NotDrawn(Exception):
    """A page that cannot be shown; `reason` is for the document's owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Scanner:
    """Reads pictures one after the other, and knows what is to be said of them."""

    def __init__(self, ocr: Ocr, spoken: str) -> None:
        """`spoken` is the language of the pages that have text (`de`)."""
        self._ocr = ocr
        self._languages = tessdata.spoken_first(ocr.languages, spoken)
        self._engine: Tesseract | None = None
        self._cpu_at, self._wall_at = time.process_time(), time.monotonic()
        self._read: list[int] = []
        self._left_out: list[int] = []
        self._notes: list[Note] = []

    def page(self, number: int, draw: Callable[[], Drawn]) -> Page | None:
        """The page of that number, from 0, or None when it could not be read: the notes say why.

        `draw` raises `NotDrawn`, and is not called when the time is over.
        """
        if self._seconds_left() <= 0:
            self._left_out.append(number + 1)
            return None
        try:
            drawn = draw()
        except NotDrawn as error:
            self._note(number, error.reason)
            return None
        return self._seen(number, drawn.picture, drawn.height)

    def notes(self) -> list[Note]:
        """What the document's owner should know, in the order of pages."""
        told = [(_READ, self._read), (_NO_TIME, self._left_out)]
        return [*(Note(None, words.format(_ranges(pages))) for words, pages in told if pages), *self._notes]

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()

    def _seen(self, number: int, picture: "Picture", height: float) -> Page | None:
        from ingest_service.outbound.readers.tesseract import TesseractAway, TookTooLong

        try:
            seen = self._best(picture)
        except TesseractAway:
            self._note(number, ABSENT)
            return None
        except TookTooLong:
            self._note(number, _TOO_SLOW)
            return None
        lines = [line for line in seen if line.confidence >= GUESSED]
        if not lines:
            self._note(number, _NOTHING)
            return None
        sure = confidence(lines)
        if sure < NONSENSE:
            self._note(number, self._why_unread(picture, sure))
            return None
        self._read.append(number + 1)
        if sure < DOUBTFUL:
            self._note(number, _DOUBTFUL.format(sure))
        return Page(_placed(lines, height, picture.dpi / 72), height, is_picture=False)

    def _best(self, picture: "Picture") -> "Sequence[Seen]":
        from ingest_service.outbound.readers.tesseract import Tesseract, TesseractAway

        folder = tessdata.folder()
        if folder is None:
            raise TesseractAway("tesseract is not installed")
        engine = self._engine = self._engine or Tesseract(self._languages, folder)
        seen = engine.lines(picture, within_s=min(LONGEST_S, self._seconds_left()))
        if not seen or confidence(seen) >= TURNED or self._seconds_left() <= 0:
            return seen
        turned = engine.lines(picture.upside_down(), within_s=min(LONGEST_S, self._seconds_left()))
        return max(seen, turned, key=confidence)

    def _why_unread(self, picture: "Picture", sure: float) -> str:
        from ingest_service.outbound.readers.tesseract import Tesseract, TesseractAway

        folder = tessdata.folder()
        try:
            engine = Tesseract((tessdata.SCRIPTS,), folder) if folder else None
        except TesseractAway:
            # Debian installs the data for scripts with tesseract, others do not
            engine = None
        script = ""
        if engine:
            script = engine.script(picture)
            engine.close()
        package = tessdata.missing(script, self._languages)
        if package is None:
            return _UNREAD.format(sure, ", ".join(self._languages))
        return _FOREIGN.format(script, sure, package)

    def _seconds_left(self) -> float:
        cpu_s, wall_s = time.process_time() - self._cpu_at, time.monotonic() - self._wall_at
        return min(self._ocr.cpu_s - cpu_s, self._ocr.wall_s - wall_s)

    def _note(self, number: int, reason: str) -> None:
        self._notes.append(Note(number + 1, reason))


def _placed(seen: "Sequence[Seen]", height: float, scale: float) -> list[Line]:
    """Lines in points from the page's bottom; sizes that are alike are made equal, as headings are told by theirs."""
    sizes: Counter[int] = Counter()
    for line in seen:
        sizes[line.points] += len(line.text)
    usual = float(median(sizes.elements()))
    return [
        Line(
            text=line.text,
            size=usual if abs(line.points - usual) <= usual * ALIKE else float(line.points),
            left=line.left / scale,
            right=line.right / scale,
            base=height - line.bottom / scale,
            last_base=height - line.bottom / scale,
            is_bold=False,
        )
        for line in seen
    ]


def confidence(seen: "Sequence[Seen]") -> float:
    """The mean, by characters; 0 of nothing."""
    return sum(line.confidence * len(line.text) for line in seen) / max(sum(len(line.text) for line in seen), 1)


def _ranges(pages: Iterable[int]) -> str:
    """Numbers in ascending order, as people write them: pages 1-3, 5."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(pages), lambda pair: pair[1] - pair[0])]
    shown = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    listed = shown if len(shown) <= _LONGEST_LIST else f"{shown[:_LONGEST_LIST].rpartition(',')[0]} and more"
    return f"{'pages' if '-' in shown or ',' in shown else 'page'} {listed}"
