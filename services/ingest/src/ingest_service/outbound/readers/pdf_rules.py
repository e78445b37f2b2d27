"""Ruling lines of a PDF page: what is drawn straight along or down, and the sides of boxes."""

import ctypes
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import pypdfium2
from pypdfium2 import raw

STRAIGHT: Final = 1.5
"""Points by which a rule may lean, rules of one line lie apart, or a bar is thick."""
SHORTEST: Final = 8.0
MOST_POINTS: Final = 20_000
"""Of drawings on a page that are looked at: a map has more, and no table."""
MOST_RULES: Final = 400
"""On a page with more there is a drawing, and comparing them all would take long."""
Point = tuple[float, float]


class Rule(NamedTuple):
    """A ruling line `at` a height, from left to right; or at a place from the left, from below to above."""

    at: float
    begin: float
    end: float


class Rules(NamedTuple):
    """All of a page, those of one line as one."""

    flat: Sequence[Rule]
    upright: Sequence[Rule]


def rules_of(page: pypdfium2.PdfPage) -> Rules:
    """Of the drawings that lie on the page itself."""
    flat: list[Rule] = []
    upright: list[Rule] = []
    for (left, low), (right, high) in _strokes(page):
        if abs(low - high) < STRAIGHT and abs(right - left) > SHORTEST:
            flat.append(Rule((low + high) / 2, min(left, right), max(left, right)))
        elif abs(left - right) < STRAIGHT and abs(high - low) > SHORTEST:
            upright.append(Rule((left + right) / 2, min(low, high), max(low, high)))
    rules = Rules(_merged(flat), _merged(upright))
    return rules if len(rules.flat) + len(rules.upright) <= MOST_RULES else Rules([], [])


def _strokes(page: pypdfium2.PdfPage) -> Iterator[tuple[Point, Point]]:
    left = MOST_POINTS
    for number in range(raw.FPDFPage_CountObjects(page)):
        each = raw.FPDFPage_GetObject(page, number)
        if raw.FPDFPageObj_GetType(each) != raw.FPDF_PAGEOBJ_PATH:
            continue
        count = raw.FPDFPath_CountSegments(each)
        left -= count
        if left < 0:
            return
        matrix = raw.FS_MATRIX()
        raw.FPDFPageObj_GetMatrix(each, matrix)
        yield from _drawn(each, count, matrix)


def _drawn(path: raw.FPDF_PAGEOBJECT, count: int, matrix: raw.FS_MATRIX) -> Iterator[tuple[Point, Point]]:
    """From point to point; curves are left out, and what is closed goes back to where it began."""
    x, y = ctypes.c_float(), ctypes.c_float()
    begin = before = (0.0, 0.0)
    for number in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, number)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        here = matrix.a * x.value + matrix.c * y.value + matrix.e, matrix.b * x.value + matrix.d * y.value + matrix.f
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            begin = here
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield before, here
        if raw.FPDFPathSegment_GetClose(segment):
            yield here, begin
        before = here


def _merged(rules: Sequence[Rule]) -> list[Rule]:
    """Those of one line that touch, as one; the two sides of a bar are one line."""
    lines: list[list[Rule]] = []
    for rule in sorted(rules):
        if lines and rule.at - lines[-1][-1].at < STRAIGHT:
            lines[-1].append(rule)
        else:
            lines.append([rule])
    merged: list[Rule] = []
    for line in lines:
        line.sort(key=lambda rule: rule.begin)
        merged.append(line[0])
        for rule in line[1:]:
            if rule.begin <= merged[-1].end + 2 * STRAIGHT:
                merged[-1] = merged[-1]._replace(end=max(merged[-1].end, rule.end))
            else:
                merged.append(rule)
    return merged
