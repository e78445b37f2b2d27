"""XML of any kind: the text of its elements, those that hold only text as a line with their name."""

from typing import Final

from lxml.etree import _Element as Element

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.webpage import compose_html
from ingest_service.outbound.readers.xml_parts import name_of, parsed

_XHTML: Final = "{http://www.w3.org/1999/xhtml}html"


def read(data: bytes, say: Say) -> Manuscript:
    root = parsed(data)
    composer = Composer()
    title = None
    if root.tag == _XHTML:
        title = compose_html(composer, data.decode("utf-8", errors="replace"))
    else:
        _write(composer, root)
    say(1, 1)
    return composer.manuscript(media_types.XML, title)


def _write(composer: Composer, element: Element) -> None:
    """Children that hold only text are the fields of one record; what holds more is written on its own."""
    if _is_mixed(element):
        composer.paragraph("".join(element.itertext()))
        return
    fields = [_field(child) for child in element if not len(child) and name_of(child)]
    composer.paragraph("\n".join([*_attributes(element), *filter(None, fields)]))
    for child in element:
        if len(child):
            _write(composer, child)


def _is_mixed(element: Element) -> bool:
    """Words between elements: a sentence with marks in it."""
    tails = any((child.tail or "").strip() for child in element)
    return tails or bool((element.text or "").strip())


def _field(element: Element) -> str:
    words = (element.text or "").strip()
    return f"{name_of(element)}: {words}" if words else ", ".join(_attributes(element))


def _attributes(element: Element) -> list[str]:
    return [f"{name.rpartition('}')[2]}: {value}" for name, value in element.attrib.items() if " " in value.strip()]
