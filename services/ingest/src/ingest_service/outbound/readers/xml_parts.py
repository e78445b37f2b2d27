"""XML from outside: nothing is fetched, no entity is put in, depth and size are bounded."""

from lxml import etree
from lxml.etree import _Element as Element

from ingest_service.domain.errors import Damaged


def parsed(data: bytes) -> Element:
    """The root element.

    Raises:
        Damaged: It is no well-formed XML, or beyond the parser's bounds.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Damaged("The XML in the document is not well-formed. Save it again and send it anew.") from error


def name_of(element: Element) -> str:
    """An element's name without its namespace; empty for what is no element, such as an entity."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
