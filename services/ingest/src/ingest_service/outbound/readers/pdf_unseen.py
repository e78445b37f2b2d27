"""Text of a PDF that nobody sees: white on white, set as invisible, tiny, or outside of the page.

It is a way to tell a machine what no reader is told. The invisible text that OCR lays over a scan stays: what it says
is in the picture. In doubt text stays, such as white letters on whatever may be dark.
"""

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from functools import cached_property
from itertools import groupby
from typing import Final, NamedTuple

import pypdfium2
from pypdfium2 import raw

from ingest_service.outbound.readers.pdf_layout import Line

UNSEEN: Final = (
    "Text that nobody sees was left out: it is white on white, set as invisible, smaller than a point, or outside of "
    "the page."
)
WHITE: Final = 250
"""Of 255, from which on red, green and blue are white."""
CLEAR: Final = 10
"""Of 255, up to which a colour is none."""
SMALLEST: Final = 1.0
"""Points that letters, and their font, are high."""
MOST_GROUNDS: Final = 500
"""On a page with more something is drawn everywhere, and comparing them all would take long."""
_WORD: Final = re.compile(r"\S+\s*")
_INVISIBLE: Final[int] = raw.FPDF_TEXTRENDERMODE_INVISIBLE
_DRAWN: Final = frozenset({raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM, raw.FPDF_PAGEOBJ_SHADING})
Box = tuple[float, float, float, float]
"""Left, low, right and high, in points."""
Units = Callable[[str], int]
"""How many places a text takes on the page."""
LineOf = Callable[[str, int], Line]
"""The line of some words, from the place of their first letter on."""


class _Way(Enum):
    """How a letter is not seen."""

    WHITE = auto()
    OUTSIDE = auto()
    INVISIBLE = auto()
    TINY = auto()


_OF_A_LAYER: Final = frozenset({_Way.INVISIBLE, _Way.TINY})
"""Where most of a page is set so, this is the text of what is drawn there in another way."""


class Sight:
    """What is seen on one page."""

    def __init__(self, page: pypdfium2.PdfPage, letters: raw.FPDF_TEXTPAGE) -> None:
        self._page = page
        self._letters = letters
        self._edges: Box = page.get_cropbox()
        # a page has hundreds of lines: these are made once
        self._colour = [ctypes.c_uint() for _ in range(4)]

    def may_hide(self, line: Line, places: Sequence[int]) -> bool:
        """Whether something of a line may not be seen, by its letters at some places; quick, as nearly all are seen."""
        left, low, right, high = self._edges
        is_inside = left <= line.left and line.right <= right and low <= line.base <= high
        return not is_inside or line.size <= SMALLEST or any(self._is_pale(place) for place in places)

    def way(self, place: int, size: float) -> _Way | None:
        """How the letter is not seen; None if it is."""
        left, low, right, high = self._box(place)
        if self._is_outside((left, low, right, high)) and self._is_outside(self._around(place)):
            return _Way.OUTSIDE
        if size <= SMALLEST and high - low < SMALLEST:
            return _Way.TINY
        if not self._is_pale(place):
            return None
        is_set_so = self._mode(place) == _INVISIBLE
        grounds = self._drawn if is_set_so else [*self._drawn, *self._dark]
        x, y = (left + right) / 2, (low + high) / 2
        if len(grounds) > MOST_GROUNDS or any(one[0] <= x <= one[2] and one[1] <= y <= one[3] for one in grounds):
            return None
        return _Way.INVISIBLE if is_set_so else _Way.WHITE

    def _is_outside(self, box: Box) -> bool:
        left, low, right, high = self._edges
        return box[2] < left or box[0] > right or box[3] < low or box[1] > high

    def _around(self, place: int) -> Box:
        """What was written at once: it may begin on the page."""
        return _bounds(raw.FPDFText_GetTextObject(self._letters, place))

    def _is_pale(self, place: int) -> bool:
        mode = self._mode(place)
        if mode != raw.FPDF_TEXTRENDERMODE_FILL:
            return mode == _INVISIBLE
        red, green, blue, alpha = self._colour
        if not raw.FPDFText_GetFillColor(self._letters, place, red, green, blue, alpha):
            return False
        is_white = all(part.value >= WHITE for part in (red, green, blue))
        return is_white or alpha.value <= CLEAR

    def _mode(self, place: int) -> int | None:
        of = raw.FPDFText_GetTextObject(self._letters, place)
        return raw.FPDFTextObj_GetTextRenderMode(of) if of else None

    def _box(self, place: int) -> Box:
        left, right, low, high = (ctypes.c_double() for _ in range(4))
        raw.FPDFText_GetCharBox(self._letters, place, left, right, low, high)
        return left.value, low.value, right.value, high.value

    @cached_property
    def _drawn(self) -> Sequence[Box]:
        """Pictures, and what holds anything."""
        return [_bounds(each) for each in self._objects() if raw.FPDFPageObj_GetType(each) in _DRAWN]

    @cached_property
    def _dark(self) -> Sequence[Box]:
        """What is filled, or drawn as a bar, in a colour that is not white."""
        return [_bounds(each) for each in self._objects() if _is_dark(each)]

    def _objects(self) -> Iterator[raw.FPDF_PAGEOBJECT]:
        for number in range(raw.FPDFPage_CountObjects(self._page)):
            yield raw.FPDFPage_GetObject(self._page, number)


def _bounds(each: raw.FPDF_PAGEOBJECT) -> Box:
    left, low, right, high = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(each, left, low, right, high)
    return left.value, low.value, right.value, high.value


def _is_dark(each: raw.FPDF_PAGEOBJECT) -> bool:
    if raw.FPDFPageObj_GetType(each) != raw.FPDF_PAGEOBJ_PATH:
        return False
    fill, is_stroked, width = ctypes.c_int(), ctypes.c_int(), ctypes.c_float()
    raw.FPDFPath_GetDrawMode(each, fill, is_stroked)
    if fill.value:
        colour = [ctypes.c_uint() for _ in range(4)]
        is_told = raw.FPDFPageObj_GetFillColor(each, *colour)
        return not is_told or min(one.value for one in colour[:3]) < WHITE
    raw.FPDFPageObj_GetStrokeWidth(each, width)
    left, low, right, high = _bounds(each)
    return bool(is_stroked.value) and min(right - left, high - low) <= 2 * width.value


class _Run(NamedTuple):
    """Words of a line that are seen or unseen in one way, from a character of it on."""

    way: _Way | None
    words: str
    start: int


def seen(
    lines: list[Line], firsts: list[int], sight: Sight, *, units: Units, line_of: LineOf
) -> tuple[list[Line], list[int]]:
    """The lines that are seen, in pieces where something within is not, and the places of their first letters.

    The same lists if all of it is.
    """
    doubtful = [
        number
        for number, (line, first) in enumerate(zip(lines, firsts, strict=True))
        if sight.may_hide(line, _samples(line.text, first, units))
    ]
    if not doubtful:
        return lines, firsts
    runs = {number: list(_runs(lines[number], firsts[number], sight, units)) for number in doubtful}
    layer = sum(len(run.words) for some in runs.values() for run in some if run.way in _OF_A_LAYER)
    kept = {None, *_OF_A_LAYER} if layer * 2 > sum(len(line.text) for line in lines) else {None}
    if all(run.way in kept for some in runs.values() for run in some):
        return lines, firsts
    shown: list[tuple[Line, int]] = []
    for number, (line, first) in enumerate(zip(lines, firsts, strict=True)):
        if all(run.way in kept for run in runs.get(number, ())):
            shown.append((line, first))
            continue
        for run in runs[number]:
            if run.way in kept:
                at = first + units(line.text[: run.start])
                shown.append((line_of(run.words, at), at))
    return [line for line, _ in shown], [first for _, first in shown]


def _samples(text: str, first: int, units: Units) -> Sequence[int]:
    """The places of its first letter, its last, and one in the middle; a space may be pdfium's own, of no colour."""
    middle = text[: len(text) // 2].rstrip()
    return first, first + max(units(middle) - 1, 0), first + units(text) - 1


def _runs(line: Line, first: int, sight: Sight, units: Units) -> Iterator[_Run]:
    words = [
        (match, sight.way(first + units(line.text[: match.start()]), line.size)) for match in _WORD.finditer(line.text)
    ]
    for way, some in groupby(words, key=lambda word: word[1]):
        matches = [match for match, _ in some]
        start = matches[0].start()
        yield _Run(way, line.text[start : matches[-1].end()].rstrip(), start)
