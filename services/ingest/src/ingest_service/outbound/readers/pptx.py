"""PowerPoint presentations by python-pptx: a slide is a page, its title a heading; the speaker's notes follow."""

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.slide import Slide
from pptx.text.text import TextFrame

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Item, Manuscript
from ingest_service.outbound.readers import archive
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.titles import own_title

_EDGES: Final = frozenset(
    {PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER}
)
_LISTS: Final = frozenset({PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY})


def read(data: bytes, say: Say) -> Manuscript:
    archive.opened(data)
    presentation = pptx.Presentation(io.BytesIO(data))
    slides = list(presentation.slides)
    composer = Composer()
    for number, slide in enumerate(slides, start=1):
        composer.page()
        _write_slide(composer, slide)
        say(number, len(slides))
    return composer.manuscript(media_types.PPTX, own_title(presentation.core_properties.title))


def _write_slide(composer: Composer, slide: Slide) -> None:
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        composer.heading(1, title.text_frame.text)
    for shape in _in_order(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            _write_shape(composer, shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        composer.paragraph(slide.notes_slide.notes_text_frame.text)


def _in_order(shapes: Iterable[Any]) -> Iterator[Any]:
    """From top to bottom and left to right, groups opened; a shape without a place keeps the one before it."""
    placed = sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0))
    for shape in placed:
        if hasattr(shape, "shapes"):
            yield from _in_order(shape.shapes)
        else:
            yield shape


def _write_shape(composer: Composer, shape: Any) -> None:
    kind = shape.placeholder_format.type if shape.is_placeholder else None
    if kind in _EDGES:
        return
    if getattr(shape, "has_table", False):
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
        composer.table(rows, has_header=shape.table.first_row)
    elif shape.has_text_frame:
        _write_frame(composer, shape.text_frame, is_list=kind in _LISTS)


def _write_frame(composer: Composer, frame: TextFrame, *, is_list: bool) -> None:
    """A placeholder for points is a list when it has several; any other box is a paragraph a line."""
    lines = [paragraph for paragraph in frame.paragraphs if paragraph.text.strip()]
    if is_list and len(lines) > 1:
        composer.items(Item(line.text.replace("\v", "\n"), line.level) for line in lines)
    else:
        for line in lines:
            composer.paragraph(line.text.replace("\v", "\n"))
