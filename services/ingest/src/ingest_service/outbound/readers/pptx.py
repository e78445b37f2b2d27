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
from ingest_service.outbound.readers.alt_text import alt_text
from ingest_service.outbound.readers.first_row import is_like_those_below
from ingest_service.outbound.readers.grid import ACROSS, Hanging, captions, whole_header
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.pptx_charts import write_chart
from ingest_service.outbound.readers.titles import own_title
from ingest_service.outbound.readers.xml_parts import parsed

_EDGES: Final = frozenset(
    {PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER}
)
_LISTS: Final = frozenset({PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY})


def read(data: bytes, say: Say) -> Manuscript:
    archive.opened(data)
    presentation = pptx.Presentation(io.BytesIO(data))
    slides = list(presentation.slides)
    composer = Composer()
    hidden = 0
    for number, slide in enumerate(slides, start=1):
        composer.page()
        if slide.element.get("show") in {"0", "false"}:
            hidden += 1
        else:
            _write_slide(composer, slide)
        say(number, len(slides))
    if hidden:
        composer.note(f"Hidden slides were left out: {hidden}.")
    return composer.manuscript(media_types.PPTX, own_title(presentation.core_properties.title))


def _write_slide(composer: Composer, slide: Slide) -> None:
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        composer.heading(1, title.text_frame.text)
    for shape in _in_order(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            _write_shape(composer, shape)
    for relation in slide.part.rels.values():
        if relation.reltype.endswith("/diagramData"):
            composer.items(Item(words) for words in _diagram(relation.target_part.blob))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        composer.paragraph(slide.notes_slide.notes_text_frame.text)


def _in_order(shapes: Iterable[Any]) -> Iterator[Any]:
    """From top to bottom and left to right, groups opened; a shape without a place comes first, a hidden one never."""
    seen = (shape for shape in shapes if _said(shape, "hidden") not in {"1", "true"})
    placed = sorted(seen, key=lambda shape: (shape.top or 0, shape.left or 0))
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
        _write_table(composer, shape.table)
    elif getattr(shape, "has_chart", False):
        write_chart(composer, shape.chart)
    elif shape.has_text_frame:
        _write_frame(composer, shape.text_frame, is_list=kind in _LISTS)
    else:
        composer.paragraph(alt_text(_said(shape, "descr")))


def _said(shape: Any, name: str) -> str | None:
    """What is noted of a shape beside its contents."""
    found = shape.element.find("./{*}*/{*}cNvPr")
    return None if found is None else found.get(name)


def _write_table(composer: Composer, table: Any) -> None:
    """What goes on downwards is said in each row; one cell above all columns is a caption."""
    grid = list(_grid(table))
    above = captions(grid)
    for words in dict.fromkeys(row[0] for row in grid[:above]):
        composer.paragraph(words)
    rows = grid[above:]
    whole, is_sure = whole_header(rows)
    # every new table has its first row set off, also lists of names and values
    has_header = is_sure or (table.first_row and not is_like_those_below(whole))
    composer.table(whole if has_header else rows, has_header=has_header)


def _grid(table: Any) -> Iterator[list[str]]:
    hanging = Hanging()
    for row in table.rows:
        cells: list[str] = []
        for column, cell in enumerate(row.cells):
            words = hanging.take(column)
            if words is None:
                words = cell.text
                tall, wide = (cell.span_height, cell.span_width) if cell.is_merge_origin else (1, 1)
                hanging.hang(column, tall - 1, words)
                for other in range(column + 1, min(column + wide, len(row.cells))):
                    hanging.hang(other, tall, ACROSS)
            cells.append(words)
        yield cells


def _diagram(data: bytes) -> Iterator[str]:
    """The words of each shape in a diagram (SmartArt)."""
    for point in parsed(data).iter("{*}pt"):
        yield "".join(
            text.text or "" for text in point.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}t")
        )


def _write_frame(composer: Composer, frame: TextFrame, *, is_list: bool) -> None:
    """A placeholder for points is a list when it has several; any other box is a paragraph a line."""
    lines = [paragraph for paragraph in frame.paragraphs if paragraph.text.strip()]
    if is_list and len(lines) > 1:
        composer.items(Item(line.text.replace("\v", "\n"), line.level) for line in lines)
    else:
        for line in lines:
            composer.paragraph(line.text.replace("\v", "\n"))
