"""Charts of a slide as tables, by the numbers that the file keeps beside their source, whatever the chart's kind."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

from lxml.etree import _Element as Element
from openpyxl.styles.numbers import is_date_format

from ingest_service.domain.manuscript import Composer
from ingest_service.outbound.readers.grid import shown
from ingest_service.outbound.readers.sheet_numbers import dated, formatted
from ingest_service.outbound.readers.xml_parts import name_of

_LISTS: Final = ("{*}strCache", "{*}numCache", "{*}strLit", "{*}numLit", "{*}lvl")
Points = dict[int, str]
"""What is said at each place of a series, from 0."""


class _Series(NamedTuple):
    """`at`: where the points of a scatter chart stand; the series of other charts share their `names`."""

    title: str
    names: Points
    at: Points
    values: Points
    sizes: Points


def write_chart(composer: Composer, chart: Any) -> None:
    """Its title, and a table for each plot; for each series of a scatter chart, if their points stand elsewhere."""
    if chart.has_title and chart.chart_title.has_text_frame:
        composer.paragraph(chart.chart_title.text_frame.text)
    is_1904 = any(mark.get("val") not in {"0", "false"} for mark in chart.element.iterchildren("{*}date1904"))
    for plot in chart.element.iterfind("{*}chart/{*}plotArea/{*}*"):
        series = [_series(one, is_1904=is_1904) for one in plot.iterchildren("{*}ser")]
        for _, some in groupby(series, key=lambda one: one.at):
            _write(composer, list(some))


def _write(composer: Composer, series: list[_Series]) -> None:
    names = {place: name for one in series for place, name in (one.names | one.at).items()}
    columns = [column for one in series for column in ((one.title, one.values), ("", one.sizes)) if column[1]]
    places = sorted({place for _, points in columns for place in points})
    rows = [[names.get(place, ""), *(points.get(place, "") for _, points in columns)] for place in places]
    if rows:
        composer.table([["", *(title for title, _ in columns)], *rows], has_header=True)


def _series(one: Element, *, is_1904: bool) -> _Series:
    title = " ".join("".join(words.itertext()) for words in one.iterfind("{*}tx//{*}v"))
    names, at, values, heights, sizes = (
        _points(one, name, is_1904=is_1904) for name in ("cat", "xVal", "val", "yVal", "bubbleSize")
    )
    return _Series(title, names, at, values or heights, sizes)


def _points(one: Element, name: str, *, is_1904: bool) -> Points:
    """What has several levels is said with them: `2026 May`, where the file tells 2026 at its first month alone."""
    parts = (each for part in one.iterchildren(f"{{*}}{name}") for each in part.iter(*_LISTS))
    levels = [{int(place): _said(point, each, is_1904=is_1904) for place, point in _placed(each)} for each in parts]
    said: list[str] = [""] * len(levels)
    points: Points = {}
    for place in sorted({place for level in levels for place in level}):
        said = [
            level.get(place, before if number else "")
            for number, (level, before) in enumerate(zip(levels, said, strict=True))
        ]
        points[place] = " ".join(filter(None, reversed(said)))
    return points


def _placed(among: Element) -> Iterator[tuple[str, Element]]:
    for point in among.iterchildren("{*}pt"):
        place = point.get("idx", "")
        if place.isdecimal():
            yield place, point


def _said(point: Element, among: Element, *, is_1904: bool) -> str:
    """A number as its format shows it; nothing for an error such as `#N/A`."""
    words = (point.findtext("{*}v") or "").strip()
    if not name_of(among).startswith("num"):
        return words
    code = point.get("formatCode") or among.findtext("{*}formatCode") or ""
    try:
        value = float(words)
    except ValueError:
        return ""
    if is_date_format(code):
        return dated(value, code, is_1904=is_1904)
    return formatted(value, code) or shown(value)
